/** apps/v1 through the HTTP door, and its scale. */
import anyTest, { type TestFn } from 'ava'
import { startApiserver } from '../../../support/apiserver.ts'
import { type KindCase, kindDoor } from '../../../support/kind-door.ts'

const test = anyTest as TestFn
const APPS = '/apis/apps/v1/namespaces/default'

const template = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'i:1' }] } }
const selector = { matchLabels: { app: 'a' } }
const workload = { spec: { selector, template } }

const onSelector: NonNullable<KindCase['invalid']> = [
  [
    'no selector',
    body => delete body.spec.selector,
    [
      'spec.selector: Required value',
      'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
    ],
  ],
  [
    'labels that the selector does not choose',
    body => (body.spec.template.metadata.labels = { app: 'b' }),
    ['spec.template.metadata.labels: Invalid value: {"app":"b"}: `selector` does not match template `labels`'],
  ],
  [
    'pods that end',
    body => (body.spec.template.spec.restartPolicy = 'Never'),
    ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"'],
  ],
]

const onTemplate: NonNullable<KindCase['invalid']> = [
  [
    'a container without image',
    body => (body.spec.template.spec.containers = [{ name: 'c' }]),
    ['spec.template.spec.containers[0].image: Required value'],
  ],
  [
    'a template without containers',
    body => (body.spec.template.spec = {}),
    ['spec.template.spec.containers: Required value'],
  ],
]

const movedSelector = (said = 'field is immutable'): NonNullable<KindCase['immutable']> => [
  [
    'another selector',
    body => {
      body.spec.selector = { matchLabels: { app: 'b' } }
      body.spec.template.metadata.labels = { app: 'b' }
    },
    [`spec.selector: Invalid value: {"matchLabels":{"app":"b"}}: ${said}`],
  ],
]

const shown = { Containers: 'c', Images: 'i:1' }

kindDoor(test, [
  {
    path: `${APPS}/deployments`,
    good: workload,
    defaults: {
      metadata: { generation: 1 },
      spec: {
        replicas: 1,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        template: {
          spec: {
            restartPolicy: 'Always',
            dnsPolicy: 'ClusterFirst',
            schedulerName: 'default-scheduler',
            containers: [{ imagePullPolicy: 'IfNotPresent', terminationMessagePolicy: 'File' }],
          },
        },
      },
      status: {},
    },
    invalid: [
      ...onSelector,
      ...onTemplate,
      [
        'an empty selector',
        body => (body.spec.selector = {}),
        ['spec.selector: Invalid value: {}: empty selector is invalid for deployment'],
      ],
      [
        'less than none',
        body => (body.spec.replicas = -1),
        ['spec.replicas: Invalid value: -1: must be greater than or equal to 0'],
      ],
      [
        'a change that can never begin',
        body => (body.spec.strategy = { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } }),
        ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0'],
      ],
      [
        'more than all away',
        body => (body.spec.strategy = { rollingUpdate: { maxUnavailable: '101%' } }),
        ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%'],
      ],
      [
        'rolling what is recreated',
        body => (body.spec.strategy = { type: 'Recreate', rollingUpdate: {} }),
        ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"],
      ],
      [
        'a strategy of no name',
        body => (body.spec.strategy = { type: 'Slowly' }),
        ['spec.strategy.type: Unsupported value: "Slowly": supported values: "Recreate", "RollingUpdate"'],
      ],
      [
        'a deadline before pods can be available',
        body => Object.assign(body.spec, { minReadySeconds: 600 }),
        ['spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds'],
      ],
      [
        'a choice among nothing',
        body => (body.spec.selector = { matchExpressions: [{ key: 'app', operator: 'NotIn' }] }),
        [
          "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
        ],
      ],
    ],
    immutable: [...movedSelector(), ['more pods', body => (body.spec.replicas = 5), []]],
    status: { replicas: 3, updatedReplicas: 2, readyReplicas: 1, availableReplicas: 1, observedGeneration: 1 },
    cells: { Ready: '1/1', 'Up-to-date': 2, Available: 1, ...shown, Selector: 'app=a' },
  },
  {
    path: `${APPS}/replicasets`,
    good: { spec: { ...workload.spec, replicas: 2 } },
    defaults: { metadata: { generation: 1 }, status: { replicas: 0 } },
    invalid: [...onSelector, ...onTemplate],
    immutable: movedSelector(),
    status: { replicas: 2, readyReplicas: 1, fullyLabeledReplicas: 2 },
    cells: { Desired: 2, Current: 2, Ready: 1, ...shown, Selector: 'app=a' },
  },
  {
    path: `${APPS}/daemonsets`,
    good: { spec: { selector, template: { ...template, spec: { ...template.spec, nodeSelector: { disk: 'ssd' } } } } },
    defaults: {
      spec: {
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
        revisionHistoryLimit: 10,
      },
    },
    invalid: [
      ...onSelector,
      ...onTemplate,
      [
        'more and fewer at once',
        body => (body.spec.updateStrategy = { rollingUpdate: { maxSurge: 1 } }),
        [
          'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero',
        ],
      ],
    ],
    immutable: movedSelector(),
    status: { currentNumberScheduled: 2, numberMisscheduled: 0, desiredNumberScheduled: 3, numberReady: 1 },
    cells: {
      Desired: 3,
      Current: 2,
      Ready: 1,
      'Up-to-date': 0,
      Available: 0,
      'Node Selector': 'disk=ssd',
      ...shown,
      Selector: 'app=a',
    },
  },
  {
    path: `${APPS}/statefulsets`,
    good: {
      spec: {
        ...workload.spec,
        serviceName: 's',
        volumeClaimTemplates: [
          {
            metadata: { name: 'd' },
            spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
          },
        ],
      },
    },
    defaults: {
      spec: {
        replicas: 1,
        podManagementPolicy: 'OrderedReady',
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0, maxUnavailable: 1 } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
        volumeClaimTemplates: [
          {
            kind: 'PersistentVolumeClaim',
            apiVersion: 'v1',
            spec: { volumeMode: 'Filesystem' },
            status: { phase: 'Pending' },
          },
        ],
      },
    },
    invalid: [
      ...onSelector,
      [
        'a strategy with what belongs to another',
        body => (body.spec.updateStrategy = { type: 'OnDelete', rollingUpdate: { partition: 1 } }),
        [
          'spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: only allowed for updateStrategy \'RollingUpdate\'',
        ],
      ],
    ],
    immutable: [
      [
        'another service',
        body => (body.spec.serviceName = 't'),
        [
          "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ],
      ],
      ['another image', body => (body.spec.template.spec.containers[0].image = 'i:2'), []],
    ],
    status: { replicas: 1, readyReplicas: 1, availableReplicas: 1 },
    cells: { Ready: '1/1', ...shown },
  },
  {
    path: `${APPS}/controllerrevisions`,
    good: {
      metadata: {
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'u', controller: true }],
      },
      data: { any: ['thing'] },
      revision: 3,
    },
    invalid: [
      ['no data', body => delete body.data, ['data: Required value: data is mandatory']],
      [
        'a revision before all',
        body => (body.revision = -1),
        ['revision: Invalid value: -1: must be greater than or equal to 0'],
      ],
    ],
    immutable: [
      ['other data', body => (body.data = { a: 1 }), ['data: Invalid value: {"a":1}: field is immutable']],
      ['another revision', body => (body.revision = 4), []],
    ],
    cells: { Controller: 'daemonset.apps/d', Revision: 3 },
  },
])

