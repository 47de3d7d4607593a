/** Plugins of a page each: errors, health, ready, loadbalance, bind. */
import test from 'ava'
import type { Next } from '#resolver/next.ts'
import type { Plugin } from '#resolver/plugin.ts'
import { readyPlugin } from '#resolver/plugins/ready.ts'
import { answered, emptyAnswer } from '#resolver/verdict.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { aData, mxData, nameData } from '#resolver/wire/rdata.ts'
import { ask, configure, makeQuery, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { aRecord, startUpstream } from '../../support/upstream.ts'

test('errors: a line for each failure, in CoreDNS’s words', async t => {
  const world = testWorld()
  await ask(configure('. {\n errors\n}', world), 'www.example.org.')
  t.deepEqual(world.lines, [
    '[ERROR] plugin/errors: 2 www.example.org. A: no plugin of the server block answers this name',
  ])
})

test('errors: a failure that the cache repeats is told once', async t => {
  const upstream = await startUpstream(t, { respond: () => ({ rcode: rcodes.SERVFAIL }) })
  const world = testWorld()
  const configuration = configure(`. {\n errors\n cache\n forward . ${upstream.target}\n}`, world)
  t.teardown(() => configuration.close())
  for (let round = 0; round < 3; round++) t.is((await ask(configuration, 'www.example.org.'))?.rcode, rcodes.SERVFAIL)
  t.deepEqual(world.lines, [
    `[ERROR] plugin/errors: 2 www.example.org. A: plugin/forward: ${upstream.target} answered SERVFAIL`,
  ])
})

test('errors: consolidate sums up, at its level, with the first one if wished', async t => {
  const world = testWorld()
  const configuration = configure(
    `. {\n errors {\n  consolidate 30s "^2 a.* no plugin" warning show_first\n  consolidate 1m " b[0-9]"\n }\n}`,
    world,
  )
  for (const name of ['a1.', 'a2.', 'a3.', 'b1.', 'b2.', 'c1.']) await ask(configuration, name)
  const text = 'no plugin of the server block answers this name'
  t.deepEqual(world.lines.splice(0), [
    `[WARNING] plugin/errors: 2 a1. A: ${text}`,
    `[ERROR] plugin/errors: 2 c1. A: ${text}`,
  ])
  await world.clock.advance(30_000)
  t.deepEqual(world.lines.splice(0), ["[WARNING] plugin/errors: 3 errors like '^2 a.* no plugin' occurred in last 30s"])
  await configuration.close()
  t.deepEqual(world.lines, ["[ERROR] plugin/errors: 2 errors like ' b[0-9]' occurred in last 60s"])
})

test('errors: a pattern is about the reason alone, too', async t => {
  const world = testWorld()
  const configuration = configure('. {\n errors {\n  consolidate 30s "^no plugin .* name$"\n }\n}', world)
  await ask(configuration, 'a.')
  t.deepEqual(world.lines, [])
  await configuration.close()
  t.deepEqual(world.lines, ["[ERROR] plugin/errors: 1 errors like '^no plugin .* name$' occurred in last 30s"])
})

test('errors: tells of patterns and levels that are none', t => {
  const consolidate = (words: string) => problemsOf(`. {\n errors {\n  consolidate ${words}\n }\n}`)[0] ?? ''
  t.regex(consolidate('1m "("'), /^Corefile:3: errors: "\(" is no regular expression of RE2/)
  t.regex(consolidate('1m x warnin'), /"warnin" is not one of error, warning, info, debug; did you mean/)
  t.regex(consolidate('1ms x'), /"1ms" is not a duration \(1s to 24h/)
  t.regex(consolidate('1m x info show_first more'), /takes at most|one word too many/)
})

test('health: 200 while it lives; lameduck holds the end back', async t => {
  const world = testWorld()
  const configuration = configure('. {\n health 127.0.0.1:8080 {\n  lameduck 5s\n }\n}', world)
  const [endpoint] = configuration.endpoints
  t.deepEqual(endpoint?.address, { host: '127.0.0.1', port: 8080 })
  t.deepEqual(await endpoint?.reply(new URLSearchParams()), {
    status: 200,
    contentType: 'text/plain; charset=utf-8',
    body: 'OK',
  })
  let drained = false
  const draining = configuration.drain({ quietFor: () => Number.POSITIVE_INFINITY }).then(() => {
    drained = true
  })
  await world.clock.advance(4999)
  t.false(drained)
  await world.clock.advance(1)
  await draining
  t.true(drained)
})

for (const [what, lastQuery, duration] of [
  ['until none has come for a second', 7000, 8000],
  ['but not for ever', Number.POSITIVE_INFINITY, 20_000],
] as const) {
  test(`health: lameduck goes on while queries come, ${what}`, async t => {
    const world = testWorld()
    const configuration = configure('. {\n health 127.0.0.1:8080 {\n  lameduck 5s\n }\n}', world)
    const began = world.clock.monotonic()
    let ended = Number.NaN
    const quietFor = () => Math.max(0, world.clock.monotonic() - began - lastQuery)
    const draining = configuration.drain({ quietFor }).then(() => {
      ended = world.clock.monotonic() - began
    })
    for (let step = 0; step < 250; step++) await world.clock.advance(100)
    await draining
    t.is(ended, duration)
  })
}

test('ready: names what it waits for; asks again only continuously; says no when stopping', async t => {
  const statuses = async (monitor: string) => {
    let isReady = false
    const slow: Plugin = { name: 'slow', ready: () => isReady }
    const position = { file: 'Corefile', line: 1 }
    const word = (text: string) => ({ text, position })
    const property = { name: word('monitor'), arguments: [word(monitor)], body: [] }
    const directive = { name: word('ready'), arguments: [], properties: [property] }
    const environment = { ...testWorld(), folder: '/', resolveInternally: () => ({ verdict: 'unhandled' }) as const }
    const set = readyPlugin.setup(
      directive,
      { zones: ['.'], servers: [], view: '', directives: [directive], plugins: () => [] },
      { ...environment, plugins: () => [slow, slow], readCorefile: async () => '', requestReload: () => {} },
    )
    if (!set.ok) throw new Error(set.problem.message)
    const reply = async () => {
      const { status, body } = await set.value.endpoints![0]!.reply(new URLSearchParams())
      return `${status} ${body}`
    }
    const seen = [await reply()]
    isReady = true
    seen.push(await reply())
    isReady = false
    seen.push(await reply())
    await set.value.drain!({ quietFor: () => 0 })
    return [...seen, await reply()]
  }
  t.deepEqual(await statuses('until-ready'), ['503 slow', '200 OK', '200 OK', '503 stopping'])
  t.deepEqual(await statuses('continuously'), ['503 slow', '200 OK', '503 slow', '503 stopping'])
})

test('loadbalance: addresses and mail servers in every order, CNAMEs in front, nothing lost', async t => {
  const plugin = configure('. {\n loadbalance\n}').plugins[0]!
  const name = 'www.example.org.'
  const record = (type: number, data: Buffer) => ({ name, type, class: 1, ttl: 60, data })
  const alias = [nameData.encode('a.'), nameData.encode('b.')].map(data => record(recordTypes.CNAME, data))
  const addresses = [1, 2, 3].map(last => aRecord(name, 60, `192.0.2.${last}`))
  const mail = record(recordTypes.MX, mxData.encode({ preference: 1, exchange: 'm.' }))
  const next: Next = () => answered('test', emptyAnswer(0, { answers: [...addresses, alias[0]!, mail, alias[1]!] }))
  const orders = new Map<string, number>()
  for (let round = 0; round < 600; round++) {
    const verdict = await plugin.handle!(makeQuery(name), next)
    if (verdict.verdict !== 'answered') return t.fail()
    const { answers } = verdict.answer
    t.deepEqual(answers.slice(0, 2), alias)
    t.is(new Set(answers).size, 6)
    const order = answers.filter(({ type }) => type === 1).map(({ data }) => aData.decode(data).at(-1))
    orders.set(order.join(''), (orders.get(order.join('')) ?? 0) + 1)
  }
  // Six orders of 100 expected each; below 50 is five standard deviations off.
  t.is(orders.size, 6)
  t.true([...orders.values()].every(count => count > 50))
})

test('bind: interfaces by name, without what is excepted', t => {
  const servers = (lines: string) => configure(`. {\n ${lines}\n}`).listeners.map(({ server }) => server)
  t.true(servers('bind lo').includes('dns://127.0.0.1:53'))
  t.deepEqual(servers('bind 127.0.0.2 127.0.0.3 {\n except 127.0.0.2\n }'), ['dns://127.0.0.3:53'])
  t.deepEqual(problemsOf('. {\n bind 127.0.0.2 {\n except 127.0.0.2\n }\n}'), [
    'Corefile:2: bind: no address is left to listen on',
  ])
})
