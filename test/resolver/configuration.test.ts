import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { formatAddress } from '#lib/address.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { ask, configure, problemsOf, testWorld } from '../support/dns-environment.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const wrong: Record<string, readonly [text: string, ...problems: string[]]> = {
  'all problems at once, with lines and near words': [
    '.:53 {\n erors\n helth :8080\n ready {\n  moniter continuously\n }\n}\n',
    'Corefile:2: unknown directive "erors"; did you mean "errors"?',
    'Corefile:3: unknown directive "helth"; did you mean "health"?',
    'Corefile:5: ready: unknown property "moniter"; did you mean "monitor"?',
  ],
  'a plugin that CoreDNS has and Seamark does not': [
    '.:53 {\n route53 x\n}',
    'Corefile:2: "route53" is a plugin of CoreDNS that Seamark does not have yet; the nearest to it is "secondary"',
  ],
  'all lines of one directive': [
    '. {\n forward . 192.0.2.1 {\n  max_fail 2\n  policy rando\n }\n}',
    'Corefile:3: forward: unknown property "max_fail"; did you mean "max_fails"?',
    'Corefile:4: forward: "rando" is not one of fastest, random, round_robin, sequential; did you mean "random"?',
  ],
  'a directive that stands twice': [
    '.:53 {\n errors\n errors\n}',
    'Corefile:3: "errors" stands in this server block already (Corefile:2)',
  ],
  'zones that are served twice on one port': [
    'a b {\n errors\n}\nc {\n}\nA.:53 {\n}\n',
    'Corefile:6: "a." on dns://:53 is served already (Corefile:1)',
  ],
  'schemes that are not served': [
    'quic://. {\n errors\n}\n. {\n helth\n}\n',
    'Corefile:1: "quic://.": Seamark does not serve quic:// yet; the nearest to it is "tls"',
    'Corefile:5: unknown directive "helth"; did you mean "health"?',
  ],
  'an empty file': ['# nothing\n', 'Corefile:1: no server block (like ".:53 { … }")'],
  'an interface that is not there': [
    '. {\n bind 127.0.0.1 l0\n}',
    'Corefile:2: bind: "l0" is neither an IP address nor an interface of this machine; did you mean "lo"?',
  ],
  bounds: [
    '. {\n health {\n  lameduck 2h\n }\n}',
    'Corefile:3: health: "2h" is not a duration (0ms to 10m, written like 5s, 1m30s or 500ms)',
  ],
}

for (const [name, [text, ...problems]] of Object.entries(wrong))
  test(`tells of ${name}`, t => t.deepEqual(problemsOf(text), problems))

test('listeners: ports of keys, addresses of bind, one a server', t => {
  const configuration = configure('.:1053 a {\n bind 127.0.0.1 ::1\n}\nb:53 {\n}\nc {\n}\n')
  t.deepEqual(
    configuration.listeners.map(({ server, address }) => [server, address.host, address.port]),
    [
      ['dns://127.0.0.1:1053', '127.0.0.1', 1053],
      ['dns://[::1]:1053', '::1', 1053],
      ['dns://127.0.0.1:53', '127.0.0.1', 53],
      ['dns://[::1]:53', '::1', 53],
      ['dns://:53', '', 53],
    ],
  )
})

test('flags beat the Corefile: addresses of all, ports where 53 is meant', t => {
  const text = '.:53 {\n bind 127.0.0.9\n health :1\n ready :2\n prometheus :3\n}\nb:5300 {\n}'
  const servers = (overrides: Record<string, string>) =>
    configure(text, testWorld({ overrides })).listeners.map(({ server }) => server)
  t.deepEqual(servers({ 'dns-port': '1053' }), ['dns://127.0.0.9:1053', 'dns://:5300'])
  t.deepEqual(servers({ 'dns-address': '127.0.0.1:1053' }), ['dns://127.0.0.1:1053', 'dns://127.0.0.1:5300'])
  for (const key of ['.', '.:0', '.:5300'])
    t.deepEqual(
      configure(
        `${key} {\n}\nb${key.slice(1)} {\n}`,
        testWorld({ overrides: { 'dns-address': '127.0.0.1:1053' } }),
      ).listeners.map(({ server }) => server),
      ['dns://127.0.0.1:1053'],
      key,
    )
  const overrides = { 'health-address': '127.0.0.1:8', 'ready-address': ':9', 'metrics-address': '[::1]:7' }
  t.deepEqual(
    configure(text, testWorld({ overrides })).endpoints.map(({ address, path }) => [address.host, address.port, path]),
    [
      ['', 9, '/ready'],
      ['127.0.0.1', 8, '/health'],
      ['::1', 7, '/metrics'],
    ],
  )
  t.regex(problemsOf(text, testWorld({ overrides: { 'dns-port': 'x' } }))[0]!, /-dns.port: "x" is not a port/)
})

