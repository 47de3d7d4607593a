/** PersistentVolumes and claims through the HTTP door. */
import anyTest, { type TestFn } from 'ava'
import { startApiserver } from '../../../support/apiserver.ts'
import { kindDoor } from '../../../support/kind-door.ts'

const test = anyTest as TestFn
const VOLUMES = '/api/v1/persistentvolumes'
const CLAIMS = '/api/v1/namespaces/default/persistentvolumeclaims'
const FIXED =
  'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'

const claim = {
  spec: {
    accessModes: ['ReadWriteOnce', 'ReadOnlyMany'],
    storageClassName: 'fast',
    resources: { requests: { storage: '5Gi' } },
  },
}

kindDoor(test, [
  {
    path: VOLUMES,
    good: {
      spec: {
        capacity: { storage: '10Gi' },
        accessModes: ['ReadWriteMany', 'ReadWriteOnce'],
        storageClassName: 'fast',
        claimRef: { namespace: 'default', name: 'c' },
        hostPath: { path: '/data' },
      },
    },
    defaults: {
      spec: { persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem', hostPath: { type: '' } },
      status: { phase: 'Pending' },
    },
    invalid: [
      [
        'nothing that it needs',
        body => (body.spec = {}),
        [
          'spec.accessModes: Required value',
          'spec.capacity: Required value',
          'spec.capacity: Unsupported value: null: supported values: "storage"',
          'spec: Required value: must specify a volume type',
        ],
      ],
      [
        'no room',
        body => (body.spec.capacity.storage = '0'),
        ['spec.capacity[storage]: Invalid value: "0": must be greater than zero'],
      ],
      [
        'in two places',
        body => (body.spec.nfs = { server: 's', path: 'relative' }),
        [
          'spec.nfs: Forbidden: may not specify more than 1 volume type',
          'spec.nfs.path: Invalid value: "relative": must be an absolute path',
        ],
      ],
      [
        'a disk of no node',
        body => Object.assign(body.spec, { hostPath: undefined, local: { path: '/disk' } }),
        ['spec.nodeAffinity: Required value: Local volume requires node affinity'],
      ],
      [
        'modes that there are not, or not together',
        body => (body.spec.accessModes = ['ReadWriteOncePod', 'ReadWriteOnce', 'Sometimes']),
        [
          'spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes',
          'spec.accessModes[2]: Unsupported value: "Sometimes": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"',
        ],
      ],
      [
        'the whole machine, again and again',
        body => Object.assign(body.spec, { hostPath: { path: '/x/..' }, persistentVolumeReclaimPolicy: 'Recycle' }),
        [
          'spec.hostPath.path: Invalid value: "/x/..": must not contain \'..\'',
          "spec.persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'",
        ],
      ],
      [
        'affinity to nothing',
        body => (body.spec.nodeAffinity = { required: { nodeSelectorTerms: [] } }),
        ['spec.nodeAffinity.required.nodeSelectorTerms: Required value: must have at least one node selector term'],
      ],
    ],
    immutable: [
      [
        'another place',
        body => (body.spec.hostPath.path = '/other'),
        ['spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation'],
      ],
      [
        'blocks for files',
        body => (body.spec.volumeMode = 'Block'),
        ['volumeMode: Invalid value: "Block": field is immutable'],
      ],
      ['what becomes of it', body => (body.spec.persistentVolumeReclaimPolicy = 'Delete'), []],
    ],
    status: { phase: 'Bound', reason: 'Wanted' },
    cells: {
      Capacity: '10Gi',
      'Access Modes': 'RWO,RWX',
      'Reclaim Policy': 'Retain',
      Status: 'Bound',
      Claim: 'default/c',
      StorageClass: 'fast',
      VolumeAttributesClass: '<unset>',
      Reason: 'Wanted',
      VolumeMode: 'Filesystem',
    },
  },
  {
    path: CLAIMS,
    good: claim,
    defaults: { spec: { volumeMode: 'Filesystem' }, status: { phase: 'Pending' } },
    invalid: [
      [
        'nothing that it needs',
        body => (body.spec = {}),
        [
          'spec.accessModes: Required value: at least 1 access mode is required',
          'spec.resources[storage]: Required value',
        ],
      ],
      [
        'less than nothing',
        body => (body.spec.resources.requests.storage = '-1'),
        ['spec.resources[storage]: Invalid value: "-1": must be greater than zero'],
      ],
      [
        'data of two places, one of them none',
        body =>
          Object.assign(body.spec, {
            dataSource: { kind: 'Pod', name: 'p' },
            dataSourceRef: { kind: 'PersistentVolumeClaim', name: 'c' },
          }),
        [
          'spec.dataSource: Invalid value: "Pod": must be \'PersistentVolumeClaim\' when referencing the default apiGroup',
          'spec: Invalid value: {"kind":"Pod","name":"p"}: must match dataSourceRef',
        ],
      ],
    ],
    immutable: [
      ['other modes', body => (body.spec.accessModes = ['ReadWriteOnce']), [FIXED]],
      ['another class', body => (body.spec.storageClassName = 'slow'), [FIXED]],
      ['a volume', body => (body.spec.volumeName = 'v'), []],
      ['another volume', body => (body.spec.volumeName = 'w'), [FIXED]],
      [
        'less than it has',
        body => (body.spec.resources.requests.storage = '1Gi'),
        ['spec.resources.requests.storage: Forbidden: field can not be less than status.capacity'],
      ],
    ],
    status: { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '5Gi' } },
    cells: {
      Status: 'Bound',
      Volume: '',
      Capacity: '',
      'Access Modes': '',
      StorageClass: 'fast',
      VolumeAttributesClass: '<unset>',
      VolumeMode: 'Filesystem',
    },
  },
])

