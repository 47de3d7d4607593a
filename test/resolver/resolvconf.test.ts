import test from 'ava'
import { generateResolvConf, parseResolvConf, type ResolvConfInput, validateDnsConfig } from '#resolver/resolvconf.ts'

const HOST_FILE = `# made by the node
; another comment
nameserver 192.0.2.53
search old.example
nameserver 2001:db8::53
nameserver 192.0.2.54
nameserver 192.0.2.55
search corp.example. example.net . corp.example
options timeout:1 attempts:2
options timeout:3 edns0
`

const input = (fields: Partial<ResolvConfInput> = {}): ResolvConfInput => ({
  dnsPolicy: 'ClusterFirst',
  namespace: 'harbor',
  hostNetwork: false,
  clusterDNS: ['10.96.0.10'],
  clusterDomain: 'cluster.local',
  hostFile: 'nameserver 192.0.2.53\nsearch corp.example\noptions timeout:1\n',
  ...fields,
})

const HOST_TEXT = 'search corp.example\nnameserver 192.0.2.53\noptions timeout:1\n'
const CLUSTER_SEARCH = 'harbor.svc.cluster.local svc.cluster.local cluster.local'
const CLUSTER_TEXT = `search ${CLUSTER_SEARCH} corp.example\nnameserver 10.96.0.10\noptions ndots:5\n`
const many = (count: number, length = 8): string[] =>
  Array.from({ length: count }, (_, index) => `${String(index).padStart(length - 2, 'd')}.x`)

test('the node’s file: every nameserver, the last search line, the last value of an option, no final dots', t => {
  t.deepEqual(parseResolvConf(HOST_FILE), {
    nameservers: ['192.0.2.53', '2001:db8::53', '192.0.2.54', '192.0.2.55'],
    searches: ['corp.example', 'example.net', 'corp.example'],
    options: ['timeout:3', 'attempts:2', 'edns0'],
  })
  t.deepEqual(parseResolvConf('nameserver\nsearch\n\n\tnameserver\t127.0.0.1  \r\n'), {
    nameservers: ['127.0.0.1'],
    searches: [],
    options: [],
  })
})

interface Row {
  readonly about: string
  readonly input: Partial<ResolvConfInput>
  readonly text: string
  readonly warnings?: readonly string[]
}

const rows: readonly Row[] = [
  { about: 'ClusterFirst', input: {}, text: CLUSTER_TEXT },
  { about: 'an unknown policy is taken as ClusterFirst', input: { dnsPolicy: 'Other' }, text: CLUSTER_TEXT },
  {
    about: 'an unknown policy, on the host’s network',
    input: { dnsPolicy: '', hostNetwork: true },
    text: CLUSTER_TEXT,
  },
  { about: 'ClusterFirst on the host’s network is Default', input: { hostNetwork: true }, text: HOST_TEXT },
  {
    about: 'ClusterFirstWithHostNet',
    input: { dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true },
    text: CLUSTER_TEXT,
  },
  { about: 'Default', input: { dnsPolicy: 'Default' }, text: HOST_TEXT },
  { about: 'None without dnsConfig is empty', input: { dnsPolicy: 'None' }, text: '' },
  {
    about: 'None with dnsConfig is exactly that (e2e: configurable pod nameservers)',
    input: {
      dnsPolicy: 'None',
      dnsConfig: {
        nameservers: ['1.1.1.1'],
        searches: ['resolv.conf.local'],
        options: [{ name: 'ndots', value: '2' }],
      },
    },
    text: 'search resolv.conf.local\nnameserver 1.1.1.1\noptions ndots:2\n',
  },
  {
    about: 'dnsConfig is appended without doubles, and its options win',
    input: {
      dnsConfig: {
        nameservers: ['10.96.0.10', '192.0.2.1'],
        searches: ['svc.cluster.local', '.', 'under_score.example'],
        options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
      },
    },
    text: `search ${CLUSTER_SEARCH} corp.example . under_score.example\nnameserver 10.96.0.10\nnameserver 192.0.2.1\noptions ndots:2 edns0\n`,
  },
  {
    about: 'all of --cluster-dns, two families',
    input: { clusterDNS: ['10.96.0.10', 'fd00::a'] },
    text: `search ${CLUSTER_SEARCH} corp.example\nnameserver 10.96.0.10\nnameserver fd00::a\noptions ndots:5\n`,
  },
  {
    about: 'no cluster DNS falls back to the node’s file',
    input: { clusterDNS: [] },
    text: HOST_TEXT,
    warnings: [
      'MissingClusterDNS: kubelet does not have ClusterDNS IP configured and cannot create Pod using "ClusterFirst" policy. Falling back to "Default" policy.',
    ],
  },
  {
    about: 'no cluster domain: only the node’s search domains',
    input: { clusterDomain: '' },
    text: 'search corp.example\nnameserver 10.96.0.10\noptions ndots:5\n',
  },
  {
    about: '--resolv-conf="" ends lookups: IPv4 node',
    input: { dnsPolicy: 'Default', hostFile: undefined },
    text: 'search .\nnameserver 127.0.0.1\n',
  },
  {
    about: '--resolv-conf="" ends lookups: two families',
    input: { dnsPolicy: 'Default', hostFile: undefined, nodeAddresses: ['2001:db8::1', '192.0.2.1'] },
    text: 'search .\nnameserver ::1\nnameserver 127.0.0.1\n',
  },
  {
    about: '--resolv-conf="" leaves cluster mode alone',
    input: { hostFile: undefined },
    text: `search ${CLUSTER_SEARCH}\nnameserver 10.96.0.10\noptions ndots:5\n`,
  },
  {
    about: 'four nameservers: the fourth is cut',
    input: { dnsPolicy: 'Default', hostFile: HOST_FILE },
    text: 'search corp.example example.net corp.example\nnameserver 192.0.2.53\nnameserver 2001:db8::53\nnameserver 192.0.2.54\noptions timeout:3 attempts:2 edns0\n',
    warnings: [
      'DNSConfigForming: Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 192.0.2.53 2001:db8::53 192.0.2.54',
    ],
  },
  {
    about: '32 domains after the merge fit',
    input: { hostFile: '', dnsConfig: { searches: many(29) } },
    text: `search ${CLUSTER_SEARCH} ${many(29).join(' ')}\nnameserver 10.96.0.10\noptions ndots:5\n`,
  },
  {
    about: 'the 33rd is cut',
    input: { hostFile: '', dnsConfig: { searches: many(30) } },
    text: `search ${CLUSTER_SEARCH} ${many(29).join(' ')}\nnameserver 10.96.0.10\noptions ndots:5\n`,
    warnings: [
      `DNSConfigForming: Search Line limits were exceeded, some search paths have been omitted, the applied search line is: ${CLUSTER_SEARCH} ${many(29).join(' ')}`,
    ],
  },
  {
    about: 'a node’s list above 29 is told by itself',
    input: { dnsPolicy: 'Default', hostFile: `search ${many(30).join(' ')}\n` },
    text: `search ${many(30).join(' ')}\n`,
    warnings: [
      'CheckLimitsForResolvConf: Resolv.conf file of the node contains search line consisting of more than 29 domains!',
    ],
  },
]

