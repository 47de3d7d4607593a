import test from 'ava'
import { podKind } from '#cluster/api/kinds/pod.ts'
import { complaints, prepared } from '../../../support/api-objects.ts'
import { main, one, pod } from '../../../support/pod-bodies.ts'

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
