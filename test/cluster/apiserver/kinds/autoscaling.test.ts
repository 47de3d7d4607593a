/** HorizontalPodAutoscaler through the HTTP door: autoscaling/v2, and autoscaling/v1 over the same objects. */
import anyTest, { type TestFn } from 'ava'
import { startApiserver } from '../../../support/apiserver.ts'
import { kindDoor } from '../../../support/kind-door.ts'

const test = anyTest as TestFn
const V1 = '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers'
const V2 = '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers'

const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }
const memory = { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } } }
const queue = {
  type: 'External',
  external: {
    metric: { name: 'queue', selector: { matchLabels: { q: 'a' } } },
    target: { type: 'Value', value: '30' },
  },
}
const requests = {
  type: 'Object',
  object: {
    describedObject: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'outer' },
    metric: { name: 'requests' },
    target: { type: 'AverageValue', averageValue: '10' },
  },
}
const perPod = { type: 'Pods', pods: { metric: { name: 'load' }, target: { type: 'AverageValue', averageValue: '2' } } }
const sidecar = {
  type: 'ContainerResource',
  containerResource: { name: 'cpu', container: 'proxy', target: { type: 'Utilization', averageUtilization: 50 } },
}
const cpu = (averageUtilization: number) => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
})

kindDoor(test, [
  {
    path: V2,
    good: {
      metadata: { name: 'two' },
      spec: { scaleTargetRef, maxReplicas: 5, behavior: { scaleDown: { selectPolicy: 'Min' } } },
    },
    defaults: {
      spec: {
        minReplicas: 1,
        metrics: [cpu(80)],
        behavior: {
          scaleUp: {
            stabilizationWindowSeconds: 0,
            selectPolicy: 'Max',
            policies: [
              { type: 'Pods', value: 4, periodSeconds: 15 },
              { type: 'Percent', value: 100, periodSeconds: 15 },
            ],
          },
          scaleDown: { selectPolicy: 'Min', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] },
        },
      },
      status: { desiredReplicas: 0 },
    },
    invalid: [
      [
        'fewer than fewest',
        body => Object.assign(body.spec, { minReplicas: 3, maxReplicas: 2 }),
        ['spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`'],
      ],
      [
        'none at all of nothing',
        body => Object.assign(body.spec, { minReplicas: 0, maxReplicas: 0, scaleTargetRef: {} }),
        [
          'spec.minReplicas: Invalid value: 0: must be greater than or equal to 1',
          'spec.maxReplicas: Invalid value: 0: must be greater than 0',
          'spec.scaleTargetRef.kind: Required value',
          'spec.scaleTargetRef.name: Required value',
          'spec.scaleTargetRef.apiVersion: Invalid value: "": apiVersion must specify API group',
        ],
      ],
      [
        'metrics that are none',
        body =>
          (body.spec.metrics = [
            { type: 'Guess' },
            { type: 'Pods' },
            { ...cpu(0), external: queue.external },
            {
              type: 'Resource',
              resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 1, averageValue: '1' } },
            },
            { type: 'External', external: { metric: { name: 'q' }, target: { type: 'Value' } } },
            { type: 'Pods', pods: { metric: { name: 'a/b' }, target: { type: 'AverageValue', averageValue: '-1' } } },
          ]),
        [
          'spec.metrics[0].type: Unsupported value: "Guess": supported values: "ContainerResource", "External", "Object", "Pods", "Resource"',
          'spec.metrics[1].pods: Required value: must populate information for the given metric source',
          'spec.metrics[2].resource.target.averageUtilization: Invalid value: 0: must be greater than 0',
          'spec.metrics[2].external: Forbidden: must populate the given metric source only',
          'spec.metrics[3].resource.target.averageValue: Forbidden: may not set both a target raw value and a target utilization',
          'spec.metrics[4].external.target.averageValue: Required value: must set either a target value for metric or a per-pod target',
          'spec.metrics[5].pods.metric.name: Invalid value: "a/b": may not contain \'/\'',
          'spec.metrics[5].pods.target.averageValue: Invalid value: "-1": must be positive',
          'spec.metrics[5].pods.target.averageValue: Required value: must specify a positive target averageValue',
        ],
      ],
      [
        'rules that are none',
        body =>
          (body.spec.behavior.scaleUp = {
            stabilizationWindowSeconds: 3601,
            selectPolicy: 'Any',
            policies: [{ type: 'Pods', value: 0, periodSeconds: 1801 }],
          }),
        [
          'spec.behavior.scaleUp.stabilizationWindowSeconds: Invalid value: 3601: must be less than or equal to 3600',
          'spec.behavior.scaleUp.selectPolicy: Unsupported value: "Any": supported values: "Disabled", "Max", "Min"',
          'spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero',
          'spec.behavior.scaleUp.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800',
        ],
      ],
    ],
    immutable: [['all that is measured', body => (body.spec.metrics = [cpu(50), memory, queue, requests]), []]],
    status: {
      currentReplicas: 2,
      desiredReplicas: 3,
      currentMetrics: [
        { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 91, averageValue: '910m' } } },
      ],
    },
    cells: { Reference: 'Deployment/web', Targets: 'cpu: 91%/80%', MinPods: '1', MaxPods: 5, Replicas: 2 },
  },
  {
    path: V1,
    good: { metadata: { name: 'one' }, spec: { scaleTargetRef, maxReplicas: 5 } },
    defaults: {
      apiVersion: 'autoscaling/v1',
      spec: { minReplicas: 1, targetCPUUtilizationPercentage: 80 },
      status: { currentReplicas: 0, desiredReplicas: 0 },
    },
    invalid: [
      [
        'nothing to do',
        body => (body.spec.targetCPUUtilizationPercentage = 0),
        ['spec.metrics[0].resource.target.averageUtilization: Invalid value: 0: must be greater than 0'],
      ],
    ],
    immutable: [['more', body => (body.spec.maxReplicas = 6), []]],
    status: { currentReplicas: 4, desiredReplicas: 5, currentCPUUtilizationPercentage: 12 },
    cells: { Reference: 'Deployment/web', Targets: 'cpu: 12%/80%', MinPods: '1', MaxPods: 5, Replicas: 4 },
  },
])

