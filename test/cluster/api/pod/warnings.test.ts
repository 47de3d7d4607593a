/** What Kubernetes 1.35 says of Pods that it takes: of Pods themselves, and of the templates of others. */
import test from 'ava'
import { podWarnings } from '#cluster/api/pod/warnings.ts'

type Fields = Record<string, unknown>

const container = (fields: Fields = {}): Fields => ({ name: 'c', ...fields })
const ports = (...list: Fields[]): Fields => ({ containers: [container({ ports: list })] })
const volume = (source: Fields): Fields => ({ volumes: [{ name: 'v', ...source }] })
const projected = (...sources: Fields[]): Fields => volume({ projected: { sources } })
const paths = (...list: string[]) => ({ items: list.map(path => ({ path })) })
const term = (key: string, ...values: string[]) => ({ matchExpressions: [{ key, values }] })

const OLD = 'deprecated since v1.14; use "kubernetes.io/arch" instead'
const NO_POD = 'a null labelSelector results in matching no pod'
const AFFINITY = 'spec.affinity.nodeAffinity'
const REQUIRED = 'requiredDuringSchedulingIgnoredDuringExecution'
const PREFERRED = 'preferredDuringSchedulingIgnoredDuringExecution'
const HIDES = 'which may be dropped when using apply'

const SPECS: readonly (readonly [name: string, spec: Fields, warnings: readonly string[]])[] = [
  ['nothing odd', { containers: [container()] }, []],
  [
    'node labels',
    { nodeSelector: { 'beta.kubernetes.io/arch': 'x' } },
    [`spec.nodeSelector[beta.kubernetes.io/arch]: ${OLD}`],
  ],
  [
    'required terms: keys, not values',
    { affinity: { nodeAffinity: { [REQUIRED]: { nodeSelectorTerms: [term('beta.kubernetes.io/arch', 'a b')] } } } },
    [`${AFFINITY}.${REQUIRED}.nodeSelectorTerms[0].matchExpressions[0].key: beta.kubernetes.io/arch is ${OLD}`],
  ],
  [
    'preferred terms: values as well',
    { affinity: { nodeAffinity: { [PREFERRED]: [{ preference: term('a', 'fine', '-bad') }] } } },
    [
      `${AFFINITY}.${PREFERRED}[0].preference.matchExpressions[0].values[1]: -bad is invalid, a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`,
    ],
  ],
  [
    'spread',
    { topologySpreadConstraints: [{ topologyKey: 'beta.kubernetes.io/arch' }, { labelSelector: {} }] },
    [
      `spec.topologySpreadConstraints[0].topologyKey: beta.kubernetes.io/arch is ${OLD}`,
      `spec.topologySpreadConstraints[0].labelSelector: ${NO_POD}`,
    ],
  ],
  [
    'pods that nobody is',
    { affinity: { podAffinity: { [REQUIRED]: [{}] }, podAntiAffinity: { [PREFERRED]: [{ podAffinityTerm: {} }] } } },
    [
      `spec.affinity.podAffinity.${REQUIRED}[0].labelSelector: ${NO_POD}`,
      `spec.affinity.podAntiAffinity.${PREFERRED}[0].podAffinityTerm.labelSelector: ${NO_POD}`,
    ],
  ],
  ['an old plugin', volume({ gitRepo: {} }), ['spec.volumes[0].gitRepo: deprecated in v1.11']],
  [
    'a gone plugin',
    volume({ storageos: {} }),
    ['spec.volumes[0].storageOS: deprecated in v1.22, non-functional in v1.25+'],
  ],
  [
    'a claim of half a byte',
    volume({ ephemeral: { volumeClaimTemplate: { spec: { resources: { requests: { storage: '1500m' } } } } } }),
    [
      'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer',
    ],
  ],
  [
    'files on files',
    volume({ configMap: { name: 'm', ...paths('a', 'b', 'a/', 'b/c', 'bc') } }),
    [
      'volume "v" (ConfigMap "m"): overlapping paths: "a" with "a"',
      'volume "v" (ConfigMap "m"): overlapping paths: "b/c" with "b"',
    ],
  ],
  [
    'files of several sources',
    projected(
      { configMap: { name: 'm', ...paths('token') } },
      {},
      { serviceAccountToken: { path: 'token' } },
      { clusterTrustBundle: { signerName: 's', path: 'token/ca' } },
      { podCertificate: { keyPath: 'key', certificateChainPath: 'key' } },
      { secret: { name: 'x' } },
    ),
    [
      'volume "v" (Projected) has no sources provided',
      'volume "v" (Projected): overlapping paths: "token" (ServiceAccountToken) with "token" (ConfigMap "m")',
      'volume "v" (Projected): overlapping paths: "token/ca" (ClusterTrustBundle "s") with "token" (ConfigMap "m")',
      'volume "v" (Projected): overlapping paths: "token/ca" (ClusterTrustBundle "s") with "token" (ServiceAccountToken)',
      'volume "v" (Projected): overlapping paths: "key" (PodCertificate key) with "key" (PodCertificate chain)',
    ],
  ],
  [
    'aliases',
    { hostAliases: [{ ip: '1.2.3.4' }, { ip: '1.2.3.4' }] },
    ['spec.hostAliases[1].ip: duplicate ip "1.2.3.4"'],
  ],
  [
    'secrets for images',
    { imagePullSecrets: [{ name: 'a' }, { name: 'a' }, {}] },
    ['spec.imagePullSecrets[1].name: duplicate name "a"', 'spec.imagePullSecrets[2].name: invalid empty name ""'],
  ],
  [
    'bytes in parts',
    {
      overhead: { memory: '0.5' },
      containers: [container({ resources: { limits: { memory: '1100m', cpu: '1100m' } } })],
    },
    [
      'spec.overhead[memory]: fractional byte value "500m" is invalid, must be an integer',
      'spec.containers[0].resources.limits[memory]: fractional byte value "1100m" is invalid, must be an integer',
    ],
  ],
  [
    'variables',
    {
      initContainers: [
        container({
          env: [
            { name: 'A' },
            { name: 'A', value: '$(A)1' },
            { name: 'A', value: '$(A)' },
            { name: 'A', valueFrom: {} },
          ],
        }),
      ],
    },
    [
      `spec.initContainers[0].env[2]: hides previous definition of "A", ${HIDES}`,
      `spec.initContainers[0].env[3]: hides previous definition of "A", ${HIDES}`,
    ],
  ],
  [
    'ports',
    ports(
      { containerPort: 1, protocol: 'TCP', hostIP: '127.0.0.1' },
      { containerPort: 1, protocol: 'UDP' },
      { containerPort: 1, protocol: 'TCP', hostPort: 5 },
      { containerPort: 1, protocol: 'TCP', hostPort: 5, hostIP: '1.2.3.4' },
      { containerPort: 1, protocol: 'TCP', hostPort: 6 },
    ),
    [
      'spec.containers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:1 Protocol:TCP HostIP:127.0.0.1}',
      'spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[0]',
      'spec.containers[0].ports[3]: overlapping port definition with spec.containers[0].ports[0]',
      'spec.containers[0].ports[3]: dangerously ambiguous port definition with spec.containers[0].ports[2]',
      'spec.containers[0].ports[4]: overlapping port definition with spec.containers[0].ports[0]',
    ],
  ],
  [
    'names of ports, over containers',
    {
      containers: [container({ ports: [{ name: 'http', containerPort: 1 }] })],
      initContainers: [container({ ports: [{ name: 'http', containerPort: 2 }] })],
    },
    [
      'spec.initContainers[0].ports[0]: duplicate port name "http" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]',
    ],
  ],
  [
    'a grace below none',
    { terminationGracePeriodSeconds: -1 },
    ['spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1'],
  ],
  [
    'addresses',
    { dnsConfig: { nameservers: ['1.2.3.4', '2001:DB8::1'] }, hostAliases: [{ ip: '0:0::1' }] },
    [
      'spec.dnsConfig.nameservers[1]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
      'spec.hostAliases[0].ip: IPv6 address "0:0::1" should be in RFC 5952 canonical format ("::1")',
    ],
  ],
]

