import test from 'ava'
import { podKind } from '#cluster/api/kinds/pod.ts'
import { canonical, prepared } from '../../../support/api-objects.ts'
import { one, pod, type Spec } from '../../../support/pod-bodies.ts'

test('a pod with one container gets Kubernetes’s defaults', t => {
  t.deepEqual(canonical(podKind, pod({ containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }] }] })), {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'p', namespace: 'n' },
    spec: {
      containers: [
        {
          name: 'c',
          image: 'i',
          ports: [{ containerPort: 80, protocol: 'TCP' }],
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          imagePullPolicy: 'Always',
        },
      ],
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
    },
    status: { phase: 'Pending', qosClass: 'BestEffort' },
  })
})

const container = (body: object): Spec => (prepared(podKind, body).spec as { containers: Spec[] }).containers[0] ?? {}

const pulls: readonly [string, string][] = [
  ['i', 'Always'],
  ['i:latest', 'Always'],
  ['i:1', 'IfNotPresent'],
  ['registry.example:5000/i', 'Always'],
  ['registry.example:5000/i:2', 'IfNotPresent'],
  [`i@sha256:${'0'.repeat(64)}`, 'IfNotPresent'],
]
for (const [image, policy] of pulls) {
  test(`image ${image} is pulled ${policy}`, t => t.is(container(one({ image })).imagePullPolicy, policy))
}

test('probes, handlers and references have defaults', t => {
  t.like(
    container(
      one({
        livenessProbe: { httpGet: { port: 80 } },
        env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
      }),
    ),
    {
      livenessProbe: {
        httpGet: { path: '/', port: 80, scheme: 'HTTP' },
        timeoutSeconds: 1,
        periodSeconds: 10,
        successThreshold: 1,
        failureThreshold: 3,
      },
      env: [{ name: 'A', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } } }],
    },
  )
})

test('a limit without a request is the request', t => {
  t.deepEqual(
    container(one({ resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '0.5' } } })).resources,
    {
      limits: { cpu: '1', memory: '1Gi' },
      requests: { cpu: '500m', memory: '1Gi' },
    },
  )
})

test('volumes have defaults', t => {
  const { spec } = prepared(
    podKind,
    one(
      {},
      {
        volumes: [
          { name: 'a' },
          { name: 'b', secret: { secretName: 's' } },
          { name: 'c', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
          { name: 'd', hostPath: { path: '/x' } },
        ],
      },
    ),
  )
  t.deepEqual((spec as Spec).volumes, [
    { name: 'a', emptyDir: {} },
    { name: 'b', secret: { secretName: 's', defaultMode: 420 } },
    {
      name: 'c',
      projected: { sources: [{ serviceAccountToken: { expirationSeconds: 3600, path: 't' } }], defaultMode: 420 },
    },
    { name: 'd', hostPath: { path: '/x', type: '' } },
  ])
})

test('on the host’s network container ports are host ports', t => {
  t.deepEqual(container(one({ ports: [{ containerPort: 80 }] }, { hostNetwork: true })).ports, [
    { containerPort: 80, hostPort: 80, protocol: 'TCP' },
  ])
})

test('the account stands under both names', t => {
  t.like(prepared(podKind, one({}, { serviceAccount: 'me' })).spec, { serviceAccountName: 'me', serviceAccount: 'me' })
})

const classes: readonly [object, string][] = [
  [{}, 'BestEffort'],
  [{ requests: { cpu: '1' } }, 'Burstable'],
  [{ limits: { cpu: '1', memory: '1Gi' } }, 'Guaranteed'],
  [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } }, 'Burstable'],
  [{ limits: { 'example.com/gpu': '1' } }, 'BestEffort'],
]
for (const [resources, expected] of classes) {
  test(`class of ${JSON.stringify(resources)}`, t =>
    t.like(prepared(podKind, one({ resources })).status, { qosClass: expected }))
}

test('a gate is told in the status', t => {
  t.like(prepared(podKind, one({}, { schedulingGates: [{ name: 'example.com/wait' }] })).status, {
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }],
  })
})

test('grace', t => {
  const grace = (spec: Spec, status: object, requested?: number) => {
    const object = prepared(podKind, one({}, spec))
    object.status = status
    return podKind.gracePeriodSeconds?.(object, requested)
  }
  t.is(grace({ nodeName: 'n' }, { phase: 'Running' }), 30)
  t.is(grace({ nodeName: 'n', terminationGracePeriodSeconds: 5 }, { phase: 'Running' }), 5)
  t.is(grace({ nodeName: 'n' }, { phase: 'Running' }, 2), 2)
  t.is(grace({ nodeName: 'n' }, { phase: 'Running' }, 0), 0)
  t.is(grace({}, { phase: 'Pending' }), 0, 'no kubelet has it')
  t.is(grace({ nodeName: 'n' }, { phase: 'Succeeded' }), 0)
})

test('the older name of the address is kept true, and counts where both are given', t => {
  const aligned = (status: object) => {
    const object = prepared(podKind, one())
    object.status = status
    podKind.applyDefaults?.(object)
    return object.status
  }
  const both = (ip: string, ...more: string[]) => ({ podIP: ip, podIPs: [ip, ...more].map(each => ({ ip: each })) })
  t.deepEqual(aligned({ podIP: '10.244.0.7' }), both('10.244.0.7'))
  t.deepEqual(aligned({ podIPs: [{ ip: '10.244.0.7' }, { ip: 'fd00::7' }] }), both('10.244.0.7', 'fd00::7'))
  t.deepEqual(aligned({ podIP: '10.244.0.8', podIPs: [{ ip: '10.244.0.7' }] }), both('10.244.0.8'))
  t.deepEqual(aligned({}), {})
})
