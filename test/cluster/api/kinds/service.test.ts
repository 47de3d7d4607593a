import test from 'ava'
import { serviceKind } from '#cluster/api/kinds/service.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { validateUpdate } from '#cluster/api/validate.ts'
import { canonical, complaints, prepared, texts } from '../../../support/api-objects.ts'

type Spec = Record<string, unknown>

const named = (spec: Spec, rest: object = {}) => ({ metadata: { name: 's', namespace: 'n' }, spec, ...rest })
const PORTS = [{ port: 80 }]
const made = (spec: Spec): ApiObject => prepared(serviceKind, named(spec))

test('a service with nothing but a port gets Kubernetes’s defaults', t => {
  t.deepEqual(canonical(serviceKind, named({ ports: PORTS })), {
    kind: 'Service',
    apiVersion: 'v1',
    metadata: { name: 's', namespace: 'n' },
    spec: {
      ports: [{ protocol: 'TCP', port: 80, targetPort: 80 }],
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
    },
    status: { loadBalancer: {} },
  })
})

const defaults: readonly [string, Spec, Spec][] = [
  [
    'an address asked for stands in both fields',
    { ports: PORTS, clusterIP: '10.96.0.9' },
    { clusterIPs: ['10.96.0.9'] },
  ],
  [
    'a headless service',
    { ports: PORTS, clusterIP: 'None' },
    { clusterIPs: ['None'], internalTrafficPolicy: 'Cluster' },
  ],
  ['NodePort', { ports: PORTS, type: 'NodePort' }, { externalTrafficPolicy: 'Cluster' }],
  [
    'LoadBalancer',
    { ports: PORTS, type: 'LoadBalancer' },
    { externalTrafficPolicy: 'Cluster', allocateLoadBalancerNodePorts: true },
  ],
  ['external addresses', { ports: PORTS, externalIPs: ['192.0.2.1'] }, { externalTrafficPolicy: 'Cluster' }],
  [
    'affinity',
    { ports: PORTS, sessionAffinity: 'ClientIP' },
    { sessionAffinityConfig: { clientIP: { timeoutSeconds: 10800 } } },
  ],
  [
    'a target port by name stays',
    { ports: [{ port: 80, targetPort: 'web' }] },
    { ports: [{ port: 80, targetPort: 'web', protocol: 'TCP' }] },
  ],
]

for (const [title, given, expected] of defaults) {
  test(`defaults: ${title}`, t => t.like(made(given).spec, expected))
}

test('ExternalName has no internal traffic policy', t => {
  t.false('internalTrafficPolicy' in (made({ type: 'ExternalName', externalName: 'example.com' }).spec as Spec))
})

