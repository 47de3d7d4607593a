import test from 'ava'
import { podKind } from '#cluster/api/kinds/pod.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { validateUpdate } from '#cluster/api/validate.ts'
import { canonical, complaints, prepared, texts } from '../../../support/api-objects.ts'

type Spec = Record<string, unknown>

const pod = (spec: Spec) => ({ metadata: { name: 'p', namespace: 'n' }, spec })
const main = (rest: object = {}) => ({ name: 'c', image: 'i:1', ...rest })
const one = (rest: object = {}, spec: Spec = {}) => pod({ containers: [main(rest)], ...spec })

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

const PORT_RANGE = 'must be between 1 and 65535, inclusive'
const refusals: readonly [string, object, readonly string[]][] = [
  ['no containers', pod({}), ['spec.containers: Required value']],
  [
    'no name, no image',
    pod({ containers: [{}] }),
    ['spec.containers[0].name: Required value', 'spec.containers[0].image: Required value'],
  ],
  ['a name twice', pod({ containers: [main(), main()] }), ['spec.containers[1].name: Duplicate value: "c"']],
  [
    'an init container of the same name',
    pod({ containers: [main()], initContainers: [main()] }),
    ['spec.initContainers[0].name: Duplicate value: "c"'],
  ],
  [
    'spaces around an image',
    one({ image: ' i' }),
    ['spec.containers[0].image: Invalid value: " i": must not have leading or trailing whitespace'],
  ],
  [
    'a port out of range',
    one({ ports: [{ containerPort: 70000 }] }),
    [`spec.containers[0].ports[0].containerPort: Invalid value: 70000: ${PORT_RANGE}`],
  ],
  [
    'a port without number',
    one({ ports: [{ name: 'web' }] }),
    ['spec.containers[0].ports[0].containerPort: Required value'],
  ],
  [
    'a port name twice',
    one({
      ports: [
        { name: 'a', containerPort: 1 },
        { name: 'a', containerPort: 2 },
      ],
    }),
    ['spec.containers[0].ports[1].name: Duplicate value: "a"'],
  ],
  [
    'a port name too long',
    one({ ports: [{ name: 'abcdefghijklmnop', containerPort: 1 }] }),
    ['spec.containers[0].ports[0].name: Invalid value: "abcdefghijklmnop": must be no more than 15 characters'],
  ],
  [
    'a host port twice',
    one({
      ports: [
        { containerPort: 1, hostPort: 9 },
        { containerPort: 2, hostPort: 9 },
      ],
    }),
    ['spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//9"'],
  ],
  [
    'a mount of no volume',
    one({ volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
    ['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
  ],
  [
    'a path mounted twice',
    one(
      {
        volumeMounts: [
          { name: 'v', mountPath: '/v' },
          { name: 'v', mountPath: '/v' },
        ],
      },
      { volumes: [{ name: 'v' }] },
    ),
    ['spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/v": must be unique'],
  ],
  [
    'a volume of two kinds',
    one({}, { volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/' } }] }),
    ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
  ],
  [
    'a volume name twice',
    one({}, { volumes: [{ name: 'v' }, { name: 'v' }] }),
    ['spec.volumes[1].name: Duplicate value: "v"'],
  ],
  [
    'a mode that is none',
    one({}, { volumes: [{ name: 'v', secret: { secretName: 's', defaultMode: 512 } }] }),
    [
      'spec.volumes[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
    ],
  ],
  [
    'a path out of its volume',
    one({}, { volumes: [{ name: 'v', configMap: { name: 'c', items: [{ key: 'k', path: '../x' }] } }] }),
    ['spec.volumes[0].configMap.items[0].path: Invalid value: "../x": must not contain \'..\''],
  ],
  ['a variable without name', one({ env: [{ value: 'x' }] }), ['spec.containers[0].env[0].name: Required value']],
  [
    'a variable with value and source',
    one({ env: [{ name: 'A', value: 'x', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }),
    ['spec.containers[0].env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty'],
  ],
  [
    'a request above its limit',
    one({ resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }),
    ['spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1'],
  ],
  [
    'a negative amount',
    one({ resources: { requests: { cpu: '-1' } } }),
    ['spec.containers[0].resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0'],
  ],
  [
    'a probe of nothing',
    one({ livenessProbe: { periodSeconds: 1 } }),
    ['spec.containers[0].livenessProbe: Required value: must specify a handler type'],
  ],
  [
    'a probe of two kinds',
    one({ readinessProbe: { exec: { command: ['x'] }, tcpSocket: { port: 1 } } }),
    ['spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type'],
  ],
  [
    'a liveness probe that must succeed twice',
    one({ livenessProbe: { exec: { command: ['x'] }, successThreshold: 2 } }),
    ['spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1'],
  ],
  [
    'a probe of an init container',
    pod({
      containers: [main()],
      initContainers: [{ name: 'i', image: 'i', livenessProbe: { exec: { command: ['x'] } } }],
    }),
    [
      'spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
    ],
  ],
  [
    'a restart policy that is none',
    one({}, { restartPolicy: 'Maybe' }),
    ['spec.restartPolicy: Unsupported value: "Maybe": supported values: "Always", "Never", "OnFailure"'],
  ],
  [
    'a DNS policy that is none',
    one({}, { dnsPolicy: 'Mine' }),
    [
      'spec.dnsPolicy: Unsupported value: "Mine": supported values: "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"',
    ],
  ],
  [
    'DNS policy None without servers',
    one({}, { dnsPolicy: 'None' }),
    ['spec.dnsConfig.nameservers: Required value: must provide at least one DNS nameserver when `dnsPolicy` is None'],
  ],
  [
    'four name servers',
    one({}, { dnsConfig: { nameservers: ['1.1.1.1', '1.1.1.2', '1.1.1.3', '1.1.1.4'] } }),
    [
      'spec.dnsConfig.nameservers: Invalid value: ["1.1.1.1","1.1.1.2","1.1.1.3","1.1.1.4"]: must not have more than 3 nameservers',
    ],
  ],
  [
    'a toleration of everything with a value',
    one({}, { tolerations: [{ operator: 'Exists', value: 'x' }] }),
    ['spec.tolerations[0].operator: Invalid value: "x": value must be empty when `operator` is \'Exists\''],
  ],
  [
    'a toleration that ends without NoExecute',
    one({}, { tolerations: [{ key: 'a', tolerationSeconds: 3 }] }),
    ['spec.tolerations[0].effect: Invalid value: "": effect must be \'NoExecute\' when `tolerationSeconds` is set'],
  ],
  [
    'a host name with a dot',
    one({}, { hostname: 'a.b' }),
    ['spec.hostname: Invalid value: "a.b": must not contain dots'],
  ],
  [
    'a node and a gate',
    one({}, { nodeName: 'n', schedulingGates: [{ name: 'a' }] }),
    ['spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared'],
  ],
  [
    'no skew',
    one({}, { topologySpreadConstraints: [{ maxSkew: 0, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule' }] }),
    ['spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero'],
  ],
]

for (const [title, body, expected] of refusals) {
  test(`refused: ${title}`, t => t.deepEqual(complaints(podKind, body), expected))
}

const accepted: readonly [string, object][] = [
  [
    'search paths with underscores and a dot',
    one({}, { dnsConfig: { searches: ['.', '_sip.example.com.', 'a'], options: [{ name: 'ndots', value: '2' }] } }),
  ],
  [
    'a sidecar with a probe',
    pod({
      containers: [main()],
      initContainers: [{ name: 'i', image: 'i', restartPolicy: 'Always', livenessProbe: { exec: { command: ['x'] } } }],
    }),
  ],
  [
    'variables that hide each other',
    one({
      env: [
        { name: 'A', value: '1' },
        { name: 'A', value: '2' },
      ],
    }),
  ],
  ['a toleration of everything', one({}, { tolerations: [{ operator: 'Exists' }] })],
]
for (const [title, body] of accepted) test(`accepted: ${title}`, t => t.deepEqual(complaints(podKind, body), []))

test('what hides each other is worth a warning', t => {
  const body = one({
    env: [
      { name: 'A', value: '1' },
      { name: 'A', value: '2' },
    ],
    ports: [{ containerPort: 1 }, { containerPort: 1 }],
  })
  t.deepEqual(podKind.warnings?.(prepared(podKind, body)), [
    'spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply',
    'spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]',
  ])
})

const changed = (current: ApiObject, change: (spec: Spec) => void): string[] => {
  const next = structuredClone(current)
  change(next.spec as Spec)
  podKind.prepareForUpdate?.(next, current)
  podKind.applyDefaults?.(next)
  return texts(validateUpdate(podKind, next, current))
}
const firstContainer = (spec: Spec): Spec => (spec.containers as Spec[])[0] ?? {}

test('an image, a deadline and more tolerations may change', t => {
  const current = prepared(podKind, one({}, { tolerations: [{ key: 'a', operator: 'Exists' }] }))
  t.deepEqual(
    changed(current, spec => void (firstContainer(spec).image = 'i:2')),
    [],
  )
  t.deepEqual(
    changed(current, spec => void (spec.activeDeadlineSeconds = 5)),
    [],
  )
  t.deepEqual(
    changed(current, spec => void (spec.tolerations as Spec[]).push({ key: 'b', operator: 'Exists' })),
    [],
  )
})

test('nothing else may', t => {
  const current = prepared(
    podKind,
    one({}, { tolerations: [{ key: 'a', operator: 'Exists' }], activeDeadlineSeconds: 5 }),
  )
  const forbidden = (change: (spec: Spec) => void) => {
    const errors = changed(current, change)
    t.is(errors.length, 1, errors.join('\n'))
    t.regex(errors[0] ?? '', /^spec: Forbidden: pod updates may not change fields other than/)
  }
  forbidden(spec => void (firstContainer(spec).args = ['x']))
  forbidden(spec => void (spec.nodeName = 'n'))
  forbidden(spec => void (spec.tolerations = []))
  forbidden(spec => void (spec.hostNetwork = true))
  t.deepEqual(
    changed(current, spec => void (spec.containers as Spec[]).push(main({ name: 'd' }))),
    ['spec.containers: Forbidden: pod updates may not add or remove containers'],
  )
  t.deepEqual(
    changed(current, spec => void (spec.activeDeadlineSeconds = 6)),
    ['spec.activeDeadlineSeconds: Invalid value: 6: must be less than or equal to previous value'],
  )
})

test('a gated pod may be steered, and its gates only go', t => {
  const current = prepared(podKind, one({}, { schedulingGates: [{ name: 'a' }] }))
  t.deepEqual(
    changed(current, spec => void (spec.nodeSelector = { disk: 'ssd' })),
    [],
  )
  t.deepEqual(
    changed(current, spec => void (spec.schedulingGates = [])),
    [],
  )
  t.deepEqual(
    changed(current, spec => void (spec.schedulingGates as Spec[]).push({ name: 'b' })),
    ["spec.schedulingGates: Forbidden: only deletion is allowed, but found new scheduling gate 'b'"],
  )
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

const NOW = Date.UTC(2031, 0, 1)
const running = (rest: object = {}) => ({ name: 'c', ready: true, restartCount: 0, state: { running: {} }, ...rest })
const rows: readonly [string, Spec, object, object, readonly [string, string, string]][] = [
  ['pending', {}, { phase: 'Pending' }, {}, ['0/1', 'Pending', '0']],
  ['running', {}, { phase: 'Running', containerStatuses: [running()] }, {}, ['1/1', 'Running', '0']],
  [
    'crashing',
    {},
    {
      phase: 'Running',
      containerStatuses: [
        {
          name: 'c',
          ready: false,
          restartCount: 3,
          state: { waiting: { reason: 'CrashLoopBackOff' } },
          lastState: { terminated: { finishedAt: '2030-12-31T23:55:00Z' } },
        },
      ],
    },
    {},
    ['0/1', 'CrashLoopBackOff', '3 (5m ago)'],
  ],
  [
    'completed',
    {},
    {
      phase: 'Succeeded',
      containerStatuses: [{ name: 'c', restartCount: 0, state: { terminated: { reason: 'Completed' } } }],
    },
    {},
    ['0/1', 'Completed', '0'],
  ],
  [
    'ended by a signal',
    {},
    { phase: 'Failed', containerStatuses: [{ name: 'c', restartCount: 0, state: { terminated: { signal: 9 } } }] },
    {},
    ['0/1', 'Signal:9', '0'],
  ],
  [
    'ended with a code',
    {},
    { phase: 'Failed', containerStatuses: [{ name: 'c', restartCount: 0, state: { terminated: { exitCode: 2 } } }] },
    {},
    ['0/1', 'ExitCode:2', '0'],
  ],
  [
    'initialising',
    {
      initContainers: [
        { name: 'i', image: 'i' },
        { name: 'j', image: 'i' },
      ],
    },
    {
      phase: 'Pending',
      initContainerStatuses: [
        { name: 'i', state: { terminated: { exitCode: 0 } } },
        { name: 'j', state: { running: {} } },
      ],
    },
    {},
    ['0/1', 'Init:1/2', '0'],
  ],
  [
    'initialisation failed',
    { initContainers: [{ name: 'i', image: 'i' }] },
    {
      phase: 'Pending',
      initContainerStatuses: [{ name: 'i', state: { terminated: { exitCode: 1, reason: 'Error' } } }],
    },
    {},
    ['0/1', 'Init:Error', '0'],
  ],
  [
    'with a sidecar',
    { initContainers: [{ name: 'i', image: 'i', restartPolicy: 'Always' }] },
    {
      phase: 'Running',
      initContainerStatuses: [{ name: 'i', ready: true, started: true, restartCount: 2, state: { running: {} } }],
      containerStatuses: [running()],
    },
    {},
    ['2/2', 'Running', '2'],
  ],
  [
    'gated',
    {},
    { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
    {},
    ['0/1', 'SchedulingGated', '0'],
  ],
  ['evicted', {}, { phase: 'Failed', reason: 'Evicted' }, {}, ['0/1', 'Evicted', '0']],
  [
    'going',
    {},
    { phase: 'Running', containerStatuses: [running()] },
    { deletionTimestamp: '2030-12-31T23:59:59Z' },
    ['1/1', 'Terminating', '0'],
  ],
  [
    'going with its node',
    {},
    { phase: 'Running', reason: 'NodeLost' },
    { deletionTimestamp: '2030-12-31T23:59:59Z' },
    ['0/1', 'Unknown', '0'],
  ],
]
for (const [title, spec, status, metadata, expected] of rows) {
  test(`columns: ${title}`, t => {
    const object = prepared(podKind, one({}, spec))
    object.status = status
    Object.assign(object.metadata, metadata)
    t.deepEqual(
      podKind.columns.slice(0, 3).map(column => column.value(object, NOW)),
      [...expected],
    )
  })
}

test('one container ended and another goes on: the pod does', t => {
  const object = prepared(podKind, pod({ containers: [main(), main({ name: 'd' })] }))
  const statuses = [
    { name: 'c', restartCount: 0, state: { terminated: { reason: 'Completed' } } },
    running({ name: 'd' }),
  ]
  object.status = { phase: 'Running', containerStatuses: statuses, conditions: [{ type: 'Ready', status: 'True' }] }
  t.is(podKind.columns[1]?.value(object, NOW), 'Running')
  object.status = { phase: 'Running', containerStatuses: statuses }
  t.is(podKind.columns[1]?.value(object, NOW), 'NotReady')
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

test('wide columns', t => {
  const object = prepared(
    podKind,
    one({}, { nodeName: 'node-1', readinessGates: [{ conditionType: 'example.com/up' }] }),
  )
  object.status = { podIPs: [{ ip: '10.244.0.7' }], conditions: [{ type: 'example.com/up', status: 'True' }] }
  t.deepEqual(
    podKind.columns.slice(4).map(({ name }) => name),
    ['IP', 'Node', 'Nominated Node', 'Readiness Gates'],
  )
  t.deepEqual(
    podKind.columns.slice(4).map(column => column.value(object, NOW)),
    ['10.244.0.7', 'node-1', '<none>', '1/1'],
  )
})