for (const { about, input: fields, text, warnings = [] } of rows) {
  test(`resolv.conf: ${about}`, t => {
    const result = generateResolvConf(input(fields))
    t.is(result.text, text)
    t.deepEqual(
      result.warnings.map(({ reason, message }) => `${reason}: ${message}`),
      warnings,
    )
  })
}

test('the search line stays within 2048 characters, cut from the end; a domain above 253 goes wherever it stands', t => {
  const long = 'l'.repeat(254)
  const exact = generateResolvConf(
    input({ dnsPolicy: 'None', dnsConfig: { searches: [long, ...many(8, 227), 'a'.repeat(2048 - 8 * 228)] } }),
  )
  t.is(exact.text.length, 'search \n'.length + 2048)
  t.false(exact.text.includes(long))
  t.is(exact.warnings.length, 1)

  const over = generateResolvConf(
    input({ dnsPolicy: 'None', dnsConfig: { searches: [...many(8, 227), 'b'.repeat(225)] } }),
  )
  t.is(over.text, `search ${many(8, 227).join(' ')}\n`)
  t.regex(over.warnings[0]?.message ?? '', /^Search Line limits were exceeded/)
})

test('what the API refuses of dnsConfig', t => {
  const problems = (policy: string, config?: Parameters<typeof validateDnsConfig>[1]) =>
    validateDnsConfig(policy, config)
  t.deepEqual(problems('ClusterFirst'), [])
  t.deepEqual(problems('None'), ['dnsConfig: must provide `dnsConfig` when `dnsPolicy` is None'])
  t.deepEqual(problems('None', {}), [
    'dnsConfig.nameservers: must provide at least one DNS nameserver when `dnsPolicy` is None',
  ])
  t.deepEqual(problems('None', { nameservers: ['1.1.1.1'], searches: ['a.b.', '_x.y_z', '.'] }), [])
  t.deepEqual(problems('Default', { nameservers: ['1.1.1.1', '::1', 'dns.example', '1.1.1.3'] }), [
    'dnsConfig.nameservers: must not have more than 3 nameservers',
    'dnsConfig.nameservers[2]: must be an IP address',
  ])
  t.deepEqual(problems('Default', { searches: many(33) }), [
    'dnsConfig.searches: must not have more than 32 search paths',
  ])
  t.deepEqual(problems('Default', { searches: many(10, 210) }), [
    'dnsConfig.searches: must not have more than 2048 characters (including spaces)',
  ])
  for (const search of ['', 'Upper.example', '-a.example', 'a..b', '..', 'a b']) {
    t.deepEqual(problems('Default', { searches: [search] }), [
      'dnsConfig.searches[0]: must be a lower case domain name, or "."',
    ])
  }
  t.deepEqual(problems('Default', { options: [{ name: 'ndots' }, { name: '' }, { name: 'ndots', value: '1' }] }), [
    'dnsConfig.options[1].name: must not be empty',
    'dnsConfig.options[2].name: ndots stands there twice',
  ])
})
