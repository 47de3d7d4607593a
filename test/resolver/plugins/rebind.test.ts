import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import type { Next } from '#resolver/next.ts'
import { answered, emptyAnswer } from '#resolver/verdict.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { aaaaData, aData } from '#resolver/wire/rdata.ts'
import { ask, configure, makeQuery, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { recordFromText } from '../../support/record-from-text.ts'
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
  await configuration.start(AbortSignal.timeout(60_000))
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

test('also as a hint of HTTPS and SVCB records, which browsers connect to', async t => {
  const rows = [
    ['1 . ipv4hint=192.0.2.1,10.0.0.1', 0],
    ['1 svc.example. alpn=h2 ipv6hint=2001:db8::1,fd00::1', 0],
    ['1 . alpn=h2 ipv4hint=192.0.2.1 ipv6hint=2001:db8::1', 1],
    ['0 svc.example.', 1],
  ] as const
  for (const type of ['HTTPS', 'SVCB'] as const)
    for (const [data, answers] of rows) {
      const record = recordFromText(`www.example. 60 IN ${type} ${data}`)
      if (!record.ok) return t.fail(record.problem)
      const upstream = await startUpstream(t, { respond: () => ({ answers: [record.value] }) })
      const configuration = configure(`. {\n rebind\n forward . ${upstream.target}\n}`)
      await configuration.start(AbortSignal.timeout(60_000))
      t.teardown(() => configuration.close())
      const reply = await ask(configuration, 'www.example.', { type: recordTypes[type] })
      t.is(reply?.answers.length, answers, `${type} ${data}`)
    }
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

test('law: whatever bytes a record has, the plugin has a verdict', t => {
  const plugin = configure('. {\n rebind\n bogus_nxdomain 192.0.2.99\n}').plugins
  fc.assert(
    fc.property(
      fc.constantFrom(A, AAAA, recordTypes.HTTPS, recordTypes.SVCB),
      fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.uint8Array({ maxLength: 30 }).map(bytes => Uint8Array.from([0, 1, 0, 0, 4, 0, 8, ...bytes])),
      ),
      (type, bytes) => {
        const answers = [{ name: 'a.', type, class: 1, ttl: 1, data: Buffer.from(bytes) }]
        const next: Next = () => answered('forward', emptyAnswer(rcodes.NOERROR, { answers }))
        return plugin.every(
          ({ handle }, index) => handle!.call(plugin[index], makeQuery('a.', { type }), next) !== undefined,
        )
      },
    ),
    { numRuns: 500 },
  )
  t.pass()
})

test('tells of words that are no zones', t => {
  t.regex(problemsOf('. {\n rebind {\n  allow a..b\n }\n}')[0] ?? '', /^Corefile:3: rebind: /)
})
