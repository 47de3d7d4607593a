import test from 'ava'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { aaaaData, aData, nameData, soaData, srvData } from '#resolver/wire/rdata.ts'
import { ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { namespace, service, slice } from '../../support/manifests.ts'
import { transfer } from '../../support/outgoing-transfer.ts'
import { type Manifest, StaticCluster, staticSource } from '../../support/static-cluster.ts'

const { A, AAAA, CNAME, SRV, PTR, NS, SOA, TXT, AXFR } = recordTypes

const ports = [{ name: 'http', port: 80 }]
const balanced = (name: string, ingress: readonly object[], externalIPs: readonly string[] = []): Manifest => ({
  ...service('shop', name, { clusterIPs: ['10.96.0.20'], externalIPs, ports }),
  status: { loadBalancer: { ingress } },
})

const objects: readonly Manifest[] = [
  namespace('shop'),
  namespace('kube-system'),
  balanced('web', [{ ip: '203.0.113.5' }, { ip: '2001:db8::5' }], ['198.51.100.7', '203.0.113.5']),
  balanced('named', [{ hostname: 'lb.example.net' }, { hostname: 'other.example.net' }]),
  balanced('mixed', [{ ip: '203.0.113.6' }, { hostname: 'lb.example.net' }]),
  service('shop', 'inside', '10.96.0.21'),
  service('shop', 'alias', { type: 'ExternalName', externalName: 'x.test', externalIPs: ['203.0.113.9'] }),
  service('shop', 'db', { clusterIPs: ['None'], ports }),
  slice({
    namespace: 'shop',
    service: 'db',
    endpoints: [{ address: '203.0.113.70', hostname: 'db-0' }, '203.0.113.71'],
  }),
  service('kube-system', 'kube-dns', { clusterIPs: ['10.96.0.10'], externalIPs: ['203.0.113.53'], ports }),
  slice({ namespace: 'kube-system', service: 'kube-dns', endpoints: ['192.0.2.53'] }),
]

const LB = 'hosts /nowhere {\n 192.0.2.80 lb.example.net\n 2001:db8::80 lb.example.net\n fallthrough\n}'

const corefile = (rest = '', outside = LB, kubernetes = '') =>
  `.:53 {\n ${outside}\n kubernetes cluster.local {\n ${kubernetes}\n }\n k8s_external example.org 203.0.113.0/24 {\n${rest}\n }\n}`

const start = async (text: string, source = staticSource(objects)) => {
  const configuration = configure(text, testWorld({ cluster: source }))
  await configuration.start(AbortSignal.timeout(60_000))
  return configuration
}

const show: Readonly<Record<number, (data: Buffer) => string>> = {
  [A]: data => aData.decode(data),
  [AAAA]: data => aaaaData.decode(data),
  [CNAME]: data => nameData.decode(data),
  [PTR]: data => nameData.decode(data),
  [NS]: data => nameData.decode(data),
  [SOA](data) {
    const { mname, rname, minimum } = soaData.decode(data)
    return `${mname} ${rname} ${minimum}`
  },
  [SRV](data) {
    const { priority, weight, port, target } = srvData.decode(data)
    return `${priority} ${weight} ${port} ${target}`
  },
}

/** What is asked for, and the answer's data. A trailing `+` starts what the additional section holds. */
const answers: Readonly<Record<string, readonly [name: string, type: number, data: readonly string[]]>> = {
  'each address once': ['web.shop.example.org.', A, ['198.51.100.7', '203.0.113.5']],
  'the other family': ['WEB.shop.example.org.', AAAA, ['2001:db8::5']],
  'SRV of the service': [
    'web.shop.example.org.',
    SRV,
    ['0 33 80 web.shop.example.org.', '+', '198.51.100.7', '203.0.113.5', '2001:db8::5'],
  ],
  'SRV to a load balancer’s names': [
    '_http._tcp.named.shop.example.org.',
    SRV,
    ['0 50 80 lb.example.net.', '0 50 80 other.example.net.', '+', '192.0.2.80', '2001:db8::80'],
  ],
  'SRV to an address and a name': [
    '_http._tcp.mixed.shop.example.org.',
    SRV,
    ['0 50 80 mixed.shop.example.org.', '0 50 80 lb.example.net.', '+', '203.0.113.6', '192.0.2.80', '2001:db8::80'],
  ],
  'addresses before names': ['mixed.shop.example.org.', A, ['203.0.113.6']],
  'an alias, followed': ['named.shop.example.org.', A, ['lb.example.net.', '192.0.2.80']],
  'the alias itself': ['named.shop.example.org.', CNAME, ['lb.example.net.']],
  'a pointer': ['5.113.0.203.in-addr.arpa.', PTR, ['web.shop.example.org.']],
  'the name server, with its address': ['example.org.', NS, ['ns1.dns.example.org.', '+', '203.0.113.53']],
  'the name server’s address': ['ns1.dns.example.org.', A, ['203.0.113.53']],
  'the start of authority': ['example.org.', SOA, ['ns1.dns.example.org. hostmaster.dns.example.org. 5']],
}

for (const [about, [name, type, data]] of Object.entries(answers))
  test(`answers: ${about}`, async t => {
    const reply = (await ask(await start(corefile()), name, { type, edns: undefined }))!
    t.is(reply.rcode, rcodes.NOERROR)
    t.true(reply.authoritative)
    const shown = reply.answers.map(record => show[record.type]!(record.data))
    const glue = reply.additional.map(record => show[record.type]!(record.data))
    t.deepEqual([...shown, ...(glue.length > 0 ? ['+', ...glue] : [])], [...data])
  })

const negatives: Readonly<Record<string, readonly [name: string, type: number, rcode: number]>> = {
  'NODATA for another type': ['web.shop.example.org.', TXT, rcodes.NOERROR],
  'NODATA for a namespace': ['shop.example.org.', A, rcodes.NOERROR],
  'NODATA between port and service': ['_tcp.web.shop.example.org.', SRV, rcodes.NOERROR],
  'NODATA for addresses of a port': ['_http._tcp.web.shop.example.org.', A, rcodes.NOERROR],
  'NODATA above the name server': ['dns.example.org.', A, rcodes.NOERROR],
  'NODATA above addresses': ['113.0.203.in-addr.arpa.', PTR, rcodes.NOERROR],
  'no service inside only': ['inside.shop.example.org.', A, rcodes.NXDOMAIN],
  'no ExternalName': ['alias.shop.example.org.', A, rcodes.NXDOMAIN],
  'no pointer for an ExternalName': ['9.113.0.203.in-addr.arpa.', PTR, rcodes.NXDOMAIN],
  'no unknown namespace': ['web.stock.example.org.', A, rcodes.NXDOMAIN],
  'no label in front of a service': ['x.web.shop.example.org.', A, rcodes.NXDOMAIN],
  'no other protocol': ['_udp.web.shop.example.org.', SRV, rcodes.NXDOMAIN],
  'no other port': ['_https._tcp.web.shop.example.org.', SRV, rcodes.NXDOMAIN],
  'no other server': ['ns2.dns.example.org.', A, rcodes.NXDOMAIN],
  'no headless service': ['db.shop.example.org.', A, rcodes.NXDOMAIN],
  'no pointer of an endpoint': ['70.113.0.203.in-addr.arpa.', PTR, rcodes.NXDOMAIN],
}

for (const [about, [name, type, rcode]] of Object.entries(negatives))
  test(`negative: ${about}`, async t => {
    const reply = (await ask(await start(corefile()), name, { type }))!
    t.is(reply.rcode, rcode)
    t.is(reply.answers.length, 0)
    t.is(reply.authority[0]?.type, SOA)
    t.true(reply.authoritative)
  })

test('headless services, where they are wanted', async t => {
  const configuration = await start(corefile('headless'))
  const dataOf = async (name: string, type: number) =>
    (await ask(configuration, name, { type }))!.answers.map(record => show[type]!(record.data))
  t.deepEqual(await dataOf('db.shop.example.org.', A), ['203.0.113.70', '203.0.113.71'])
  t.deepEqual(await dataOf('db-0.db.shop.example.org.', A), ['203.0.113.70'])
  t.deepEqual(await dataOf('203-0-113-71.db.shop.example.org.', A), ['203.0.113.71'])
  t.deepEqual(await dataOf('db-0.db.shop.example.org.', SRV), ['0 100 8080 db-0.db.shop.example.org.'])
  t.deepEqual(await dataOf('_http._tcp.db.shop.example.org.', SRV), [
    '0 50 8080 db-0.db.shop.example.org.',
    '0 50 8080 203-0-113-71.db.shop.example.org.',
  ])
  t.deepEqual(await dataOf('70.113.0.203.in-addr.arpa.', PTR), ['db-0.db.shop.example.org.'])
  t.deepEqual(await dataOf('5.113.0.203.in-addr.arpa.', PTR), ['web.shop.example.org.'])
})

test('apex, ttl and the namespaces of the kubernetes plugin', async t => {
  const configuration = await start(corefile('apex ops\nttl 60', LB, 'namespaces shop'))
  const reply = (await ask(configuration, 'web.shop.example.org.'))!
  t.true(reply.answers.every(({ ttl }) => ttl === 60))
  const soa = (await ask(configuration, 'ops.example.org.'))!.authority[0]!
  t.is(show[SOA]!(soa.data), 'ns1.ops.example.org. hostmaster.ops.example.org. 60')
  t.is((await ask(configuration, 'kube-dns.kube-system.example.org.'))?.rcode, rcodes.NXDOMAIN)
  t.is((await ask(configuration, 'ns1.dns.example.org.'))?.rcode, rcodes.NXDOMAIN)
})

test('an address that moves has one name at any time, and the serial says so', async t => {
  const cluster = new StaticCluster(objects)
  const configuration = await start(corefile(), async () => cluster)
  const pointer = async () =>
    (await ask(configuration, '5.113.0.203.in-addr.arpa.', { type: PTR }))!.answers.map(({ data }) =>
      nameData.decode(data),
    )
  const serial = async () =>
    soaData.decode((await ask(configuration, 'example.org.', { type: SOA }))!.answers[0]!.data).serial
  const before = await serial()
  cluster.apply(balanced('web', []))
  t.deepEqual(await pointer(), [])
  t.is((await ask(configuration, 'web.shop.example.org.'))?.rcode, rcodes.NXDOMAIN)
  cluster.apply(balanced('named', [{ ip: '203.0.113.5' }]))
  t.deepEqual(await pointer(), ['named.shop.example.org.'])
  t.true((await serial()) > before)
})

test('falls through only for what does not exist, and only when the lists are complete', async t => {
  const shared = (fallthrough: string) =>
    `.:53 {\n kubernetes cluster.local\n k8s_external cluster.local {\n${fallthrough}\n }\n}`
  const versionOf = async (fallthrough: string) =>
    (await ask(await start(shared(fallthrough)), 'dns-version.cluster.local.', { type: TXT }))?.rcode
  t.is(await versionOf('fallthrough'), rcodes.NOERROR)
  t.is(await versionOf('fallthrough cluster.local'), rcodes.NOERROR)
  t.is(await versionOf('fallthrough example.net'), rcodes.NXDOMAIN)
  t.is(await versionOf(''), rcodes.NXDOMAIN)
  const early = await start(corefile('fallthrough'), staticSource(objects, false))
  t.is((await ask(early, 'inside.shop.example.org.'))?.rcode, rcodes.SERVFAIL)
  t.is((await ask(early, 'web.shop.example.org.'))?.rcode, rcodes.NOERROR)
})

test('a load balancer’s name that cannot be resolved is a failure; transfers are refused', async t => {
  const configuration = await start(corefile('', 'ready'))
  const reply = (await ask(configuration, 'named.shop.example.org.'))!
  t.is(reply.rcode, rcodes.SERVFAIL)
  t.is((await ask(configuration, 'example.org.', { type: AXFR, transport: 'tcp' }))?.rcode, rcodes.REFUSED)
})

test('a whole zone holds what questions get, and nothing else', async t => {
  const configuration = await start(`.:53 {
    ${LB}
    kubernetes cluster.local
    k8s_external example.org 203.0.113.0/24 {
      headless
    }
    transfer {
      to *
    }
  }`)
  const zones = ['example.org.', '113.0.203.in-addr.arpa.']
  const records = (await Promise.all(zones.map(zone => transfer(configuration, zone)))).flat()
  t.deepEqual(
    records.map(record => recordToText(record).replace(/(SOA \S+ \S+) \d+/, '$1 *')),
    [
      'example.org. 5 IN SOA ns1.dns.example.org. hostmaster.dns.example.org. * 7200 1800 86400 5',
      'example.org. 5 IN NS ns1.dns.example.org.',
      'ns1.dns.example.org. 5 IN A 203.0.113.53',
      'kube-dns.kube-system.example.org. 5 IN A 203.0.113.53',
      'kube-dns.kube-system.example.org. 5 IN SRV 0 100 80 kube-dns.kube-system.example.org.',
      '_http._tcp.kube-dns.kube-system.example.org. 5 IN SRV 0 100 80 kube-dns.kube-system.example.org.',
      'db.shop.example.org. 5 IN A 203.0.113.70',
      'db.shop.example.org. 5 IN A 203.0.113.71',
      'db.shop.example.org. 5 IN SRV 0 50 8080 db-0.db.shop.example.org.',
      'db.shop.example.org. 5 IN SRV 0 50 8080 203-0-113-71.db.shop.example.org.',
      '_http._tcp.db.shop.example.org. 5 IN SRV 0 50 8080 db-0.db.shop.example.org.',
      '_http._tcp.db.shop.example.org. 5 IN SRV 0 50 8080 203-0-113-71.db.shop.example.org.',
      'db-0.db.shop.example.org. 5 IN A 203.0.113.70',
      'db-0.db.shop.example.org. 5 IN SRV 0 100 8080 db-0.db.shop.example.org.',
      '203-0-113-71.db.shop.example.org. 5 IN A 203.0.113.71',
      '203-0-113-71.db.shop.example.org. 5 IN SRV 0 100 8080 203-0-113-71.db.shop.example.org.',
      'mixed.shop.example.org. 5 IN A 203.0.113.6',
      'mixed.shop.example.org. 5 IN SRV 0 50 80 mixed.shop.example.org.',
      'mixed.shop.example.org. 5 IN SRV 0 50 80 lb.example.net.',
      '_http._tcp.mixed.shop.example.org. 5 IN SRV 0 50 80 mixed.shop.example.org.',
      '_http._tcp.mixed.shop.example.org. 5 IN SRV 0 50 80 lb.example.net.',
      'named.shop.example.org. 5 IN CNAME lb.example.net.',
      '_http._tcp.named.shop.example.org. 5 IN SRV 0 50 80 lb.example.net.',
      '_http._tcp.named.shop.example.org. 5 IN SRV 0 50 80 other.example.net.',
      'web.shop.example.org. 5 IN A 198.51.100.7',
      'web.shop.example.org. 5 IN A 203.0.113.5',
      'web.shop.example.org. 5 IN AAAA 2001:db8::5',
      'web.shop.example.org. 5 IN SRV 0 33 80 web.shop.example.org.',
      '_http._tcp.web.shop.example.org. 5 IN SRV 0 33 80 web.shop.example.org.',
      'example.org. 5 IN SOA ns1.dns.example.org. hostmaster.dns.example.org. * 7200 1800 86400 5',
      '113.0.203.in-addr.arpa. 5 IN SOA ns1.dns.113.0.203.in-addr.arpa. hostmaster.dns.113.0.203.in-addr.arpa. * 7200 1800 86400 5',
      '113.0.203.in-addr.arpa. 5 IN NS ns1.dns.113.0.203.in-addr.arpa.',
      'ns1.dns.113.0.203.in-addr.arpa. 5 IN A 203.0.113.53',
      '5.113.0.203.in-addr.arpa. 5 IN PTR web.shop.example.org.',
      '6.113.0.203.in-addr.arpa. 5 IN PTR mixed.shop.example.org.',
      '53.113.0.203.in-addr.arpa. 5 IN PTR kube-dns.kube-system.example.org.',
      '70.113.0.203.in-addr.arpa. 5 IN PTR db-0.db.shop.example.org.',
      '71.113.0.203.in-addr.arpa. 5 IN PTR 203-0-113-71.db.shop.example.org.',
      '113.0.203.in-addr.arpa. 5 IN SOA ns1.dns.113.0.203.in-addr.arpa. hostmaster.dns.113.0.203.in-addr.arpa. * 7200 1800 86400 5',
    ],
  )
  for (const { name, type } of records) {
    const held = records.filter(record => record.name === name && record.type === type).map(recordToText)
    const reply = (await ask(configuration, name, { type, edns: undefined }))!
    t.deepEqual(reply.answers.map(recordToText).toSorted(), [...new Set(held)].toSorted(), `${name} ${type}`)
  }
})

test('tells what is wrong with the directive', t => {
  const block = (lines: string, zones = 'example.org') =>
    problemsOf(`.:53 {\n kubernetes cluster.local\n k8s_external ${zones} {\n${lines}\n }\n}`)
  t.deepEqual(block('apex a.b'), ['Corefile:4: k8s_external: "a.b" is not one label (like dns)'])
  t.deepEqual(block('headles'), ['Corefile:4: k8s_external: unknown property "headles"; did you mean "headless"?'])
  t.deepEqual(block('ttl 3601'), ['Corefile:4: k8s_external: "3601" is not a number of seconds (0 to 3600)'])
  t.regex(block('', '203.0.113.0/24')[0]!, /needs a zone that is not a reverse zone/)
  t.regex(problemsOf('.:53 {\n k8s_external example.org\n}')[0]!, /:2: k8s_external: needs "kubernetes"/)
})
