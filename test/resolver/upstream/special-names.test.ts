import test from 'ava'
import { findSpecialZone, isOnSite, isSearchedClusterName } from '#resolver/upstream/special-names.ts'
import { classes, recordTypes } from '#resolver/wire/codes.ts'

const zoneOf = (name: string, type: number = recordTypes.A) => {
  const found = findSpecialZone({ name, canonicalName: name, type, class: classes.IN })
  return found && `${found.reach} ${found.zone}`
}

test('names that are nobody’s, and those of a site', t => {
  t.is(zoneOf('localhost.'), 'nowhere localhost.')
  t.is(zoneOf('a.b.onion.'), 'nowhere onion.')
  t.is(zoneOf('_dns.resolver.arpa.'), 'nowhere resolver.arpa.')
  t.is(zoneOf('1.0.0.127.in-addr.arpa.'), 'nowhere 127.in-addr.arpa.')
  t.is(zoneOf(`1.${'0.'.repeat(31)}ip6.arpa.`), `nowhere 1.${'0.'.repeat(31)}ip6.arpa.`)
  t.is(zoneOf('printer.local.'), 'site local.')
  t.is(zoneOf('ip-10-0-0-1.ec2.internal.'), 'site internal.')
  t.is(zoneOf('1.2.3.10.in-addr.arpa.'), 'site 10.in-addr.arpa.')
  for (const octet of [16, 24, 31]) t.is(zoneOf(`1.2.${octet}.172.in-addr.arpa.`), `site ${octet}.172.in-addr.arpa.`)
  t.is(zoneOf('9.9.100.100.in-addr.arpa.'), 'site 100.100.in-addr.arpa.')
  t.is(zoneOf('0.0.9.a.7.c.5.d.f.ip6.arpa.'), 'site d.f.ip6.arpa.')
})

test('names that anybody may ask for', t => {
  for (const name of [
    '.',
    'com.',
    'www.example.org.',
    'local.example.org.',
    'mylocal.',
    '1.2.15.172.in-addr.arpa.',
    '1.2.32.172.in-addr.arpa.',
    '9.9.63.100.in-addr.arpa.',
    '9.9.128.100.in-addr.arpa.',
    '8.8.8.8.in-addr.arpa.',
    'b.9.9.0.0.2.ip6.arpa.',
  ])
    t.is(zoneOf(name), undefined, name)
  // RFC 8375 §5.
  t.is(zoneOf('home.arpa.', recordTypes.DS), undefined)
  t.is(zoneOf('x.home.arpa.', recordTypes.DS), 'site home.arpa.')
})

test('addresses of a site', t => {
  for (const address of ['10.0.0.10', '172.31.255.1', '192.168.1.1', '100.64.0.1', '169.254.169.253', '127.0.0.53'])
    t.true(isOnSite(address), address)
  for (const address of ['::1', 'fd00::53', 'fe80::1%eth0', '168.63.129.16']) t.true(isOnSite(address), address)
  for (const address of ['8.8.8.8', '172.32.0.1', '100.128.0.1', '192.0.2.1', '2001:db8::1'])
    t.false(isOnSite(address), address)
})

test('names of the cluster with a search domain behind them', t => {
  const zones = ['cluster.local.']
  t.true(isSearchedClusterName('web.shop.svc.cluster.local.corp.example.', zones))
  t.true(isSearchedClusterName('web.shop.svc.cluster.local.eu-1.compute.internal.', zones))
  t.false(isSearchedClusterName('web.shop.svc.cluster.local.', zones))
  t.false(isSearchedClusterName('cluster.local.corp.example.', zones))
  t.false(isSearchedClusterName('web.svc.corp.example.', zones))
})