test('what v1 has no field for it carries in annotations, and gives back whole', async t => {
  const server = await startApiserver(t)
  const spec = {
    scaleTargetRef,
    minReplicas: 2,
    maxReplicas: 9,
    metrics: [memory, queue, requests, perPod, sidecar, cpu(70)],
    behavior: {
      scaleUp: { stabilizationWindowSeconds: 5, policies: [{ type: 'Percent', value: 10, periodSeconds: 30 }] },
    },
  }
  const body = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'h', annotations: { mine: '1' } },
    spec,
  }
  const created = await server.fetch(V2, { method: 'POST', body })
  t.is(created.code, 201, created.text)
  const condition = {
    type: 'AbleToScale',
    status: 'True',
    lastTransitionTime: '2031-01-01T00:00:00Z',
    reason: 'r',
    message: 'm',
  }
  const status = {
    currentReplicas: 2,
    desiredReplicas: 3,
    conditions: [condition],
    currentMetrics: [
      { type: 'External', external: { metric: { name: 'queue' }, current: { value: '7' } } },
      { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 60, averageValue: '600m' } } },
    ],
  }
  const told = await server.fetch(`${V2}/h/status`, { method: 'PUT', body: { ...created.json, status } })
  t.is(told.code, 200, told.text)

  const old = await server.fetch(`${V1}/h`)
  t.is(old.json.apiVersion, 'autoscaling/v1')
  t.deepEqual(old.json.spec, { maxReplicas: 9, minReplicas: 2, scaleTargetRef, targetCPUUtilizationPercentage: 70 })
  t.deepEqual(old.json.status, { currentReplicas: 2, desiredReplicas: 3, currentCPUUtilizationPercentage: 60 })
  const { annotations } = old.json.metadata
  const carried = (name: string) => JSON.parse(annotations[`autoscaling.alpha.kubernetes.io/${name}`])
  t.deepEqual(carried('metrics').slice(0, 3), [
    { type: 'Resource', resource: { name: 'memory', targetAverageValue: '1Gi' } },
    {
      type: 'External',
      external: { metricName: 'queue', metricSelector: { matchLabels: { q: 'a' } }, targetValue: '30' },
    },
    {
      type: 'Object',
      object: { target: requests.object.describedObject, metricName: 'requests', targetValue: '0', averageValue: '10' },
    },
  ])
  t.like(carried('behavior'), { ScaleUp: { StabilizationWindowSeconds: 5, Policies: [{ Type: 'Percent' }] } })

  const back = await server.fetch(`${V1}/h`, {
    method: 'PUT',
    body: { ...old.json, spec: { ...old.json.spec, maxReplicas: 10 } },
  })
  t.is(back.code, 200, back.text)
  const now = await server.fetch(`${V2}/h`)
  t.deepEqual(now.json.spec, { ...told.json.spec, maxReplicas: 10 })
  t.deepEqual(now.json.status, told.json.status)
  t.deepEqual(now.json.metadata.annotations, { mine: '1' })
  t.is(now.json.metadata.uid, created.json.metadata.uid)
  const table = await server.fetch(`${V2}/h`, { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } })
  t.is(table.json.rows[0].cells[2], 'memory: <unknown>/1Gi, <unknown>/30 + 4 more...')
})

