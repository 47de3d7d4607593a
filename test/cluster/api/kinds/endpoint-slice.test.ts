/** EndpointSlice, and its elder: Endpoints. */
import test from 'ava'
import type { Kind } from '#cluster/api/kind.ts'
import { endpointSliceKind } from '#cluster/api/kinds/endpoint-slice.ts'
import { endpointsKind } from '#cluster/api/kinds/endpoints.ts'
import { canonical, complaints, named, prepared, row, updating } from '../../../support/api-objects.ts'

const slice = (endpoints: object[], addressType = 'IPv4', rest: object = {}) =>
  named({ addressType, endpoints, ...rest })
const at = (...addresses: string[]) => ({ addresses })

const refusals: readonly [string, Kind, object, readonly string[]][] = [
  ['a slice without address type', endpointSliceKind, named({ endpoints: [] }), ['addressType: Required value']],
  [
    'an address type that is none',
    endpointSliceKind,
    slice([], 'IPv5'),
    ['addressType: Unsupported value: "IPv5": supported values: "FQDN", "IPv4", "IPv6"'],
  ],
  [
    'an endpoint without address',
    endpointSliceKind,
    slice([at()]),
    ['endpoints[0].addresses: Required value: must contain at least 1 address'],
  ],
  [
    'an address of the other family',
    endpointSliceKind,
    slice([at('2001:db8::1')]),
    ['endpoints[0].addresses[0]: Invalid value: "2001:db8::1": must be an IPv4 address'],
  ],
  [
    'an address that is none',
    endpointSliceKind,
    slice([at('10.0.0.256')]),
    [
      'endpoints[0].addresses[0]: Invalid value: "10.0.0.256": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    ],
  ],
  [
    'loopback',
    endpointSliceKind,
    slice([at('127.0.0.1')]),
    ['endpoints[0].addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  ],
  [
    'loopback of IPv6',
    endpointSliceKind,
    slice([at('::1')], 'IPv6'),
    ['endpoints[0].addresses[0]: Invalid value: "::1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  ],
  [
    'link-local',
    endpointSliceKind,
    slice([at('169.254.1.1')]),
    [
      'endpoints[0].addresses[0]: Invalid value: "169.254.1.1": may not be in the link-local range (169.254.0.0/16, fe80::/10)',
    ],
  ],
  [
    'unspecified',
    endpointSliceKind,
    slice([at('::')], 'IPv6'),
    ['endpoints[0].addresses[0]: Invalid value: "::": may not be unspecified ("::")'],
  ],
  [
    'link-local multicast',
    endpointSliceKind,
    slice([at('224.0.0.251')]),
    [
      'endpoints[0].addresses[0]: Invalid value: "224.0.0.251": may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)',
    ],
  ],
  [
    'a name that is none',
    endpointSliceKind,
    slice([at('-a')], 'FQDN'),
    [
      "endpoints[0].addresses[0]: Invalid value: \"-a\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  ],
  [
    'a host name with a dot',
    endpointSliceKind,
    slice([{ ...at('10.0.0.1'), hostname: 'a.b' }]),
    ['endpoints[0].hostname: Invalid value: "a.b": must not contain dots'],
  ],
  [
    'a port name twice',
    endpointSliceKind,
    slice([], 'IPv4', { ports: [{ port: 1 }, { port: 2 }] }),
    ['ports[1].name: Duplicate value: ""'],
  ],
  [
    'a port that no packet carries',
    endpointSliceKind,
    slice([], 'IPv4', { ports: [{ port: 70000 }] }),
    ['ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive'],
  ],
  [
    'a zone hinted at twice',
    endpointSliceKind,
    slice([{ ...at('10.0.0.1'), hints: { forZones: [{ name: 'a' }, { name: 'a' }] } }]),
    ['endpoints[0].hints.forZones[1].name: Duplicate value: "a"'],
  ],
  [
    '1001 endpoints',
    endpointSliceKind,
    slice(Array.from({ length: 1001 }, () => at('10.0.0.1'))),
    ['endpoints: Too many: 1001: must have at most 1000 items'],
  ],
  [
    '101 addresses',
    endpointSliceKind,
    slice([at(...Array.from({ length: 101 }, (_, index) => `10.0.0.${index}`))]),
    ['endpoints[0].addresses: Too many: 101: must have at most 100 items'],
  ],

  [
    'a subset of nobody',
    endpointsKind,
    named({ subsets: [{ ports: [{ port: 1 }] }] }),
    ['subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
  ],
  [
    'endpoints on the loop',
    endpointsKind,
    named({ subsets: [{ addresses: [{ ip: '127.0.0.1' }] }] }),
    ['subsets[0].addresses[0].ip: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  ],
  [
    'two ports without names',
    endpointsKind,
    named({ subsets: [{ addresses: [{ ip: '10.0.0.1' }], ports: [{ port: 1 }, { port: 2 }] }] }),
    ['subsets[0].ports[0].name: Required value', 'subsets[0].ports[1].name: Required value'],
  ],
]

for (const [title, kind, body, expected] of refusals) {
  test(`${kind.kind} refused: ${title}`, t => t.deepEqual(complaints(kind, body), [...expected]))
}

test('a slice’s ports have a name and a protocol', t => {
  t.like(canonical(endpointSliceKind, slice([], 'IPv4', { ports: [{ port: 80 }] })), {
    ports: [{ name: '', protocol: 'TCP', port: 80 }],
    endpoints: null,
  })
})

test('a slice keeps its address type', t => {
  t.deepEqual(updating(endpointSliceKind, slice([]), slice([], 'IPv6')), [
    'addressType: Invalid value: "IPv6": field is immutable',
  ])
})

test('columns of slices and endpoints count what they do not show', t => {
  const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4']
  t.deepEqual(
    row(
      endpointSliceKind,
      slice(
        addresses.map(address => at(address)),
        'IPv4',
        { ports: [{ port: 80 }] },
      ),
    ),
    ['IPv4', '80', '10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...'],
  )
  t.deepEqual(row(endpointSliceKind, slice([])), ['IPv4', '<unset>', '<unset>'])
  t.deepEqual(row(endpointSliceKind, slice([], 'IPv4', { ports: [{}] })), ['IPv4', '*', '<unset>'])
  const subsets = [{ addresses: addresses.map(ip => ({ ip })), ports: [{ port: 80 }] }]
  t.deepEqual(row(endpointsKind, named({ subsets })), ['10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...'])
  t.deepEqual(row(endpointsKind, named({ subsets: [{ addresses: [{ ip: '2001:db8::1' }], ports: [{ port: 80 }] }] })), [
    '[2001:db8::1]:80',
  ])
  t.deepEqual(row(endpointsKind, named()), ['<none>'])
})

test('Endpoints are told to be deprecated', t => {
  t.deepEqual(endpointsKind.warnings?.(prepared(endpointsKind, named())), [
    'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  ])
})