const two = (first: object, second: object) => ({ ports: [first, second] })
const refusals: readonly [string, Spec, readonly string[]][] = [
  ['no ports', {}, ['spec.ports: Required value']],
  [
    'port 0',
    { ports: [{ port: 0, targetPort: 1 }] },
    ['spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive'],
  ],
  [
    'port 99999',
    { ports: [{ port: 99999, targetPort: 1 }] },
    ['spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535, inclusive'],
  ],
  [
    'a protocol that is none',
    { ports: [{ port: 80, protocol: 'HTTP' }] },
    ['spec.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"'],
  ],
  [
    'two ports without names',
    two({ port: 80 }, { port: 81 }),
    ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value'],
  ],
  [
    'two ports of one name',
    two({ port: 80, name: 'a' }, { port: 81, name: 'a' }),
    ['spec.ports[1].name: Duplicate value: "a"'],
  ],
  [
    'one number twice',
    two({ port: 80, name: 'a' }, { port: 80, name: 'b' }),
    ['spec.ports[1]: Duplicate value: {"port":80,"protocol":"TCP"}'],
  ],
  [
    'a name in capitals',
    { ports: [{ port: 80, name: 'HTTP' }] },
    [
      "spec.ports[0].name: Invalid value: \"HTTP\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ],
  ],
  [
    'a target port that is none',
    { ports: [{ port: 80, targetPort: 70000 }] },
    ['spec.ports[0].targetPort: Invalid value: 70000: must be between 1 and 65535, inclusive'],
  ],
  [
    'a target name without letters',
    { ports: [{ port: 80, targetPort: '80' }] },
    ['spec.ports[0].targetPort: Invalid value: "80": must contain at least one letter (a-z)'],
  ],
  [
    'a node port of a ClusterIP',
    { ports: [{ port: 80, nodePort: 30000 }] },
    ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
  ],
  [
    'a type that is none',
    { ports: PORTS, type: 'Fast' },
    ['spec.type: Unsupported value: "Fast": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'],
  ],
  [
    'an affinity that is none',
    { ports: PORTS, sessionAffinity: 'Yes' },
    ['spec.sessionAffinity: Unsupported value: "Yes": supported values: "ClientIP", "None"'],
  ],
  [
    'an affinity of two days',
    { ports: PORTS, sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 172800 } } },
    [
      'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 172800: must be greater than 0 and less than 86400',
    ],
  ],
  [
    'an address that is none',
    { ports: PORTS, clusterIP: 'x' },
    ['spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
  ],
  [
    'lists that contradict',
    { ports: PORTS, clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.2'] },
    ['spec.clusterIPs: Invalid value: ["10.0.0.2"]: first value must match `clusterIP`'],
  ],
  [
    'None among addresses',
    { ports: PORTS, clusterIP: 'None', clusterIPs: ['None', '10.0.0.1'] },
    ['spec.clusterIPs: Invalid value: ["None","10.0.0.1"]: \'None\' must be the first and only value'],
  ],
  [
    'two addresses of a family',
    { ports: PORTS, clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '10.0.0.2'] },
    ['spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: may specify no more than one IP for each IP family'],
  ],
  [
    'an address of another family than said',
    { ports: PORTS, clusterIP: 'fd00::1', ipFamilies: ['IPv4'] },
    ['spec.clusterIPs[0]: Invalid value: "fd00::1": expected an IPv4 value as indicated by `ipFamilies[0]`'],
  ],
  ['a family twice', { ports: PORTS, ipFamilies: ['IPv4', 'IPv4'] }, ['spec.ipFamilies[1]: Duplicate value: "IPv4"']],
  [
    'a headless NodePort',
    { ports: PORTS, type: 'NodePort', clusterIP: 'None' },
    ['spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services'],
  ],
  ['ExternalName without name', { type: 'ExternalName' }, ['spec.externalName: Required value']],
  [
    'ExternalName with an address',
    { type: 'ExternalName', externalName: 'a.b', clusterIP: '10.0.0.1' },
    ['spec.clusterIPs: Forbidden: may not be set for ExternalName services'],
  ],
  [
    'an external address on the loop',
    { ports: PORTS, externalIPs: ['127.0.0.1'] },
    ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  ],
  [
    'an external address unspecified',
    { ports: PORTS, externalIPs: ['0.0.0.0'] },
    ['spec.externalIPs[0]: Invalid value: "0.0.0.0": may not be unspecified ("0.0.0.0")'],
  ],
  [
    'source ranges of a ClusterIP',
    { ports: PORTS, loadBalancerSourceRanges: ['10.0.0.0/8'] },
    ["spec.loadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"],
  ],
  [
    'a source range that is none',
    { ports: PORTS, type: 'LoadBalancer', loadBalancerSourceRanges: ['10.0.0.0'] },
    [
      'spec.loadBalancerSourceRanges[0]: Invalid value: "10.0.0.0": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
    ],
  ],
  [
    'an external policy of a ClusterIP',
    { ports: PORTS, externalTrafficPolicy: 'Local' },
    ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
  ],
  [
    'a health check port of a NodePort',
    { ports: PORTS, type: 'NodePort', healthCheckNodePort: 30001 },
    [
      "spec.healthCheckNodePort: Invalid value: 30001: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
    ],
  ],
  [
    'a distribution that is none',
    { ports: PORTS, trafficDistribution: 'Near' },
    [
      'spec.trafficDistribution: Unsupported value: "Near": supported values: "PreferClose", "PreferSameNode", "PreferSameZone"',
    ],
  ],
  [
    'the kubelet’s port to the world',
    { ports: [{ port: 10250 }], type: 'LoadBalancer' },
    ['spec.ports[0].port: Invalid value: 10250: may not expose port 10250 externally since it is used by kubelet'],
  ],
  [
    'a selector value that is none',
    { ports: PORTS, selector: { a: '-' } },
    [
      "spec.selector: Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ],
  ],
]

for (const [title, spec, expected] of refusals) {
  test(`refused: ${title}`, t => t.deepEqual(complaints(serviceKind, named(spec)), expected))
}

const accepted: readonly [string, Spec][] = [
  ['one number on two protocols', two({ port: 53, name: 'dns', protocol: 'UDP' }, { port: 53, name: 'dns-tcp' })],
  ['headless without ports', { clusterIP: 'None' }],
  ['an external name with a trailing dot', { type: 'ExternalName', externalName: 'example.com.' }],
  ['two families', { ports: PORTS, ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6', 'IPv4'] }],
  ['an external address on the link', { ports: PORTS, externalIPs: ['192.0.2.7', '2001:db8::1'] }],
]

for (const [title, spec] of accepted) {
  test(`accepted: ${title}`, t => t.deepEqual(complaints(serviceKind, named(spec)), []))
}

/** `spec` over the service as it is, through all that an update goes through. */
const updated = (current: ApiObject, spec: Spec): { next: ApiObject; errors: string[] } => {
  const next = prepared(serviceKind, named(spec))
  next.status = structuredClone(current.status)
  serviceKind.prepareForUpdate?.(next, current)
  serviceKind.applyDefaults?.(next)
  return { next, errors: texts(validateUpdate(serviceKind, next, current)) }
}

/** With an address, as the allocator leaves it. */
const allocated = (spec: Spec = {}): ApiObject =>
  made({
    ports: PORTS,
    clusterIP: '10.96.0.9',
    clusterIPs: ['10.96.0.9'],
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    ...spec,
  })

test('an update that leaves addresses out keeps them', t => {
  const { next, errors } = updated(allocated(), { ports: [{ port: 81 }] })
  t.deepEqual(errors, [])
  t.like(next.spec, { clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'], ipFamilies: ['IPv4'] })
})

test('the address does not change', t => {
  const { errors } = updated(allocated(), { ports: PORTS, clusterIP: '10.96.0.10' })
  t.deepEqual(errors, ['spec.clusterIPs[0]: Invalid value: ["10.96.0.10"]: may not change once set'])
  t.deepEqual(updated(allocated(), { ports: PORTS, clusterIP: 'None' }).errors, [
    'spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set',
  ])
})

test('becoming ExternalName drops addresses, families and their policy', t => {
  const current = allocated()
  const { next, errors } = updated(current, {
    ...(current.spec as Spec),
    type: 'ExternalName',
    externalName: 'a.example',
  })
  t.deepEqual(errors, [])
  for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'])
    t.false(field in (next.spec as Spec), field)
})

test('node ports stay with their port, and go with the type', t => {
  const current = allocated({
    type: 'NodePort',
    ports: [
      { port: 80, name: 'a', nodePort: 30080 },
      { port: 81, name: 'b', nodePort: 30081 },
    ],
  })
  const kept = updated(current, {
    type: 'NodePort',
    ports: [
      { port: 81, name: 'b' },
      { port: 82, name: 'c' },
    ],
  })
  t.deepEqual(kept.errors, [])
  t.like(kept.next.spec, { ports: [{ port: 81, nodePort: 30081 }, { port: 82 }] })
  const gone = updated(current, { ...structuredClone(current.spec as Spec), type: 'ClusterIP' })
  t.deepEqual(gone.errors, [])
  t.false(JSON.stringify(gone.next.spec).includes('nodePort'))
  t.false('externalTrafficPolicy' in (gone.next.spec as Spec))
})

test('a balancer’s address goes with the type', t => {
  const current = allocated({ type: 'LoadBalancer' })
  current.status = { loadBalancer: { ingress: [{ ip: '192.0.2.1', ipMode: 'VIP' }] } }
  const { next, errors } = updated(current, { ports: PORTS, type: 'ClusterIP' })
  t.deepEqual(errors, [])
  t.deepEqual(next.status, { loadBalancer: {} })
})

test('a balancer’s class does not change', t => {
  const current = allocated({ type: 'LoadBalancer', loadBalancerClass: 'example.com/a' })
  const { errors } = updated(current, { ports: PORTS, type: 'LoadBalancer', loadBalancerClass: 'example.com/b' })
  t.deepEqual(errors, ['spec.loadBalancerClass: Invalid value: "example.com/b": may not change once set'])
})

test('status takes a balancer’s addresses, for a balancer only', t => {
  const check = (type: string, ingress: object[]) => {
    const current = allocated({ type })
    const next = { ...structuredClone(current), status: { loadBalancer: { ingress } } }
    serviceKind.applyDefaults?.(next)
    return texts(validateUpdate(serviceKind, next, current, 'status'))
  }
  t.deepEqual(check('LoadBalancer', [{ ip: '192.0.2.1' }, { hostname: 'lb.example.com' }]), [])
  t.deepEqual(check('LoadBalancer', [{ ip: 'x' }]), [
    'status.loadBalancer.ingress[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
  ])
  t.deepEqual(check('LoadBalancer', [{ hostname: '192.0.2.1' }]), [
    'status.loadBalancer.ingress[0].hostname: Invalid value: "192.0.2.1": must be a DNS name, not an IP address',
  ])
  t.deepEqual(check('ClusterIP', [{ ip: '192.0.2.1' }]), [
    "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
  ])
})

test('columns', t => {
  const row = (object: ApiObject) => serviceKind.columns.map(column => column.value(object, 0))
  const clusterIp = allocated({
    ports: [
      { port: 53, name: 'a', protocol: 'UDP' },
      { port: 53, name: 'b' },
    ],
    selector: { b: '2', a: '1' },
  })
  t.deepEqual(
    serviceKind.columns.map(({ name }) => name),
    ['Type', 'Cluster-IP', 'External-IP', 'Port(s)', 'Age', 'Selector'],
  )
  t.deepEqual(row(clusterIp), ['ClusterIP', '10.96.0.9', '<none>', '53/UDP,53/TCP', '<unknown>', 'a=1,b=2'])
  const nodePort = allocated({ type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] })
  t.deepEqual(row(nodePort).slice(0, 4), ['NodePort', '10.96.0.9', '<none>', '80:30080/TCP'])
  const alias = made({ type: 'ExternalName', externalName: 'example.com' })
  t.deepEqual(row(alias).slice(0, 4), ['ExternalName', '<none>', 'example.com', '<none>'])
  const balancer = allocated({ type: 'LoadBalancer' })
  t.is(row(balancer)[2], '<pending>')
  balancer.status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { hostname: 'lb.example.com' }] } }
  t.is(row(balancer)[2], '192.0.2.1,lb.example.com')
})

test('warnings', t => {
  t.deepEqual(serviceKind.warnings?.(made({ ports: PORTS, externalName: 'a.b' })), [
    'spec.externalName is ignored when spec.type is not "ExternalName"',
  ])
  t.deepEqual(serviceKind.warnings?.(made({ ports: PORTS })), [])
})