test('annotations that cannot be read say nothing', async t => {
  const server = await startApiserver(t)
  const annotations = {
    'autoscaling.alpha.kubernetes.io/metrics': '{',
    'autoscaling.alpha.kubernetes.io/behavior': '[7]',
    'autoscaling.alpha.kubernetes.io/conditions': 'null',
    'autoscaling.alpha.kubernetes.io/current-metrics': '[null, {"type": "__proto__"}, {"type": "Pods", "pods": 7}]',
  }
  const body = {
    metadata: { name: 'h', annotations },
    spec: { scaleTargetRef, maxReplicas: 2, targetCPUUtilizationPercentage: 30 },
  }
  const created = await server.fetch(V1, { method: 'POST', body })
  t.is(created.code, 201, created.text)
  t.like((await server.fetch(`${V2}/h`)).json, { spec: { metrics: [cpu(30)] }, metadata: { annotations: undefined } })
})

test('a group is one whatever its versions: the newer is preferred', async t => {
  const server = await startApiserver(t)
  const versions = [
    { groupVersion: 'autoscaling/v2', version: 'v2' },
    { groupVersion: 'autoscaling/v1', version: 'v1' },
  ]
  const group = await server.fetch('/apis/autoscaling')
  t.deepEqual(group.json, {
    kind: 'APIGroup',
    apiVersion: 'v1',
    name: 'autoscaling',
    versions,
    preferredVersion: versions[0],
  })
  const { groups } = (await server.fetch('/apis')).json as { groups: { name: string }[] }
  t.deepEqual(
    groups.filter(({ name }) => name === 'autoscaling'),
    [{ name: 'autoscaling', versions, preferredVersion: versions[0] }] as never,
  )
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  const { items } = (await server.fetch('/apis', { headers: { accept } })).json
  const item = items.find(({ metadata }: { metadata: { name: string } }) => metadata.name === 'autoscaling')
  t.deepEqual(
    item.versions.map(({ version }: { version: string }) => version),
    ['v2', 'v1'],
  )
  const hashes = await Promise.all(
    ['v1', 'v2'].map(
      async version => (await server.fetch(`/apis/autoscaling/${version}`)).json.resources[0].storageVersionHash,
    ),
  )
  t.is(hashes[0], hashes[1], 'they move together')
})

test('one that nothing has measured yet is shown, and read by either version', async t => {
  const { fetch } = await startApiserver(t)
  const path = (version: string) => `/apis/autoscaling/${version}/namespaces/default/horizontalpodautoscalers`
  const spec = { maxReplicas: 5, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } }
  const made = await fetch(path('v2'), { method: 'POST', body: { metadata: { name: 'web' }, spec } })
  t.is(made.json.status.currentMetrics, null, 'as Kubernetes prints it')
  const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
  for (const version of ['v1', 'v2']) {
    const { code, json, text } = await fetch(path(version), { headers })
    t.is(code, 200, text)
    t.deepEqual(json.rows[0].cells.slice(0, 4), ['web', 'Deployment/web', 'cpu: <unknown>/80%', '1'])
  }
  t.is((await fetch(`${path('v1')}/web`)).json.spec.targetCPUUtilizationPercentage, 80)
})
