import test from 'ava'
import type { Kind } from '#cluster/api/kind.ts'
import { configMapKind } from '#cluster/api/kinds/config-map.ts'
import { ipAddressKind } from '#cluster/api/kinds/ip-address.ts'
import { leaseKind } from '#cluster/api/kinds/lease.ts'
import { namespaceKind } from '#cluster/api/kinds/namespace.ts'
import { nodeKind } from '#cluster/api/kinds/node.ts'
import { secretKind } from '#cluster/api/kinds/secret.ts'
import { serviceAccountKind } from '#cluster/api/kinds/service-account.ts'
import { serviceCidrKind } from '#cluster/api/kinds/service-cidr.ts'
import { validateUpdate } from '#cluster/api/validate.ts'
import { canonical, complaints, named, prepared, row, texts, updating } from '../../../support/api-objects.ts'

const refusals: readonly [string, Kind, object, readonly string[]][] = [
  [
    'a key with a slash',
    configMapKind,
    named({ data: { 'a/b': '' } }),
    [
      "data[a/b]: Invalid value: \"a/b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    ],
  ],
  [
    'a key that leads up',
    configMapKind,
    named({ data: { '..': '' } }),
    ['data[..]: Invalid value: "..": must not be \'..\''],
  ],
  [
    'a key in both maps',
    configMapKind,
    named({ data: { a: '' }, binaryData: { a: '' } }),
    ['data[a]: Invalid value: "a": duplicate of key present in binaryData'],
  ],
  [
    'more than 1 MiB',
    configMapKind,
    named({ data: { a: 'x'.repeat(1024 * 1024 + 1) } }),
    [': Too long: may not be more than 1048576 bytes'],
  ],

  [
    'TLS without a key',
    secretKind,
    named({ type: 'kubernetes.io/tls', stringData: { 'tls.crt': 'x' } }),
    ['data[tls.key]: Required value'],
  ],
  [
    'a docker config that is no JSON',
    secretKind,
    named({ type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': '{' } }),
    ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": is not valid JSON'],
  ],
  [
    'basic auth without either',
    secretKind,
    named({ type: 'kubernetes.io/basic-auth' }),
    ['data[username]: Required value', 'data[password]: Required value'],
  ],
  [
    'a token of nobody',
    secretKind,
    named({ type: 'kubernetes.io/service-account-token' }),
    ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
  ],

  [
    'an address not in canonical form',
    ipAddressKind,
    named({ spec: { parentRef: { resource: 'services', name: 's' } } }, '2001:db8:0::1'),
    ['metadata.name: Invalid value: "2001:db8:0::1": must be in canonical form ("2001:db8::1")'],
  ],
  ['an address of nobody', ipAddressKind, named({}, '10.0.0.1'), ['spec.parentRef: Required value']],
  [
    'an address of something',
    ipAddressKind,
    named({ spec: { parentRef: { resource: 'services' } } }, '10.0.0.1'),
    ['spec.parentRef.name: Required value'],
  ],

  ['no range', serviceCidrKind, named(), ['spec.cidrs: Required value: at least one CIDR required']],
  [
    'three ranges',
    serviceCidrKind,
    named({ spec: { cidrs: ['10.0.0.0/8', 'fd00::/64', '11.0.0.0/8'] } }),
    ['spec.cidrs: Too many: 3: must have at most 2 items'],
  ],
  [
    'two ranges of a family',
    serviceCidrKind,
    named({ spec: { cidrs: ['10.0.0.0/16', '10.1.0.0/16'] } }),
    [
      'spec.cidrs: Invalid value: ["10.0.0.0/16","10.1.0.0/16"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    ],
  ],
  [
    'a range with bits behind',
    serviceCidrKind,
    named({ spec: { cidrs: ['10.0.0.1/16'] } }),
    ['spec.cidrs[0]: Invalid value: "10.0.0.1/16": must not have bits set beyond the prefix length'],
  ],
  [
    'a range not in canonical form',
    serviceCidrKind,
    named({ spec: { cidrs: ['FD00::/64'] } }),
    ['spec.cidrs[0]: Invalid value: "FD00::/64": must be in canonical form ("fd00::/64")'],
  ],

  [
    'a lease of no time',
    leaseKind,
    named({ spec: { leaseDurationSeconds: 0 } }),
    ['spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0'],
  ],
  [
    'a lease of an empty holder',
    leaseKind,
    named({ spec: { holderIdentity: '' } }),
    ['spec.holderIdentity: Invalid value: "": must not be empty'],
  ],
  [
    'a holder preferred without strategy',
    leaseKind,
    named({ spec: { preferredHolder: 'a' } }),
    ['spec.strategy: Required value: strategy must be specified when preferredHolder is specified'],
  ],

  [
    'a taint without effect',
    nodeKind,
    named({ spec: { taints: [{ key: 'a' }] } }),
    ['spec.taints[0].effect: Required value'],
  ],
  [
    'a taint twice',
    nodeKind,
    named({
      spec: {
        taints: [
          { key: 'a', effect: 'NoSchedule' },
          { key: 'a', effect: 'NoSchedule' },
        ],
      },
    }),
    ['spec.taints[1]: Duplicate value: {"key":"a","effect":"NoSchedule"}'],
  ],
  [
    'pod ranges that contradict',
    nodeKind,
    named({ spec: { podCIDR: '10.0.0.0/24', podCIDRs: ['10.0.1.0/24'] } }),
    ['spec.podCIDRs[0]: Invalid value: "10.0.1.0/24": must be the same as `podCIDR`'],
  ],
  [
    'two pod ranges of a family',
    nodeKind,
    named({ spec: { podCIDRs: ['10.0.0.0/24', '10.0.1.0/24'] } }),
    [
      'spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one CIDR for each IP family',
    ],
  ],

  [
    'a namespace with a dot',
    namespaceKind,
    named({}, 'a.b'),
    ['metadata.name: Invalid value: "a.b": must not contain dots'],
  ],
]

for (const [title, kind, body, expected] of refusals) {
  test(`${kind.kind} refused: ${title}`, t => t.deepEqual(complaints(kind, body), [...expected]))
}

test('a namespace gets its finalizer, phase and label, and keeps its finalizers', t => {
  const namespace = prepared(namespaceKind, named())
  t.deepEqual(canonical(namespaceKind, named()), {
    kind: 'Namespace',
    apiVersion: 'v1',
    metadata: { name: 'x', labels: { 'kubernetes.io/metadata.name': 'x' } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  })
  t.true(namespaceKind.isHeld?.(namespace))
  const next = { ...structuredClone(namespace), spec: {} }
  namespaceKind.prepareForUpdate?.(next, namespace)
  t.deepEqual(next.spec, { finalizers: ['kubernetes'] })
  namespaceKind.prepareForDelete?.(namespace)
  t.deepEqual(namespace.status, { phase: 'Terminating' })
  t.deepEqual(row(namespaceKind, named()), ['Active'])
  const freed = { ...structuredClone(namespace), spec: { finalizers: [] } }
  t.false(namespaceKind.isHeld?.(freed))
  t.deepEqual(texts(validateUpdate(namespaceKind, freed, namespace, 'finalize')), [])
  const bad = { ...structuredClone(namespace), spec: { finalizers: ['Not a name'] } }
  t.regex(
    texts(validateUpdate(namespaceKind, bad, namespace, 'finalize'))[0] ?? '',
    /^spec.finalizers: Invalid value: "Not a name"/,
  )
})

test('text of a secret becomes data, over what stands there', t => {
  const secret = canonical(secretKind, named({ data: { a: 'eA==', b: 'eQ==' }, stringData: { a: 'z' } }))
  t.deepEqual(secret.data, { a: 'eg==', b: 'eQ==' })
  t.is(secret.type, 'Opaque')
  t.false('stringData' in secret)
  t.deepEqual(row(secretKind, named({ stringData: { a: '' } })), ['Opaque', 1])
})

test('names that JavaScript knows are names like any other', t => {
  t.deepEqual(complaints(secretKind, named({ type: 'toString' })), [])
  t.deepEqual(complaints(configMapKind, named({ data: { constructor: 'x' }, binaryData: { toString: '' } })), [])
})

test('a secret keeps its type', t => {
  t.deepEqual(updating(secretKind, named({ type: 'example.com/a' }), named({ type: 'example.com/b' })), [
    'type: Invalid value: "example.com/b": field is immutable',
  ])
})

test('what was declared immutable is', t => {
  const before = named({ immutable: true, data: { a: 'eA==' } })
  t.deepEqual(updating(secretKind, before, before), [])
  t.deepEqual(updating(secretKind, before, named({ data: { a: 'eA==' } })), [
    'immutable: Forbidden: field is immutable when `immutable` is set',
  ])
  t.deepEqual(
    updating(configMapKind, named({ immutable: true, data: { a: '1' } }), named({ immutable: true, data: { a: '2' } })),
    ['data: Forbidden: field is immutable when `immutable` is set'],
  )
  t.deepEqual(updating(configMapKind, named({ data: { a: '1' } }), named({ immutable: true, data: { a: '2' } })), [])
  t.deepEqual(row(configMapKind, named({ data: { a: '1' }, binaryData: { b: '' } })), [2])
})

test('an address stays with its object; a range may gain the other family', t => {
  const parent = (name: string) =>
    named({ spec: { parentRef: { resource: 'services', namespace: 'n', name } } }, '10.0.0.1')
  t.deepEqual(updating(ipAddressKind, parent('a'), parent('a')), [])
  t.regex(
    updating(ipAddressKind, parent('a'), parent('b'))[0] ?? '',
    /^spec.parentRef: Invalid value: .*: field is immutable$/,
  )
  t.deepEqual(row(ipAddressKind, parent('a')), ['services/n/a'])
  const ranges = (...cidrs: string[]) => named({ spec: { cidrs } })
  t.deepEqual(updating(serviceCidrKind, ranges('10.0.0.0/16'), ranges('10.0.0.0/16', 'fd00::/64')), [])
  t.deepEqual(updating(serviceCidrKind, ranges('10.0.0.0/16'), ranges('10.1.0.0/16')), [
    'spec.cidrs: Invalid value: ["10.1.0.0/16"]: field is immutable',
  ])
  t.deepEqual(row(serviceCidrKind, ranges('10.0.0.0/16', 'fd00::/64')), ['10.0.0.0/16,fd00::/64'])
})

test('a node’s ranges and provider stay; its columns', t => {
  const body = named({
    spec: { podCIDR: '10.0.0.0/24', unschedulable: true },
    status: {
      conditions: [{ type: 'Ready', status: 'True' }],
      addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
      nodeInfo: {
        kubeletVersion: 'v1.35.0',
        osImage: 'Debian',
        kernelVersion: '6',
        containerRuntimeVersion: 'containerd://2',
      },
    },
  })
  Object.assign(body.metadata, { labels: { 'node-role.kubernetes.io/worker': '', 'kubernetes.io/role': 'edge' } })
  t.deepEqual(row(nodeKind, body), [
    'Ready,SchedulingDisabled',
    'edge,worker',
    'v1.35.0',
    '192.0.2.1',
    '<none>',
    'Debian',
    '6',
    'containerd://2',
  ])
  t.like(prepared(nodeKind, body).spec, { podCIDRs: ['10.0.0.0/24'] })
  t.deepEqual(
    updating(nodeKind, named({ spec: { podCIDR: '10.0.0.0/24' } }), named({ spec: { podCIDR: '10.0.1.0/24' } })),
    ['spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid'],
  )
  t.deepEqual(updating(nodeKind, named({ spec: { providerID: 'a' } }), named({ spec: { providerID: 'b' } })), [
    'spec.providerID: Forbidden: node updates may not change providerID except from "" to valid',
  ])
  t.deepEqual(nodeKind.selectableFields?.(prepared(nodeKind, body)), { 'spec.unschedulable': 'true' })
})

test('columns of leases and accounts', t => {
  t.deepEqual(row(leaseKind, named({ spec: { holderIdentity: 'me' } })), ['me'])
  t.deepEqual(row(serviceAccountKind, named({ secrets: [{ name: 'a' }] })), [])
})
