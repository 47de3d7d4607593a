import test from 'ava'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { rdataToText } from '#resolver/wire/presentation.ts'
import { ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'

const { A, AAAA, MX, NS, PTR, SOA } = recordTypes
const reverse6 = `1.${'0.'.repeat(31)}ip6.arpa.`
const soa = 'localhost. root.localhost. 1 0 0 0 604800'

const answers: Record<string, readonly [name: string, type: number, data: string]> = {
  'localhost, IPv4': ['localhost.', A, '127.0.0.1'],
  'localhost, IPv6, in any case': ['LocalHost.', AAAA, '::1'],
  'a name below it (RFC 6761 §6.3)': ['app.localhost.', A, '127.0.0.1'],
  'what a search path makes of it': ['localhost.shop.svc.cluster.local.', AAAA, '::1'],
  'its SOA': ['localhost.', SOA, soa],
  'its NS': ['localhost.', NS, 'localhost.'],
  'the address of loopback': ['1.0.0.127.in-addr.arpa.', PTR, 'localhost.'],
  'the address of loopback, IPv6': [reverse6, PTR, 'localhost.'],
  'the NS of a reverse zone': ['127.in-addr.arpa.', NS, 'localhost.'],
}

for (const [about, [name, type, data]] of Object.entries(answers)) {
  test(about, async t => {
    const reply = await ask(configure('. {\n local\n}'), name, { type })
    t.true(reply?.authoritative)
    t.deepEqual(
      reply?.answers.map(record => `${record.name} ${record.ttl} ${rdataToText(record.type, record.data)}`),
      [`${name} 604800 ${data}`],
    )
  })
}

const denials: Record<string, readonly [name: string, type: number, rcode: number, zone: string]> = {
  'no other type': ['localhost.', MX, rcodes.NOERROR, 'localhost.'],
  'no SOA below the apex': ['app.localhost.', SOA, rcodes.NOERROR, 'localhost.'],
  'no other address of loopback': ['2.0.0.127.in-addr.arpa.', PTR, rcodes.NXDOMAIN, '127.in-addr.arpa.'],
  'names on the way to an address exist (RFC 8020)': ['0.127.in-addr.arpa.', PTR, rcodes.NOERROR, '127.in-addr.arpa.'],
  'this network': ['1.0.in-addr.arpa.', PTR, rcodes.NXDOMAIN, '0.in-addr.arpa.'],
  broadcast: ['255.255.255.255.in-addr.arpa.', PTR, rcodes.NXDOMAIN, '255.in-addr.arpa.'],
}

for (const [about, [name, type, rcode, zone]] of Object.entries(denials)) {
  test(`denied: ${about}`, async t => {
    const reply = await ask(configure('. {\n local\n}'), name, { type })
    t.is(reply?.rcode, rcode)
    t.deepEqual(reply?.answers, [])
    t.deepEqual(
      reply?.authority.map(record => `${record.name} ${rdataToText(record.type, record.data)}`),
      [`${zone} ${soa}`],
    )
  })
}

test('others pass; names with a domain behind localhost are counted', async t => {
  const world = testWorld()
  const configuration = configure('. {\n local\n whoami\n}', world)
  t.is((await ask(configuration, 'mylocalhost.'))?.additional.length, 2)
  t.is((await ask(configuration, 'localhost.example.org.'))?.answers.length, 1)
  await ask(configuration, 'localhost.')
  t.regex(await world.registry.metrics(), /^coredns_local_localhost_requests_total 1$/m)
})

test('localhost_prefix off: what a search path makes of localhost is left to others', async t => {
  const configuration = configure('. {\n local {\n  localhost_prefix off\n }\n whoami\n}')
  t.is((await ask(configuration, 'localhost.example.org.'))?.additional.length, 2)
  t.is((await ask(configuration, 'app.localhost.'))?.answers.length, 1)
  t.regex(problemsOf('. {\n local {\n  localhost_prefix maybe\n }\n}')[0] ?? '', /"maybe" is not one of on, off/)
})

test('takes no words', t => {
  t.regex(problemsOf('. {\n local host\n}')[0] ?? '', /one word too many/)
})
