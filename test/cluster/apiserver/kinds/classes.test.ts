/** node.k8s.io/v1, storage.k8s.io/v1 (classes) and the ReplicationController through the HTTP door. */
import anyTest, { type TestFn } from 'ava'
import { startApiserver } from '../../../support/apiserver.ts'
import { kindDoor } from '../../../support/kind-door.ts'

const test = anyTest as TestFn
const CONTROLLERS = '/api/v1/namespaces/default/replicationcontrollers'

const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i:1' }] } }

kindDoor(test, [
  {
    path: '/apis/node.k8s.io/v1/runtimeclasses',
    good: { handler: 'runsc', overhead: { podFixed: { cpu: '100m' } } },
    defaults: { handler: 'runsc' },
    invalid: [
      [
        'less than nothing besides',
        body => (body.overhead.podFixed.cpu = '-1'),
        ['overhead.podFixed[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
      ],
    ],
    immutable: [
      ['another handler', body => (body.handler = 'kata'), ['handler: Invalid value: "kata": field is immutable']],
    ],
    cells: { Handler: 'runsc' },
  },
  {
    path: '/apis/storage.k8s.io/v1/storageclasses',
    good: {
      metadata: { name: 'fast', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
      provisioner: 'example.com/disk',
      parameters: { type: 'ssd' },
    },
    defaults: { reclaimPolicy: 'Delete', volumeBindingMode: 'Immediate' },
    invalid: [
      ['nobody to make it', body => delete body.provisioner, ['provisioner: Required value']],
      [
        'storage that goes round',
        body => (body.reclaimPolicy = 'Recycle'),
        ['reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"'],
      ],
    ],
    immutable: [
      [
        'all that storage was made by',
        body => Object.assign(body, { parameters: {}, provisioner: 'a/b', volumeBindingMode: 'WaitForFirstConsumer' }),
        [
          'parameters: Forbidden: updates to parameters are forbidden.',
          'provisioner: Forbidden: updates to provisioner are forbidden.',
          'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
        ],
      ],
      ['it may grow', body => (body.allowVolumeExpansion = true), []],
    ],
    cells: {
      Name: 'fast (default)',
      Provisioner: 'example.com/disk',
      ReclaimPolicy: 'Delete',
      VolumeBindingMode: 'Immediate',
      AllowVolumeExpansion: false,
    },
  },
  {
    path: CONTROLLERS,
    good: { spec: { template } },
    defaults: {
      metadata: { generation: 1, labels: { app: 'a' } },
      spec: { replicas: 1, selector: { app: 'a' } },
      status: { replicas: 0 },
    },
    invalid: [
      ['no template', body => (body.spec = { selector: { app: 'a' } }), ['spec.template: Required value']],
      [
        'labels that the selector does not choose',
        body => (body.spec.selector = { app: 'b' }),
        ['spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`'],
      ],
    ],
    immutable: [['more pods', body => (body.spec.replicas = 2), []]],
    status: { replicas: 1, readyReplicas: 1 },
    cells: { Desired: 1, Current: 1, Ready: 1, Containers: 'c', Images: 'i:1', Selector: 'app=a' },
  },
])

test('the scale of a ReplicationController has its selector of plain labels', async t => {
  const server = await startApiserver(t)
  await server.fetch(CONTROLLERS, { method: 'POST', body: { metadata: { name: 'web' }, spec: { template } } })
  const { json } = await server.fetch(`${CONTROLLERS}/web/scale`)
  t.deepEqual([json.spec, json.status], [{ replicas: 1 }, { replicas: 0, selector: 'app=a' }])
})
