/** The drivers of volumes (storage.k8s.io/v1) through the HTTP door. */
import anyTest, { type TestFn } from 'ava'
import { kindDoor } from '../../../support/kind-door.ts'

const test = anyTest as TestFn
const STORAGE = '/apis/storage.k8s.io/v1'
const FOR_INLINE = 'spec.source.inlineVolumeSpec'

kindDoor(test, [
  {
    path: `${STORAGE}/csidrivers`,
    good: {
      metadata: { name: 'disk.example.com' },
      spec: { tokenRequests: [{ audience: 'vault' }, { audience: 'b' }] },
    },
    defaults: {
      metadata: { generation: undefined },
      spec: {
        attachRequired: true,
        podInfoOnMount: false,
        storageCapacity: false,
        fsGroupPolicy: 'ReadWriteOnceWithFSType',
        volumeLifecycleModes: ['Persistent'],
        requiresRepublish: false,
        seLinuxMount: false,
      },
    },
    invalid: [
      [
        'tokens of a moment, twice for one',
        body =>
          (body.spec.tokenRequests = [
            { audience: 'a', expirationSeconds: 1 },
            { audience: 'a', expirationSeconds: 2 ** 33 },
          ]),
        [
          'spec.tokenRequests[0].expirationSeconds: Invalid value: 1: may not specify a duration less than 10 minutes',
          'spec.tokenRequests[1].audience: Duplicate value: "a"',
          'spec.tokenRequests[1].expirationSeconds: Invalid value: 8589934592: may not specify a duration larger than 2^32 seconds',
        ],
      ],
      [
        'lives that there are not',
        body => (body.spec.volumeLifecycleModes = ['Eternal']),
        ['spec.volumeLifecycleModes[0]: Unsupported value: "Eternal": supported values: "Ephemeral", "Persistent"'],
      ],
      [
        'asked without rest',
        body => (body.spec.nodeAllocatableUpdatePeriodSeconds = 9),
        ['spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds'],
      ],
    ],
    immutable: [
      [
        'volumes that need no node',
        body => (body.spec.attachRequired = false),
        ['spec.attachedRequired: Invalid value: false: field is immutable'],
      ],
      ['to be told of pods', body => (body.spec.podInfoOnMount = true), []],
    ],
    cells: {
      AttachRequired: true,
      PodInfoOnMount: false,
      StorageCapacity: false,
      TokenRequests: 'vault,b',
      RequiresRepublish: false,
      Modes: 'Persistent',
    },
  },
  {
    path: `${STORAGE}/csinodes`,
    good: {
      spec: { drivers: [{ name: 'a.example.com', nodeID: 'n-1', topologyKeys: ['zone'], allocatable: { count: 7 } }] },
    },
    invalid: [
      [
        'one twice, nowhere, for fewer than none',
        body =>
          body.spec.drivers.push({
            name: 'a.example.com',
            nodeID: 'n'.repeat(193),
            topologyKeys: ['z', 'z'],
            allocatable: { count: -1 },
          }),
        [
          'spec.drivers[1].name: Duplicate value: "a.example.com"',
          `spec.drivers[1].nodeID: Invalid value: "${'n'.repeat(193)}": must be 192 characters or less`,
          'spec.drivers[1].allocatable.count: Invalid value: -1: must be greater than or equal to 0',
          'spec.drivers[1].topologyKeys: Duplicate value: "z"',
        ],
      ],
    ],
    immutable: [
      ['more volumes', body => (body.spec.drivers[0].allocatable.count = 8), []],
      [
        'another place',
        body => (body.spec.drivers[0].nodeID = 'n-2'),
        [
          'CSINodeDriver: Invalid value: {"name":"a.example.com","nodeID":"n-2","topologyKeys":["zone"],"allocatable":{"count":8}}: field is immutable',
        ],
      ],
      ['one more', body => void body.spec.drivers.push({ name: 'b', nodeID: 'n' }), []],
    ],
    cells: { Drivers: 1 },
  },
  {
    path: `${STORAGE}/volumeattachments`,
    good: { spec: { attacher: 'disk.example.com', nodeName: 'n', source: { persistentVolumeName: 'v' } } },
    defaults: { status: { attached: false } },
    invalid: [
      [
        'no volume',
        body => (body.spec.source = {}),
        ['spec.source: Required value: must specify one of inlineVolumeSpec and persistentVolumeName'],
      ],
      [
        'two volumes',
        body => (body.spec.source.inlineVolumeSpec = {}),
        ['spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName'],
      ],
      [
        'a volume within that is none of a driver',
        body =>
          (body.spec.source = {
            inlineVolumeSpec: {
              capacity: { storage: '1' },
              accessModes: ['ReadWriteOnce'],
              nfs: { server: 's', path: '/' },
            },
          }),
        [
          `${FOR_INLINE}.capacity: Forbidden: may not be specified in the context of inline volumes`,
          `${FOR_INLINE}.csi: Required value: has to be specified in the context of inline volumes`,
        ],
      ],
      [
        'nobody and nowhere',
        body => Object.assign(body.spec, { attacher: '', nodeName: '' }),
        ['spec.attacher: Required value', 'spec.nodeName: Required value'],
      ],
    ],
    immutable: [
      [
        'another node',
        body => (body.spec.nodeName = 'm'),
        [
          'spec: Invalid value: {"attacher":"disk.example.com","source":{"persistentVolumeName":"v"},"nodeName":"m"}: field is immutable',
        ],
      ],
    ],
    status: { attached: true },
    cells: { Attacher: 'disk.example.com', PV: 'v', Node: 'n', Attached: true },
  },
  {
    path: `${STORAGE}/namespaces/default/csistoragecapacities`,
    good: { storageClassName: 'fast', capacity: '10Gi', nodeTopology: { matchLabels: { zone: 'a' } } },
    invalid: [
      [
        'less than none',
        body => (body.capacity = '-1'),
        ['capacity: Invalid value: "-1": must be greater than or equal to 0'],
      ],
      ['of no class', body => delete body.storageClassName, ['storageClassName: Required value']],
    ],
    immutable: [
      ['less', body => (body.capacity = '9Gi'), []],
      [
        'of another class',
        body => (body.storageClassName = 'slow'),
        ['storageClassName: Invalid value: "slow": field is immutable'],
      ],
    ],
    cells: {},
    masked: ['Created At'],
  },
  {
    path: `${STORAGE}/volumeattributesclasses`,
    good: { driverName: 'disk.example.com', parameters: { iops: '3000' } },
    invalid: [
      [
        'nothing said',
        body => (body.parameters = {}),
        ['parameters: Required value: must contain at least one key/value pair'],
      ],
      ['nobody', body => delete body.driverName, ['driverName: Required value']],
    ],
    immutable: [
      [
        'faster',
        body => (body.parameters = { iops: '1' }),
        ['parameters: Invalid value: {"iops":"1"}: field is immutable'],
      ],
    ],
    cells: { DriverName: 'disk.example.com' },
  },
])
