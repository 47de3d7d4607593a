import test from 'ava'
import { ChangeBoard } from '#lib/change-board.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { systemRandom } from '#lib/random.ts'
import { composeChain } from '#resolver/chain.ts'
import { panicMetrics, registerMetrics } from '#resolver/metrics.ts'
import type { Plugin, Reply } from '#resolver/plugin.ts'
import { Resolver } from '#resolver/resolve.ts'
import { Trace } from '#resolver/trace.ts'
import { UnroutedMessages } from '#resolver/unrouted.ts'
import { answered, emptyAnswer } from '#resolver/verdict.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { newCookieSecret, ServerCookies } from '#resolver/wire/cookie.ts'
import { type Ask, askBy, makeQuery } from '../support/dns-environment.ts'
import { requestContext } from '../support/query-packet.ts'
import { aRecord } from '../support/upstream.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

/** Says its name in the address of its answer. */
const speaker = (last: number): Plugin => ({
  name: 'speaker',
  handle: query =>
    answered('speaker', emptyAnswer(0, { answers: [aRecord(query.question.name, 1, `192.0.2.${last}`)] })),
})

const resolverOf = (zones: Readonly<Record<string, readonly Plugin[]>>) => {
  const clock = new VirtualClock()
  const registry = createRegistry()
  const chains = new Map(Object.entries(zones).map(([zone, plugins]) => [zone, [composeChain(plugins)]]))
  const { panics } = registerMetrics(registry, panicMetrics)
  const routes = new Map([['dns://:53', chains]])
  const cookies = new ServerCookies({ clock, secret: newCookieSecret(systemRandom) })
  const board = new ChangeBoard()
  const unrouted = new UnroutedMessages(registry)
  const given = { routes, clock, board, logger: silentLogger, panics, cookies, unrouted }
  const resolver = new Resolver({ ...given, unroutedReporters: [] })
  const ask = (name: string, question: Ask = {}) => askBy(resolver.respond, name, question)
  return { resolver, clock, registry, ask }
}

const blocks = { '.': [speaker(0)], 'example.org.': [speaker(1)], 'sub.example.org.': [speaker(2)] }

const routed: Record<string, readonly [name: string, last: number, type?: number]> = {
  'the longest zone': ['a.sub.example.org.', 2],
  'a zone’s own name': ['sub.example.org.', 2],
  'any case': ['A.SUB.Example.Org.', 2],
  'labels, not letters': ['notexample.org.', 0],
  'a dot inside a label is no border': ['a\\.sub.example.org.', 1],
  'the root': ['.', 0],
  'DS of a zone’s apex: its parent has it (RFC 4035 §3.1.4.1)': ['sub.example.org.', 1, recordTypes.DS],
  'DS below the apex': ['a.sub.example.org.', 2, recordTypes.DS],
  'DS of the root: nobody else has it': ['.', 0, recordTypes.DS],
}

for (const [about, [name, last, type]] of Object.entries(routed))
  test(`server blocks: ${about}`, async t => {
    const reply = await resolverOf(blocks).ask(name, type === undefined ? {} : { type })
    t.is(reply?.answers[0]?.data.at(-1), last)
  })

test('answers that need no waiting come back without a promise', t => {
  const { resolver } = resolverOf(blocks)
  const { packet, client, local, transport } = makeQuery('example.org.')
  t.true(Buffer.isBuffer(resolver.respond(packet, { client, local, transport, server: 'dns://:53' })))
})

const forCookie = Buffer.from(
  'beef01000000000000000001'.concat('00002904d000000000000c', '000a00084142434445464748'),
  'hex',
)

test('a query for a server cookie alone is answered, whatever zones there are', t => {
  const { resolver } = resolverOf({})
  const reply = resolver.respond(forCookie, requestContext())
  t.true(Buffer.isBuffer(reply))
  t.is((reply as Buffer)[3]! & 0xf, 0)
})

test('cookies alone are bounded over UDP, where addresses can be made up, and not over TCP', async t => {
  const { resolver, clock } = resolverOf({})
  const answered = (times: number, context = requestContext()) =>
    Array.from({ length: times }, () => resolver.respond(forCookie, context)).filter(Boolean).length
  t.is(answered(1100), 1000)
  t.is(answered(1100, requestContext('tcp')), 1100)
  await clock.advance(100)
  t.is(answered(1100), 100)
})

test('refusals of what is no query are bounded over UDP, and not over TCP', async t => {
  const { resolver, clock } = resolverOf({})
  const update = Buffer.from(forCookie)
  update[2]! |= 5 << 3
  const kinds = [update, Buffer.alloc(12)]
  const refused = (times: number, context = requestContext()) =>
    Array.from({ length: times }, (_, index) => resolver.respond(kinds[index % 2]!, context)).filter(Boolean).length
  t.is(refused(1100), 1000)
  t.is(refused(1100, requestContext('tcp')), 1100)
  // Those who ask something are answered.
  t.true(Buffer.isBuffer(resolver.respond(forCookie, requestContext())))
  await clock.advance(100)
  t.is(refused(1100), 100)
})

