import test from 'ava'
import { soaData } from '#resolver/wire/rdata.ts'
import { namespace, service, slice } from '../../support/manifests.ts'
import { StaticCluster } from '../../support/static-cluster.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { TestZone } from '../../support/zone.ts'

const Z = 'cluster.local.'
const REVERSE = [{ name: 'in-addr.arpa.', kind: 'reverse' as const }]
const headless = { clusterIPs: ['None'], ports: [{ name: 'http', port: 80 }] }

const shop = () =>
  new StaticCluster([
    namespace('shop'),
    service('shop', 'web', '10.96.0.20'),
    slice({ namespace: 'shop', service: 'web', endpoints: ['10.244.0.5'] }),
    service('shop', 'db', headless),
    slice({ namespace: 'shop', service: 'db', endpoints: [{ address: '10.244.0.6', hostname: 'db-0', ready: false }] }),
  ])

test('each change is in the next answer, and only visible ones move the serial', async t => {
  const cluster = shop()
  const clock = new VirtualClock()
  const zone = new TestZone(cluster, { clock })
  const serial = () => soaData.decode(zone.answer(Z, 'SOA').answers[0]!.data).serial
  const first = serial()
  t.is(first, Math.floor(clock.now() / 1000))
  await clock.advance(5000)
  t.is(serial(), first)

  cluster.apply({
    ...service('shop', 'web', '10.96.0.20'),
    metadata: { namespace: 'shop', name: 'web', labels: { a: 'b' } },
  })
  cluster.apply({ ...namespace('shop', { team: 'x' }) })
  t.is(serial(), first, 'labels are not DNS')

  cluster.apply(service('shop', 'web', '10.96.0.21'))
  t.deepEqual(zone.ask(`web.shop.svc.${Z}`), ['NOERROR', `web.shop.svc.${Z} A 10.96.0.21`])
  t.deepEqual(zone.ask('20.0.96.10.in-addr.arpa.', 'PTR'), ['NXDOMAIN'])
  t.deepEqual(zone.ask('21.0.96.10.in-addr.arpa.', 'PTR'), [
    'NOERROR',
    `21.0.96.10.in-addr.arpa. PTR web.shop.svc.${Z}`,
  ])
  t.is(serial(), first + 5)

  cluster.remove(service('shop', 'web', ''))
  t.is(serial(), first + 6, 'two contents within a second have two serials')
  t.deepEqual(zone.ask(`web.shop.svc.${Z}`), ['NXDOMAIN'])
  t.deepEqual(zone.ask('5.0.244.10.in-addr.arpa.', 'PTR'), ['NXDOMAIN'], 'its endpoints went with it')
})

test('readiness, both ways', t => {
  const cluster = shop()
  const zone = new TestZone(cluster)
  t.deepEqual(zone.ask(`db.shop.svc.${Z}`), ['NXDOMAIN'])
  t.is(zone.reason(`db.shop.svc.${Z}`), 'service "shop/db" exists, but none of its endpoints is ready')
  cluster.apply(slice({ namespace: 'shop', service: 'db', endpoints: [{ address: '10.244.0.6', hostname: 'db-0' }] }))
  t.deepEqual(zone.ask(`db-0.db.shop.svc.${Z}`), ['NOERROR', `db-0.db.shop.svc.${Z} A 10.244.0.6`])
  t.deepEqual(zone.ask('6.0.244.10.in-addr.arpa.', 'PTR'), [
    'NOERROR',
    `6.0.244.10.in-addr.arpa. PTR db-0.db.shop.svc.${Z}`,
  ])
  cluster.remove(slice({ namespace: 'shop', service: 'db', endpoints: [] }))
  t.deepEqual(zone.ask(`db-0.db.shop.svc.${Z}`), ['NXDOMAIN'])
  t.deepEqual(zone.ask('6.0.244.10.in-addr.arpa.', 'PTR'), ['NXDOMAIN'])
})

test('a slice that moves to another service takes its addresses along', t => {
  const cluster = shop()
  const zone = new TestZone(cluster)
  cluster.apply(slice({ namespace: 'shop', service: 'db', name: 'web-1', endpoints: ['10.244.0.5'] }))
  t.deepEqual(zone.ask(`db.shop.svc.${Z}`), ['NOERROR', `db.shop.svc.${Z} A 10.244.0.5`])
  t.deepEqual(zone.ask(`10-244-0-5.web.shop.svc.${Z}`), ['NXDOMAIN'])
  t.deepEqual(zone.ask('5.0.244.10.in-addr.arpa.', 'PTR'), [
    'NOERROR',
    `5.0.244.10.in-addr.arpa. PTR 10-244-0-5.db.shop.svc.${Z}`,
  ])
})

test('without its namespace nothing exists, forward and reverse', t => {
  const cluster = shop()
  const zone = new TestZone(cluster)
  cluster.remove(namespace('shop'))
  for (const name of [`web.shop.svc.${Z}`, `shop.svc.${Z}`, '20.0.96.10.in-addr.arpa.', '0.96.10.in-addr.arpa.']) {
    t.deepEqual(zone.ask(name, 'PTR'), ['NXDOMAIN'], name)
  }
  cluster.apply(namespace('shop'))
  t.deepEqual(zone.ask('0.96.10.in-addr.arpa.', 'PTR'), ['NOERROR'])
})