test('nobody to answer: SERVFAIL in a block, REFUSED outside; wrong classes and transfers are REFUSED', async t => {
  const configuration = configure('example.org {\n errors\n}')
  const rcode = async (name: string, question: Parameters<typeof ask>[2] = {}) =>
    (await ask(configuration, name, question))?.rcode
  t.is(await rcode('a.example.org.'), rcodes.SERVFAIL)
  t.is(await rcode('a.example.net.'), rcodes.REFUSED)
  t.is(await rcode('a.example.org.', { server: 'dns://:54' }), rcodes.REFUSED)
  t.is(await rcode('a.example.org.', { class: 3 }), rcodes.REFUSED)
  t.is(await rcode('example.org.', { type: recordTypes.AXFR, transport: 'tcp' }), rcodes.REFUSED)
  const edns = { udpSize: 1232, dnssecOk: false, options: [] }
  const refused = await ask(configuration, 'example.net.', { edns })
  t.deepEqual(refused?.extendedErrors, [{ code: 20, text: 'no server block for this name' }])
})

test('blocks that name the same endpoint share it', async t => {
  const configuration = configure('a {\n ready\n}\nb {\n ready\n}')
  t.is(configuration.endpoints.length, 1)
  t.deepEqual(await configuration.endpoints[0]!.reply(new URLSearchParams()), {
    status: 200,
    contentType: 'text/plain; charset=utf-8',
    body: 'OK',
  })
})

test('metrics carry CoreDNS’s names and labels', async t => {
  const world = testWorld()
  const configuration = configure('example.org {\n prometheus\n}', world)
  await configuration.start(new AbortController().signal)
  const edns = { udpSize: 1232, dnssecOk: true, options: [] }
  await ask(configuration, 'a.example.org.', { edns, type: 65_280 })
  await ask(configuration, 'a.example.net.', { transport: 'tcp', client: '2001:db8::1' })
  const text = await world.registry.metrics()
  for (const line of [
    'coredns_dns_requests_total{server="dns://:53",zone="example.org.",view="",proto="udp",family="1",type="other"} 1',
    'coredns_dns_requests_total{server="dns://:53",zone="dropped",view="",proto="tcp",family="2",type="A"} 1',
    'coredns_dns_do_requests_total{server="dns://:53",zone="example.org.",view=""} 1',
    'coredns_dns_responses_total{server="dns://:53",zone="example.org.",view="",rcode="SERVFAIL",plugin=""} 1',
    'coredns_dns_responses_total{server="dns://:53",zone="dropped",view="",rcode="REFUSED",plugin=""} 1',
    'coredns_dns_request_duration_seconds_bucket{le="0.00025",server="dns://:53",zone="example.org.",view=""} 1',
    'coredns_dns_request_size_bytes_count{server="dns://:53",zone="example.org.",view="",proto="udp"} 1',
    'coredns_plugin_enabled{server="dns://:53",zone="example.org.",view="",name="prometheus"} 1',
    'coredns_panics_total 0',
  ])
    t.true(text.includes(line), line)
  t.regex(text, /coredns_build_info\{version="0\.0\.0-test",revision="",goversion="v\d+/)
})

test('a plugin that stays over a reload stays enabled; one that went does not', async t => {
  const world = testWorld()
  const before = configure('example.org {\n prometheus\n whoami\n}', world)
  await before.start(new AbortController().signal)
  const after = configure('example.org {\n prometheus\n}', world)
  await after.start(new AbortController().signal)
  await before.close()
  const enabled = async () =>
    (await world.registry.getSingleMetric('coredns_plugin_enabled')!.get()).values.map(({ labels }) => labels.name)
  t.deepEqual(await enabled(), ['prometheus'])
  await after.close()
  t.deepEqual(await enabled(), [])
})

const kubeadm = new URL('../../configs/examples/kubeadm.Corefile', import.meta.url)

test('kubeadm’s Corefile sets up as it is, its plugins in CoreDNS’s order', t => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'resolv.conf'), 'nameserver 192.0.2.1\n')
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'c',
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: 'http://127.0.0.1:1' } }],
      users: [{ name: 'u', user: {} }],
    }),
  )
  const text = readFileSync(kubeadm, 'utf8').replace('/etc/resolv.conf', join(folder, 'resolv.conf'))
  const configuration = configure(text, testWorld({ overrides: { kubeconfig } }))
  t.deepEqual(
    configuration.plugins.map(({ name }) => name),
    ['reload', 'ready', 'health', 'prometheus', 'errors', 'loadbalance', 'cache', 'kubernetes', 'loop', 'forward'],
  )
  t.deepEqual(
    configuration.endpoints.map(({ address, path }) => `${formatAddress(address)}${path}`),
    [':8181/ready', ':8080/health', ':9153/metrics'],
  )
  t.deepEqual(
    configuration.listeners.map(({ server }) => server),
    ['dns://:53'],
  )
})