const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }

test('a claim shows what its volume has; a source of data has both its names; what goes is called so', async t => {
  const server = await startApiserver(t)
  const body = {
    metadata: {
      name: 'c',
      finalizers: ['example.com/hold'],
      annotations: { 'volume.beta.kubernetes.io/storage-class': 'old' },
    },
    spec: { ...claim.spec, volumeName: 'v', dataSource: { kind: 'PersistentVolumeClaim', name: 'from' } },
  }
  const created = await server.fetch(CLAIMS, { method: 'POST', body })
  t.is(created.code, 201, created.text)
  t.like(created.json.spec.dataSourceRef, { kind: 'PersistentVolumeClaim', name: 'from' })
  const status = { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '5Gi' } }
  t.is((await server.fetch(`${CLAIMS}/c/status`, { method: 'PUT', body: { ...created.json, status } })).code, 200)
  t.is((await server.fetch(`${CLAIMS}/c`, { method: 'DELETE' })).code, 200)
  const table = await server.fetch(`${CLAIMS}/c`, { headers: TABLE })
  t.deepEqual(table.json.rows[0].cells.slice(0, 7), ['c', 'Terminating', 'v', '5Gi', 'RWO', 'old', '<unset>'])
})

test('a volume knows since when it is in its phase', async t => {
  const server = await startApiserver(t)
  const body = {
    metadata: { name: 'v' },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], nfs: { server: 's', path: '/' } },
  }
  const created = await server.fetch(VOLUMES, { method: 'POST', body })
  t.is(created.json.status.lastPhaseTransitionTime, created.json.metadata.creationTimestamp)
  const put = (status: object) =>
    server.fetch(`${VOLUMES}/v/status`, {
      method: 'PATCH',
      body: { status },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
  await put({ lastPhaseTransitionTime: '2001-01-01T00:00:00Z' })
  const same = await put({ phase: 'Pending', message: 'm' })
  t.is(same.json.status.lastPhaseTransitionTime, '2001-01-01T00:00:00Z', 'no other phase, no other time')
  const bound = await put({ phase: 'Bound' })
  t.true(bound.json.status.lastPhaseTransitionTime > '2002', 'now')
})

test('labels and annotations go in by /status, but for those that the kind keeps', async t => {
  const server = await startApiserver(t)
  const patch = (path: string, body: unknown) =>
    server.fetch(path, { method: 'PATCH', body, headers: { 'content-type': 'application/merge-patch+json' } })
  const note = { metadata: { labels: { l: '1' }, annotations: { a: '1' } }, spec: { capacity: { storage: '9Gi' } } }
  const body = {
    metadata: { name: 'v' },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], nfs: { server: 's', path: '/' } },
  }
  await server.fetch(VOLUMES, { method: 'POST', body })
  const volume = await patch(`${VOLUMES}/v/status`, note)
  t.like(volume.json, {
    metadata: { labels: { l: '1' }, annotations: { a: '1' } },
    spec: { capacity: { storage: '1Gi' } },
  })

  const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const deployments = '/apis/apps/v1/namespaces/default/deployments'
  const spec = { selector: { matchLabels: { app: 'a' } }, template }
  await server.fetch(deployments, { method: 'POST', body: { metadata: { name: 'd', labels: { mine: '1' } }, spec } })
  const { metadata } = (await patch(`${deployments}/d/status`, { metadata: note.metadata })).json
  t.deepEqual(metadata.labels, { mine: '1' }, 'a Deployment keeps its labels')
  t.deepEqual(metadata.annotations, { a: '1' })

  const pods = '/api/v1/namespaces/default/pods'
  await server.fetch(pods, { method: 'POST', body: { metadata: { name: 'p' }, spec: template.spec } })
  const ownerReferences = [{ apiVersion: 'v1', kind: 'Node', name: 'n', uid: 'u' }]
  const pod = await patch(`${pods}/p/status`, { metadata: { ...note.metadata, ownerReferences } })
  t.like(pod.json.metadata, { labels: { l: '1' }, ownerReferences: undefined })
})
