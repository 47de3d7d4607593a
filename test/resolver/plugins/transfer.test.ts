import test, { type ExecutionContext } from 'ava'
import type { Configuration } from '#resolver/configuration.ts'
import { extendedErrorCodes, rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { recordToText } from '#resolver/wire/presentation.ts'
import { soaData } from '#resolver/wire/rdata.ts'
import { withSerial } from '../../conformance/request.ts'
import { ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { startServer } from '../../support/dns-server.ts'
import { namespace, service, slice } from '../../support/manifests.ts'
import { decode, exchange, transfer } from '../../support/outgoing-transfer.ts'
import { findProgram, skip } from '../../support/programs.ts'
import { queryPacket } from '../../support/query-packet.ts'
import { run } from '../../support/run.ts'
import { type Manifest, StaticCluster } from '../../support/static-cluster.ts'

const { A, AXFR, IXFR, SOA, NS, PTR, SRV } = recordTypes

const ports = [{ name: 'http', port: 80 }, { name: 'dns', port: 53, protocol: 'UDP' }, { port: 9000 }]

const importedSlice = (name: string, address: string, labels: Readonly<Record<string, string>>) => ({
  ...slice({ namespace: 'shop', service: 'x', name, endpoints: [{ address, hostname: 'db-0' }] }),
  metadata: { namespace: 'shop', name, labels: { 'multicluster.kubernetes.io/service-name': 'db', ...labels } },
})

const imported: readonly Manifest[] = [
  { kind: 'ServiceImport', metadata: { namespace: 'shop', name: 'db' }, spec: { type: 'Headless', ports } } as Manifest,
  importedSlice('db-north', '10.9.0.1', { 'multicluster.kubernetes.io/source-cluster': 'north' }),
]

const objects: readonly Manifest[] = [
  namespace('shop'),
  namespace('kube-system'),
  service('shop', 'web', { clusterIPs: ['10.96.0.20', 'fd00::20'], ports }),
  slice({ namespace: 'shop', service: 'web', endpoints: ['10.244.0.9'] }),
  service('shop', 'db', { clusterIPs: ['None'], ports }),
  slice({ namespace: 'shop', service: 'db', endpoints: [{ address: '10.244.0.1', hostname: 'db-0' }, '10.244.0.2'] }),
  service('shop', 'docs', { type: 'ExternalName', externalName: 'docs.example.org' }),
  service('shop', 'empty', { clusterIPs: ['None'], ports }),
  service('kube-system', 'kube-dns', '10.96.0.10'),
  slice({ namespace: 'kube-system', service: 'kube-dns', endpoints: ['192.0.2.53'] }),
  ...imported,
]

const start = async (
  t: ExecutionContext,
  { to = '*', kubernetes = '', cluster = new StaticCluster(objects) } = {},
): Promise<Configuration> => {
  const text = `.:53 {
    kubernetes cluster.local clusterset.local 10.0.0.0/8 ip6.arpa {
      multicluster clusterset.local
      ${kubernetes}
    }
    transfer { 
      to ${to}
    }
  }`
  const configuration = configure(text, testWorld({ cluster: async () => cluster }))
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  return configuration
}

const serialOf = async (configuration: Configuration, zone: string): Promise<number> =>
  soaData.decode((await ask(configuration, zone, { type: SOA }))!.answers[0]!.data).serial

test('a cluster zone: what is in it, in order', async t => {
  const records = await transfer(await start(t, { kubernetes: 'namespaces shop' }), 'cluster.local.')
  t.deepEqual(
    records.map(record => recordToText(record).replace(/(SOA \S+ \S+) \d+/, '$1 *')),
    [
      'cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. * 7200 1800 86400 5',
      'cluster.local. 5 IN NS kube-dns.kube-system.svc.cluster.local.',
      'kube-dns.kube-system.svc.cluster.local. 0 IN A 10.96.0.10',
      'db.shop.svc.cluster.local. 5 IN A 10.244.0.1',
      'db.shop.svc.cluster.local. 5 IN A 10.244.0.2',
      'db.shop.svc.cluster.local. 5 IN SRV 0 50 8080 db-0.db.shop.svc.cluster.local.',
      'db.shop.svc.cluster.local. 5 IN SRV 0 50 8080 10-244-0-2.db.shop.svc.cluster.local.',
      '_http._tcp.db.shop.svc.cluster.local. 5 IN SRV 0 50 8080 db-0.db.shop.svc.cluster.local.',
      '_http._tcp.db.shop.svc.cluster.local. 5 IN SRV 0 50 8080 10-244-0-2.db.shop.svc.cluster.local.',
      'db-0.db.shop.svc.cluster.local. 5 IN A 10.244.0.1',
      'db-0.db.shop.svc.cluster.local. 5 IN SRV 0 100 8080 db-0.db.shop.svc.cluster.local.',
      '10-244-0-2.db.shop.svc.cluster.local. 5 IN A 10.244.0.2',
      '10-244-0-2.db.shop.svc.cluster.local. 5 IN SRV 0 100 8080 10-244-0-2.db.shop.svc.cluster.local.',
      'docs.shop.svc.cluster.local. 5 IN CNAME docs.example.org.',
      'web.shop.svc.cluster.local. 5 IN A 10.96.0.20',
      'web.shop.svc.cluster.local. 5 IN AAAA fd00::20',
      'web.shop.svc.cluster.local. 5 IN SRV 0 16 80 web.shop.svc.cluster.local.',
      'web.shop.svc.cluster.local. 5 IN SRV 0 16 53 web.shop.svc.cluster.local.',
      'web.shop.svc.cluster.local. 5 IN SRV 0 16 9000 web.shop.svc.cluster.local.',
      '_http._tcp.web.shop.svc.cluster.local. 5 IN SRV 0 50 80 web.shop.svc.cluster.local.',
      '_dns._udp.web.shop.svc.cluster.local. 5 IN SRV 0 50 53 web.shop.svc.cluster.local.',
      'cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. * 7200 1800 86400 5',
    ],
  )
})

for (const zone of ['cluster.local.', 'clusterset.local.', '10.in-addr.arpa.'])
  test(`${zone}: a secondary says what questions get, all of it and no more`, async t => {
    const configuration = await start(t)
    const records = await transfer(configuration, zone)
    t.true(records.length > 4)
    const sets = Map.groupBy(records.slice(1), ({ name, type }) => `${name} ${type}`)
    for (const set of sets.values()) {
      const { name, type } = set[0]!
      const reply = (await ask(configuration, name, { type, transport: 'tcp' }))!
      const own = reply.answers.filter(record => record.name === name && record.type === type)
      t.deepEqual(set.map(recordToText).toSorted(), own.map(recordToText).toSorted())
    }
  })

test('names of clusters are in a zone of the cluster set', async t => {
  const records = await transfer(await start(t), 'clusterset.local.')
  t.true(records.some(({ name, type }) => name === 'db-0.north.db.shop.svc.clusterset.local.' && type === A))
})

test('endpoints of which nobody says in which cluster they are have no names; their service has their addresses', async t => {
  const nameless = importedSlice('db-nowhere', '10.9.0.2', {})
  const configuration = await start(t, { cluster: new StaticCluster([...objects, nameless]) })
  const name = 'db.shop.svc.clusterset.local.'
  const addresses = (await ask(configuration, name))?.answers.map(record => recordToText(record).split(' ').at(-1))
  t.deepEqual(addresses?.toSorted(), ['10.9.0.1', '10.9.0.2'])
  const targets = (await ask(configuration, name, { type: SRV }))?.answers.map(record => recordToText(record))
  t.deepEqual(targets, ['db.shop.svc.clusterset.local. 5 IN SRV 0 100 8080 db-0.north.db.shop.svc.clusterset.local.'])
  const pointers = async (address: string) =>
    (await ask(configuration, `${address}.in-addr.arpa.`, { type: PTR }))?.answers.map(recordToText)
  t.deepEqual(await pointers('1.0.9.10'), ['1.0.9.10.in-addr.arpa. 5 IN PTR db-0.north.db.shop.svc.clusterset.local.'])
  t.deepEqual(await pointers('2.0.9.10'), [])
  const owners = (await transfer(configuration, 'clusterset.local.')).map(record => record.name)
  t.deepEqual(
    owners.filter(owner => owner.includes('..')),
    [],
  )
  t.true((await transfer(configuration, '10.in-addr.arpa.')).length > 4)
})

test('IXFR: the SOA alone to whoever is current or ahead, the zone to all others', async t => {
  const configuration = await start(t)
  const zone = 'cluster.local.'
  const serial = await serialOf(configuration, zone)
  const packet = queryPacket(zone, { type: IXFR })
  const typesFor = async (of: number) =>
    (await exchange(configuration, withSerial(packet, of))).flatMap(({ answers }) => answers).map(({ type }) => type)
  t.deepEqual(await typesFor(serial), [SOA])
  t.deepEqual(await typesFor(serial + 5), [SOA])
  const whole = (await transfer(configuration, zone)).map(({ type }) => type)
  t.deepEqual(await typesFor(serial - 1), whole)
  // RFC 1982: a serial that far ahead is behind.
  t.deepEqual(await typesFor((serial + 0x9000_0000) >>> 0), whole)
  const [without] = await exchange(configuration, packet)
  t.is(without!.rcode, rcodes.FORMERR)
  const overUdp = await configuration.responder(withSerial(packet, 1), {
    transport: 'udp',
    client: { address: '192.0.2.7', port: 40_000 },
    local: { address: '192.0.2.53', port: 53 },
    server: 'dns://:53',
  })
  t.deepEqual(
    decode(overUdp!).answers.map(({ type }) => type),
    [SOA],
  )
})

test('who may not have it, what is no zone, and what is not known yet', async t => {
  const open = await start(t)
  const edns = { udpSize: 1232, dnssecOk: false, options: [] }
  t.is((await ask(open, 'cluster.local.', { type: AXFR }))?.rcode, rcodes.REFUSED)
  t.is((await ask(open, 'cluster.local.', { type: AXFR, transport: 'https' }))?.rcode, rcodes.REFUSED)
  for (const name of ['shop.svc.cluster.local.', 'example.org.'])
    t.is((await ask(open, name, { type: AXFR, transport: 'tcp' }))?.rcode, rcodes.NOTAUTH)
  const closed = await start(t, { to: '192.0.2.8 198.51.100.0/24 2001:db8::1 [2001:db8::2]:53' })
  const reply = (await ask(closed, 'cluster.local.', { type: AXFR, transport: 'tcp', edns }))!
  t.is(reply.rcode, rcodes.REFUSED)
  t.is(reply.extendedErrors?.[0]?.code, extendedErrorCodes.PROHIBITED)
  const fromV6 = { type: NS, transport: 'tcp', client: '2001:DB8:0::1' } as const
  t.is((await ask(closed, 'cluster.local.', fromV6))?.rcode, rcodes.NOERROR)
  for (const [client, rcode] of [
    // Not REFUSED: only then is it seen that the serial is missing.
    ['198.51.100.77', rcodes.FORMERR],
    ['198.51.101.77', rcodes.REFUSED],
    ['192.0.2.80', rcodes.REFUSED],
  ] as const)
    t.is((await ask(closed, 'cluster.local.', { type: IXFR, client }))?.rcode, rcode, client)
  const early = await start(t, { cluster: new StaticCluster(objects, false) })
  t.is((await ask(early, 'cluster.local.', { type: AXFR, transport: 'tcp' }))?.rcode, rcodes.SERVFAIL)
})

/** Services enough for dozens of messages. */
const bigCluster = (count: number): StaticCluster => {
  const cluster = new StaticCluster(objects)
  for (let index = 0; index < count; index++)
    cluster.apply(service('shop', `service-${index}`, `10.97.${index >> 8}.${index & 255}`))
  return cluster
}

test('a zone of many messages is of one moment', async t => {
  const cluster = bigCluster(3000)
  const configuration = await start(t, { cluster })
  const rest: Iterable<Buffer>[] = []
  const packet = queryPacket('cluster.local.', { type: AXFR, edns: { udpSize: 1232, dnssecOk: false, options: [] } })
  const first = await configuration.responder(packet, {
    transport: 'tcp',
    client: { address: '192.0.2.7', port: 40_000 },
    local: { address: '192.0.2.53', port: 53 },
    server: 'dns://:53',
    follow: messages => void rest.push(messages),
  })
  for (let index = 0; index < 3000; index++) cluster.remove(service('shop', `service-${index}`, ''))
  cluster.apply(service('shop', 'zz-late', '10.98.0.1'))
  const packets = [first!, ...rest.flatMap(messages => [...messages])]
  const messages = packets.map(decode)
  t.true(messages.length > 20)
  t.true(packets.every(({ length }) => length <= 0x4000))
  t.true(messages.every(({ id, rcode, authoritative }) => id === 0x2a2a && rcode === 0 && authoritative))
  t.deepEqual([messages[0]!.edns?.udpSize, messages[1]!.edns], [1232, undefined])
  t.deepEqual([messages[0]!.question?.type, messages[1]!.question], [AXFR, undefined])
  const records = messages.flatMap(({ answers }) => answers)
  t.is(records.filter(({ name, type }) => type === A && name.startsWith('service-')).length, 3000)
  t.false(records.some(({ name }) => name.startsWith('zz-late')))
  t.deepEqual(records[0], records.at(-1))
})

const dig = findProgram('dig')

test('dig takes a big zone over TCP from the server', async t => {
  if (!dig) return skip(t, 'dig is not installed')
  const configuration = await start(t, { cluster: bigCluster(2000) })
  const { port } = await startServer(t, { responder: asOneServer(configuration) })
  const { code, stdout } = await run(dig, ['@127.0.0.1', '-p', String(port), 'cluster.local', 'AXFR'])
  t.is(code, 0)
  t.is([...stdout.matchAll(/^service-\d+\.shop\.svc\.cluster\.local\.\s+5\s+IN\s+A\s/gm)].length, 2000)
  t.regex(stdout, /XFR size: \d+ records \(messages [1-9]\d/)
})

/** The server under test listens on a port of the system's choice. */
const asOneServer =
  (configuration: Configuration): Configuration['responder'] =>
  (packet, context) =>
    configuration.responder(packet, { ...context, server: 'dns://:53' })

test('tells what is wrong with the directive', t => {
  const block = (lines: string) => problemsOf(`cluster.local:53 {\n kubernetes\n transfer {\n${lines}\n }\n}`)
  t.deepEqual(block(''), ['Corefile:3: transfer: needs "to": who may have the zones (to *: anybody)'])
  t.deepEqual(block('to ns.example.org'), [
    'Corefile:4: transfer: "ns.example.org" is neither an address, nor a network, nor "*"',
  ])
  t.deepEqual(block('form 192.0.2.1')[0], 'Corefile:4: transfer: unknown property "form"')
  t.deepEqual(block('to 192.0.2.1\nto 192.0.2.2:5353 *'), [])
})