for (const [name, spec, warnings] of SPECS)
  test(name, t => {
    t.deepEqual(podWarnings({ spec }), warnings)
    const moved = warnings.map(text => text.replace(/(^|\s)spec\./g, '$1spec.template.spec.'))
    t.deepEqual(podWarnings({ spec }, 'spec.template'), moved, 'of a template')
  })

const SECCOMP = 'non-functional in v1.27+; use the "seccompProfile" field instead'

test('annotations that fields have taken the place of', t => {
  const annotations = {
    'scheduler.alpha.kubernetes.io/critical-pod': '',
    'seccomp.security.alpha.kubernetes.io/pod': 'x',
    'container.seccomp.security.alpha.kubernetes.io/c': 'x',
    'container.apparmor.security.beta.kubernetes.io/c': 'x',
  }
  const critical = 'non-functional in v1.16+; use the "priorityClassName" field instead'
  const told = (at: string) => [
    `${at}[scheduler.alpha.kubernetes.io/critical-pod]: ${critical}`,
    `${at}[seccomp.security.alpha.kubernetes.io/pod]: ${SECCOMP}`,
    `${at}[container.seccomp.security.alpha.kubernetes.io/c]: ${SECCOMP}`,
  ]
  const pod = { metadata: { annotations }, spec: { containers: [container()] } }
  t.deepEqual(podWarnings(pod), told('metadata.annotations'))
  t.deepEqual(podWarnings(pod, 'spec.template'), [
    ...told('spec.template.metadata.annotations'),
    'spec.template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/c]: deprecated since v1.30; use the "appArmorProfile" field instead',
  ])
  const securityContext = { seccompProfile: {}, appArmorProfile: {} }
  const said = { ...pod, spec: { securityContext, containers: [container({ securityContext })] } }
  t.deepEqual(podWarnings(said, 'spec.template').length, 1)
})

test('a Pod of nothing but mistakes costs what its length allows, and is told no more than an answer holds', t => {
  const many = 50_000
  const list = (make: (index: number) => Fields) => Array.from({ length: many }, (_, index) => make(index))
  const specs: Fields[] = [
    ports(...list(() => ({ containerPort: 1, protocol: 'TCP' }))),
    ports(...list(index => ({ containerPort: 1, protocol: 'TCP', hostPort: 1 + index }))),
    { containers: [container({ env: list(() => ({ name: 'A' })) })] },
    { hostAliases: list(() => ({ ip: '1.2.3.4' })), imagePullSecrets: list(() => ({ name: 'a' })) },
    volume({ configMap: { items: list(() => ({ path: 'a' })) } }),
    volume({ configMap: { items: list(index => ({ path: `${index}` })) } }),
    { volumes: list(() => ({ name: 'v', secret: paths(`${'/'.repeat(20)}a`) })) },
    volume({ configMap: { items: [{ path: `${'/'.repeat(1_000_000)}a` }] } }),
  ]
  for (const spec of specs) t.true(podWarnings({ spec }).length <= 128)
})