test('a Deployment counts generations by its spec and its annotations', async t => {
  const server = await startApiserver(t)
  const path = `${APPS}/deployments/web`
  await server.fetch(`${APPS}/deployments`, { method: 'POST', body: { metadata: { name: 'web' }, ...workload } })
  const headers = { 'content-type': 'application/merge-patch+json' }
  const patch = async (body: object) => (await server.fetch(path, { method: 'PATCH', body, headers })).json.metadata
  t.is((await patch({ metadata: { labels: { a: 'b' } } })).generation, 1)
  t.is((await patch({ metadata: { annotations: { a: 'b' } } })).generation, 2)
  t.is((await patch({ spec: { paused: true }, metadata: { annotations: { a: 'c' } } })).generation, 3)
  t.is((await patch({ spec: { paused: true } })).generation, 3)
})

test('scale reads and writes the replicas, whatever they belong to', async t => {
  const server = await startApiserver(t)
  for (const resource of ['deployments', 'replicasets', 'statefulsets']) {
    const body = { metadata: { name: 'web' }, spec: { ...workload.spec, replicas: 2 } }
    const { json: made } = await server.fetch(`${APPS}/${resource}`, { method: 'POST', body })
    const path = `${APPS}/${resource}/web`
    const { name, namespace, uid, resourceVersion, creationTimestamp } = made.metadata
    const scale = await server.fetch(`${path}/scale`)
    t.deepEqual(scale.json, {
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
      spec: { replicas: 2 },
      status: { replicas: 0, selector: 'app=a' },
    })
    const put = await server.fetch(`${path}/scale`, { method: 'PUT', body: { ...scale.json, spec: { replicas: 4 } } })
    t.is(put.code, 200, put.text)
    t.is(put.json.spec.replicas, 4)
    const stale = await server.fetch(`${path}/scale`, { method: 'PUT', body: scale.json })
    t.is(stale.code, 409)
    const headers = { 'content-type': 'application/merge-patch+json' }
    const patch = await server.fetch(`${path}/scale`, { method: 'PATCH', body: { spec: { replicas: 0 } }, headers })
    t.deepEqual(patch.json.spec, {})
    const { json: now } = await server.fetch(path)
    t.is(now.spec.replicas, 0)
    t.is(now.metadata.generation, 3)
    t.deepEqual(now.spec.template, made.spec.template)
    const bad = await server.fetch(`${path}/scale`, { method: 'PATCH', body: { spec: { replicas: -1 } }, headers })
    t.is(
      bad.json.message,
      'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    )
    t.is((await server.fetch(`${path}/scale`, { method: 'DELETE' })).code, 405)
    t.is((await server.fetch(`${APPS}/${resource}/none/scale`)).code, 404)
  }
  t.is((await server.fetch(`${APPS}/daemonsets/web/scale`)).code, 404)
})
