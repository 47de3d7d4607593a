import test, { type ExecutionContext } from 'ava'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { aaaaData, aData } from '#resolver/wire/rdata.ts'
import { ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { startUpstream } from '../../support/upstream.ts'

const { A, AAAA, MX } = recordTypes
const edns = { udpSize: 1232, dnssecOk: false, options: [] }

/** An upstream that gives each name the address, in the answer or beside it. */
const start = async (t: ExecutionContext, address: string, lines: string, world = testWorld()) => {
  const type = address.includes(':') ? AAAA : A
  const data = type === A ? aData.encode(address) : aaaaData.encode(address)
  const upstream = await startUpstream(t, {
    respond({ question }) {
      const record = { name: question.name, type, class: 1, ttl: 60, data }
      return question.type === MX ? { additional: [record] } : { answers: [record] }
    },
  })
  const configuration = configure(`. {\n ${lines}\n forward . ${upstream.target}\n}`, world)
  await configuration.start(AbortSignal.timeout(10_000))
  t.teardown(() => configuration.close())
  return { upstream, asking: (name: string, asked: number = type) => ask(configuration, name, { type: asked, edns }) }
}

const inside = [
  ...[
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '127.0.0.1',
    '127.5.5.5',
    '169.254.169.254',
    '0.0.0.0',
  ],
  ...['::1', '::', 'fd00::1', 'fc00::1', 'fe80::1', '::ffff:10.0.0.1', '64:ff9b::192.168.1.1', '2002:0a00:0001::1'],
]
const outside = [
  '192.0.2.1',
  '172.15.0.1',
  '172.32.0.1',
  '8.8.8.8',
  '2001:db8::1',
  '2606::1',
  '64:ff9b::8.8.8.8',
  '::ffff:8.8.8.8',
]

for (const address of inside)
  test(`${address} is withheld`, async t => {
    const { asking } = await start(t, address, 'rebind')
    const reply = await asking('evil.example.')
    t.deepEqual([reply?.rcode, reply?.answers, reply?.extendedErrors?.[0]?.code], [rcodes.NOERROR, [], 15])
    t.true(reply?.extendedErrors?.[0]?.text.includes('the private address'))
  })

for (const address of outside)
  test(`${address} passes`, async t => {
    const { asking } = await start(t, address, 'rebind')
    t.is((await asking('www.example.'))?.answers.length, 1)
  })

test('also beside an answer, also from the cache, and counted', async t => {
  const world = testWorld()
  const { asking, upstream } = await start(t, '10.0.0.1', 'rebind\n cache', world)
  t.deepEqual((await asking('evil.example.', MX))?.additional, [])
  for (let round = 0; round < 3; round++) t.deepEqual((await asking('evil.example.'))?.answers, [])
  t.is(upstream.queries.length, 2)
  t.regex(await world.registry.metrics(), /^seamark_rebind_blocked_total\{server="dns:\/\/:53"\} 4$/m)
})

test('exempt are allowed domains, names outside the zones, loopback where wanted, and names of the server’s own', async t => {
  const answersOf = async (address: string, lines: string, name: string) => {
    const { asking } = await start(t, address, lines)
    return (await asking(name))?.answers.length
  }
  const allowed = 'rebind {\n  allow corp.example 10.in-addr.arpa\n  allow lab.example\n }'
  t.is(await answersOf('10.0.0.1', allowed, 'www.corp.example.'), 1)
  t.is(await answersOf('10.0.0.1', allowed, 'lab.example.'), 1)
  t.is(await answersOf('10.0.0.1', allowed, 'notcorp.example.'), 0)
  t.is(await answersOf('10.0.0.1', 'rebind example.org', 'www.example.net.'), 1)
  t.is(await answersOf('127.0.0.2', 'rebind {\n  allow_localhost\n }', 'bl.example.'), 1)
  t.is(await answersOf('::1', 'rebind {\n  allow_localhost\n }', 'bl.example.'), 1)
  t.is(await answersOf('10.0.0.1', 'rebind {\n  allow_localhost\n }', 'bl.example.'), 0)
  t.is(await answersOf('192.0.2.1', 'rebind\n hosts /nowhere {\n  10.0.0.1 a.lan\n  fallthrough\n }', 'a.lan.'), 1)
})

test('tells of words that are no zones', t => {
  t.regex(problemsOf('. {\n rebind {\n  allow a..b\n }\n}')[0] ?? '', /^Corefile:3: rebind: /)
})