test('what no server block sees is counted by what it was and what it got', async t => {
  const { resolver, registry } = resolverOf({})
  const context = requestContext()
  const answer = Buffer.from(forCookie)
  answer[2]! |= 0x80
  const update = Buffer.from(forCookie)
  update[2]! |= 5 << 3
  const bad = Buffer.concat([forCookie, Buffer.alloc(16, 7)])
  bad.writeUInt16BE(28, 21)
  bad.writeUInt16BE(24, 25)
  for (const packet of [forCookie, bad, answer, update, update, Buffer.alloc(12), Buffer.alloc(3)])
    await resolver.respond(packet, context)
  for (let times = 0; times < 1000; times++) resolver.respond(forCookie, context)
  const text = await registry.metrics()
  t.deepEqual(
    text.split('\n').filter(line => line.startsWith('seamark_dns_unrouted_total{')),
    [
      ['cookie', 'NOERROR', 999],
      ['cookie', 'BADCOOKIE', 1],
      ['other', 'none', 2],
      ['other', 'NOTIMP', 2],
      ['other', 'FORMERR', 1],
      ['cookie', 'none', 2],
    ].map(
      ([kind, rcode, times]) =>
        `seamark_dns_unrouted_total{server="dns://:53",kind="${kind}",rcode="${rcode}"} ${times}`,
    ),
  )
})

test('a plugin that throws, rejects or breaks its contract costs a SERVFAIL, counted', async t => {
  const failures: Record<string, Plugin> = {
    throws: {
      name: 'bad',
      handle: () => {
        throw new Error('a bug')
      },
    },
    rejects: { name: 'bad', handle: () => Promise.reject(new Error('a bug')) },
    'answers with nonsense': {
      name: 'bad',
      handle: () =>
        answered('bad', emptyAnswer(0, { answers: [{ ...aRecord('x.', 1, '192.0.2.1'), name: 'y'.repeat(999) }] })),
    },
    'answers with nonsense later': {
      name: 'bad',
      handle: async () =>
        answered('bad', emptyAnswer(0, { answers: [{ ...aRecord('x.', 1, '192.0.2.1'), name: 'y'.repeat(999) }] })),
    },
    'fails to report': {
      ...speaker(1),
      report: () => {
        throw new Error('a bug')
      },
    },
  }
  for (const [about, plugin] of Object.entries(failures)) {
    const { ask, registry } = resolverOf({ '.': [plugin] })
    t.is((await ask('example.org.'))?.rcode, rcodes.SERVFAIL, about)
    t.true((await registry.metrics()).includes('coredns_panics_total 1'), about)
  }
})

test('reporters learn what was sent, by whom, after how long', async t => {
  const replies: Reply[] = []
  const { ask, clock } = resolverOf({
    'example.org.': [
      { name: 'reporter', report: (_, reply) => void replies.push(reply) },
      { name: 'slow', handle: (query, next) => clock.advance(250).then(() => next(query)) },
      speaker(7),
    ],
  })
  await ask('example.org.')
  const [reply] = replies
  t.is(reply?.by, 'speaker')
  t.is(reply?.duration, 250)
  t.is(reply?.packet?.length, 45)
  t.is(reply?.answer?.answers.length, 1)
})

test('silence is an answer, and is reported as one', async t => {
  const replies: Reply[] = []
  const { ask } = resolverOf({
    '.': [
      { name: 'reporter', report: (_, reply) => void replies.push(reply) },
      { name: 'dropper', handle: () => ({ verdict: 'dropped', by: 'dropper' }) },
    ],
  })
  t.is(await ask('example.org.'), undefined)
  t.deepEqual(
    replies.map(({ answer, packet, by }) => [answer, packet, by]),
    [[undefined, undefined, 'dropper']],
  )
})

test('a trace tells of bugs; plugins ask the whole chain through ask', async t => {
  const trace = new Trace(new VirtualClock())
  const { resolver } = resolverOf({
    'bad.': [
      {
        name: 'bad',
        handle: () => {
          throw new Error('a bug')
        },
      },
    ],
    'good.': [speaker(1)],
  })
  await resolver.conclude({ ...makeQuery('x.bad.'), trace })
  t.deepEqual(trace.steps, [
    { who: 'resolver', what: 'server block chosen', fields: { zones: [], view: '' }, at: 0 },
    { who: 'bad', what: 'asked', fields: {}, at: 0 },
    { who: 'resolver', what: 'a plugin failed by a bug', fields: { error: 'Error: a bug' }, at: 0 },
  ])
  const inside = await resolver.ask(makeQuery('x.good.'))
  t.is(inside.verdict === 'answered' && inside.by, 'speaker')
  const outside = await resolver.ask(makeQuery('x.else.'))
  t.is(outside.verdict === 'answered' && outside.answer.rcode, rcodes.REFUSED)
})