test('why there is nothing is told to EDNS clients', t => {
  const zone = new TestZone(shop(), { settings: { pods: 'disabled' } })
  const reasons: Readonly<Record<string, RegExp>> = {
    [`web.other.svc.${Z}`]: /^namespace "other" does not exist, or is not served$/,
    [`wep.shop.svc.${Z}`]: /^namespace "shop" has no service of this name$/,
    [`_https._tcp.web.shop.svc.${Z}`]: /^service "shop\/web" has no port named "https" for tcp$/,
    [`x.web.shop.svc.${Z}`]: /^service "shop\/web" has no ready endpoint of this name$/,
    [`10-0-0-1.shop.pod.${Z}`]: /^names of pods are turned off \(pods disabled\)$/,
    '9.9.9.10.in-addr.arpa.': /^no service and no ready endpoint has this address$/,
  }
  for (const [name, reason] of Object.entries(reasons)) t.regex(zone.reason(name), reason)
})

test('labels with special bytes are no names of the cluster, and break nothing', t => {
  const zone = new TestZone(shop())
  for (const name of [
    `web\\.shop.svc.${Z}`,
    `web.shop\\.svc.${Z}`,
    `\\000.shop.svc.${Z}`,
    `_.${'_'.repeat(63)}.web.shop.svc.${Z}`,
    `-.shop.pod.${Z}`,
    `fe80--1%eth0.shop.pod.${Z}`,
    `1.2.3.4.5.in-addr.arpa.`,
    `01.0.96.10.in-addr.arpa.`,
    `g.ip6.arpa.`,
  ]) {
    t.is(zone.ask(name)[0], 'NXDOMAIN', name)
  }
})

test('a service with a cluster IP stays while its family is absent', t => {
  const zone = new TestZone(shop())
  t.deepEqual(zone.ask(`web.shop.svc.${Z}`, 'AAAA'), ['NOERROR'])
  t.deepEqual(zone.ask(`web.shop.svc.${Z}`, 'ANY'), ['NOERROR', `web.shop.svc.${Z} HINFO "RFC8482" ""`])
  t.deepEqual(zone.ask(`_tcp.web.shop.svc.${Z}`, 'ANY'), ['NOERROR'])
})

test('before the lists are complete only what is known is answered', t => {
  const cluster = new StaticCluster([namespace('shop'), service('shop', 'web', '10.96.0.20')], false)
  const zone = new TestZone(cluster)
  t.is(zone.ask(`web.shop.svc.${Z}`)[0], 'NOERROR')
  t.deepEqual(zone.ask(`web.shop.svc.${Z}`, 'AAAA'), ['NOERROR'], 'a Service says all about its own addresses')
  for (const name of [`wep.shop.svc.${Z}`, `web.other.svc.${Z}`, '9.9.9.10.in-addr.arpa.']) {
    t.deepEqual(zone.ask(name), ['SERVFAIL'])
    t.is(zone.answer(name).extendedErrors?.[0]?.code, 14)
  }
  cluster.apply(service('shop', 'db', headless))
  cluster.apply(slice({ namespace: 'shop', service: 'db', endpoints: ['10.244.0.6'] }))
  t.is(zone.ask(`db.shop.svc.${Z}`)[0], 'NOERROR')
  t.deepEqual(zone.ask(`db.shop.svc.${Z}`, 'AAAA'), ['SERVFAIL'], 'a slice of the other family may still come')
  cluster.sync()
  t.deepEqual(zone.ask(`wep.shop.svc.${Z}`), ['NXDOMAIN'])
})

test('IPv6 prefixes of reverse names exist while an address lies below them', t => {
  const cluster = new StaticCluster([namespace('shop'), service('shop', 'six', 'fd00::a:1')])
  const zone = new TestZone(cluster)
  const digits = [...'fd00000000000000000000000000000000'.slice(0, 24), ...'000a0001'].reverse()
  for (const length of [32, 31, 30, 29, 16, 1]) {
    const name = `${digits.slice(32 - length).join('.')}.ip6.arpa.`
    t.is(zone.ask(name, 'PTR')[0], 'NOERROR', name)
    t.is(zone.ask(`${name.startsWith('e') ? 'd' : 'e'}.${name}`, 'PTR')[0], 'NXDOMAIN', `below ${name}`)
  }
  cluster.remove(service('shop', 'six', ''))
  t.is(zone.ask('d.f.ip6.arpa.', 'PTR')[0], 'NXDOMAIN')
})

test('endpoints whose names would be longer than 255 bytes have none, and cost the others nothing', t => {
  const long = 'l'.repeat(63)
  const zone = `${'z'.repeat(60)}.test.`
  const cluster = new StaticCluster([
    namespace(long),
    service(long, long, headless),
    slice({ namespace: long, service: long, endpoints: [{ address: '10.244.0.6', hostname: long }, '10.244.0.7'] }),
  ])
  const settings = { zones: [{ name: zone, kind: 'cluster' as const }, ...REVERSE], primaryZone: zone }
  const zones = new TestZone(cluster, { settings })
  const parent = `${long}.${long}.svc.${zone}`
  t.deepEqual(zones.ask(`_http._tcp.${parent}`, 'SRV').slice(1), [
    `_http._tcp.${parent} SRV 0 100 8080 10-244-0-7.${parent}`,
    `10-244-0-7.${parent} A 10.244.0.7`,
  ])
  t.is(zones.ask(parent).length, 3)
  t.is(zones.ask('6.0.244.10.in-addr.arpa.', 'PTR')[0], 'NXDOMAIN')
})
