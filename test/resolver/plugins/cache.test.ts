import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import type { Next, Plugin } from '#resolver/plugin.ts'
import { type Answer, answered, emptyAnswer, type Verdict } from '#resolver/verdict.ts'
import { rcodes } from '#resolver/wire/codes.ts'
import { aData } from '#resolver/wire/rdata.ts'
import {
  type Ask,
  ask,
  configure,
  makeQuery,
  problemsOf,
  type TestWorld,
  testWorld,
} from '../../support/dns-environment.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { aRecord, soaRecord, startUpstream } from '../../support/upstream.ts'

/** A cache before an upstream whose answer the test can change, and which counts what it is asked. */
class Bench {
  readonly world: TestWorld = testWorld()
  readonly cache: Plugin
  asked = 0
  by = 'forward'
  reply: Partial<Answer> | 'hang' = {}
  /** Whether the upstream takes its time, so that questions meet. */
  waits = false

  constructor(directive: string, reply: Bench['reply'] = {}) {
    this.cache = configure(`. {\n ${directive}\n}`, this.world).plugins[0]!
    this.reply = reply
  }

  readonly next: Next = () => {
    this.asked++
    if (this.reply === 'hang') return new Promise(() => {})
    const verdict = answered(this.by, emptyAnswer(rcodes.NOERROR, this.reply))
    return this.waits ? Promise.resolve(verdict) : verdict
  }

  async ask(name = 'www.example.org.', question: Ask = {}): Promise<Answer> {
    const verdict = await this.cache.handle!(makeQuery(name, question), this.next)
    if (verdict.verdict !== 'answered') throw new Error(verdict.verdict)
    return verdict.answer
  }

  async ttls(name?: string): Promise<number[]> {
    const { answers, authority } = await this.ask(name)
    return [...answers, ...authority].map(({ ttl }) => ttl)
  }

  seconds(count: number): Promise<void> {
    return this.world.clock.advance(count * 1000)
  }
}

const found = (ttl: number, name = 'www.example.org.') => ({ answers: [aRecord(name, ttl, '192.0.2.1')] })
const absent = (ttl: number, minimum: number) => ({
  rcode: rcodes.NXDOMAIN,
  authority: [soaRecord('example.org.', ttl, minimum)],
})

test('an answer is kept for its TTL, which runs down; then it is asked for anew', async t => {
  const bench = new Bench('cache', found(60))
  t.deepEqual(await bench.ttls(), [60])
  await bench.seconds(59)
  t.deepEqual(await bench.ttls(), [1])
  t.is(bench.asked, 1)
  await bench.seconds(1)
  t.deepEqual(await bench.ttls(), [60])
  t.is(bench.asked, 2)
})

test('TTLs are bounded: by the cap of the line, of the type, and from below', async t => {
  t.deepEqual(await new Bench('cache 30', found(60)).ttls(), [30])
  t.deepEqual(await new Bench('cache', found(100_000)).ttls(), [3600])
  t.deepEqual(await new Bench('cache', absent(100_000, 100_000)).ttls(), [1800])
  t.deepEqual(await new Bench('cache', found(2)).ttls(), [5])
  t.deepEqual(await new Bench('cache {\n success 5000 600 100\n }', found(2)).ttls(), [100])
  const kept = new Bench('cache {\n keepttl\n }', found(60))
  await kept.ttls()
  await kept.seconds(30)
  t.deepEqual(await kept.ttls(), [60])
  t.is(kept.asked, 1)
})

test('a denial is kept for the lesser of its SOA’s TTL and MINIMUM (RFC 2308 §5)', async t => {
  for (const [ttl, minimum] of [
    [60, 20],
    [20, 60],
  ] as const) {
    const bench = new Bench('cache', absent(ttl, minimum))
    await bench.ask()
    await bench.seconds(19)
    await bench.ask()
    t.is(bench.asked, 1)
    await bench.seconds(1)
    await bench.ask()
    t.is(bench.asked, 2)
  }
})

const kept: Record<string, readonly [reply: Partial<Answer>, kept: boolean, by?: string, question?: Ask]> = {
  'a success': [found(60), true],
  'NXDOMAIN with SOA': [absent(60, 60), true],
  'NXDOMAIN without SOA': [{ rcode: rcodes.NXDOMAIN }, false],
  'no such type, with SOA': [{ authority: [soaRecord('example.org.', 60, 60)] }, true],
  'no such type, without SOA': [{}, false],
  'a truncated answer': [{ ...found(60), truncated: true }, false],
  'a TTL of zero': [found(0), false],
  SERVFAIL: [{ rcode: rcodes.SERVFAIL }, true],
  'SERVFAIL for trouble of this machine': [
    { rcode: rcodes.SERVFAIL, extendedErrors: [{ code: 0, text: 'out of sockets' }] },
    false,
  ],
  NOTIMP: [{ rcode: rcodes.NOTIMP }, true],
  REFUSED: [{ rcode: rcodes.REFUSED }, false],
  'an answer to another question': [found(60, 'other.example.org.'), false],
  'authoritative data of ours': [{ ...found(60), authoritative: true }, false, 'kubernetes'],
  'a denial of ours': [{ ...absent(60, 60), authoritative: true }, false, 'kubernetes'],
  'a failure of ours': [{ rcode: rcodes.SERVFAIL }, false, 'kubernetes'],
  'authoritative data of an upstream': [{ ...found(60), authoritative: true }, true],
  'an answer without recursion': [found(60), false, 'forward', { recursionDesired: false }],
}

for (const [name, [reply, isKept, by = 'forward', question = {}]] of Object.entries(kept))
  test(`${name} is ${isKept ? '' : 'not '}kept`, async t => {
    const bench = new Bench('cache', reply)
    bench.by = by
    await bench.ask('www.example.org.', question)
    const second = await bench.ask('www.example.org.', question)
    t.is(bench.asked, isKept ? 1 : 2)
    t.is(second.rcode, reply.rcode ?? rcodes.NOERROR)
    if (isKept) t.false(second.authoritative)
  })

const failed = { rcode: rcodes.SERVFAIL }

test('a failure is remembered, longer for each one in a row, until the upstream has an answer (RFC 9520)', async t => {
  for (const [directive, intervals] of [
    ['cache', [5, 10, 20, 30, 30]],
    ['cache {\n servfail 1m 5m\n }', [60, 120, 240, 300]],
    ['cache {\n servfail 100ms 2s\n }', [1, 2, 2]],
  ] as const) {
    const bench = new Bench(directive, failed)
    for (const [index, seconds] of intervals.entries()) {
      await bench.ask()
      t.is(bench.asked, index + 1, directive)
      await bench.seconds(seconds - 0.1)
      t.deepEqual((await bench.ask()).extendedErrors, [{ code: 13, text: '' }])
      t.is(bench.asked, index + 1, directive)
      await bench.seconds(0.1)
    }
    bench.reply = found(5)
    await bench.ask()
    await bench.seconds(100_000)
    bench.reply = failed
    await bench.ask()
    await bench.seconds(intervals[0])
    const before = bench.asked
    await bench.ask()
    t.is(bench.asked, before + 1, 'it begins anew')
  }
  const off = new Bench('cache {\n servfail 0\n }', failed)
  await off.ask()
  await off.ask()
  t.is(off.asked, 2)
})

test('a failure is remembered by question, and questions that fail together are one failure', async t => {
  const bench = new Bench('cache', failed)
  bench.waits = true
  await Promise.all([bench.ask(), bench.ask(), bench.ask()])
  await bench.ask('www.example.org.', { type: 28 })
  await bench.ask('other.example.org.')
  t.is(bench.asked, 5)
  await bench.seconds(5)
  await bench.ask()
  t.is(bench.asked, 6)
})

test('a failure says why it is remembered, with the cause of the moment when it happened', async t => {
  const cause = { code: 23, text: '192.0.2.1:53 is unreachable' }
  const bench = new Bench('cache', { rcode: rcodes.SERVFAIL, extendedErrors: [cause] })
  t.deepEqual((await bench.ask()).extendedErrors, [cause])
  t.deepEqual((await bench.ask()).extendedErrors, [cause, { code: 13, text: '' }])
})

test('negative_ttl: denials without SOA are kept, where that is wanted', async t => {
  const bench = new Bench('cache {\n negative_ttl 20\n }', { rcode: rcodes.NXDOMAIN })
  await bench.ask()
  await bench.seconds(19)
  t.is((await bench.ask()).rcode, rcodes.NXDOMAIN)
  t.is(bench.asked, 1)
  await bench.seconds(1)
  await bench.ask()
  t.is(bench.asked, 2)
})

test('memory: long answers give way before CAPACITY is reached; the bound holds', async t => {
  const bench = new Bench('cache {\n memory 1M\n }')
  for (let index = 0; index < 300; index++) {
    const name = `n${index}.example.org.`
    bench.reply = {
      answers: Array.from({ length: 600 }, (_, host) => aRecord(name, 60, `192.0.${host >> 8}.${host & 255}`)),
    }
    await bench.ask(name)
  }
  const { bytes, successes } = bench.cache.statistics!()
  t.true(Number(bytes) <= 2 ** 20)
  t.true(Number(successes) > 20 && Number(successes) < 100, String(successes))
  t.like(bench.cache.cacheCounters!(), { insertions: 300, evictions: 300 - Number(successes) })
})

test('clear: nothing is left, neither answers nor failures', async t => {
  const bench = new Bench('cache', found(60))
  await bench.ask()
  await bench.cache.clear!()
  await bench.ask()
  t.is(bench.asked, 2)
  bench.reply = failed
  await bench.ask('other.example.org.')
  await bench.cache.clear!()
  await bench.ask('other.example.org.')
  t.is(bench.asked, 4)
  t.like(bench.cache.statistics!(), { successes: 0, denials: 1 })
})

test('a dump says what is kept, how long and in how many bytes', async t => {
  const bench = new Bench('cache', found(60))
  await bench.ask('WWW.example.org.')
  bench.reply = absent(30, 30)
  await bench.ask('gone.example.org.', { type: 28 })
  await bench.seconds(40)
  const [kept, ended] = [...bench.cache.cacheDump!()]
  t.like(kept, { name: 'www.example.org.', type: 'A', rcode: 'NOERROR', remaining: 20_000 })
  t.deepEqual(kept!.records, ['www.example.org. 60 IN A 192.0.2.1'])
  t.true(kept!.bytes > 12)
  t.like(ended, { name: 'gone.example.org.', type: 'AAAA', rcode: 'NXDOMAIN', remaining: -10_000 })
  t.regex(ended!.records[0]!, /^example\.org\. 30 IN SOA /)
})

test('the question is name in any case, type, DO and CD; the spelling is the client’s', async t => {
  const bench = new Bench('cache', found(60))
  await bench.ask()
  t.is((await bench.ask('WWW.Example.Org.')).answers[0]?.name, 'WWW.Example.Org.')
  t.is(bench.asked, 1)
  const edns = { udpSize: 1232, dnssecOk: true, options: [] }
  for (const question of [{ type: 28 }, { edns }, { checkingDisabled: true }, { edns, checkingDisabled: true }]) {
    const before = bench.asked
    await bench.ask('www.example.org.', question)
    t.is(bench.asked, before + 1)
  }
})

test('zones of the line, and zones that are disabled', async t => {
  const asks = async (directive: string, reply: Partial<Answer>) => {
    const bench = new Bench(directive, reply)
    await bench.ask()
    await bench.ask()
    return bench.asked
  }
  t.is(await asks('cache example.net', found(60)), 2)
  t.is(await asks('cache 30 example.org', found(60)), 1)
  t.is(await asks('cache {\n disable success example.org\n }', found(60)), 2)
  t.is(await asks('cache {\n disable success example.org\n }', absent(60, 60)), 1)
  t.is(await asks('cache {\n disable denial\n }', absent(60, 60)), 2)
})

const stale = { code: 3, text: '' }

test('by itself: a stale answer when the upstream fails, for a day, TTL 30, asked again after 30 s (RFC 8767)', async t => {
  const bench = new Bench('cache', found(60))
  await bench.ask()
  await bench.seconds(100)
  t.deepEqual(await bench.ttls(), [60], 'the upstream has the first word')
  await bench.seconds(100)
  bench.reply = failed
  for (const [wait, asked] of [
    [0, 3],
    [29.9, 3],
    [0.1, 4],
    [1, 4],
  ] as const) {
    await bench.seconds(wait)
    const answer = await bench.ask()
    t.deepEqual([answer.answers[0]?.ttl, answer.extendedErrors, bench.asked], [30, [stale], asked])
  }
  await bench.seconds(86_400)
  t.is((await bench.ask()).rcode, rcodes.SERVFAIL)
})

test('by itself: a client waits 1.8 s for an upstream that is silent; the next ones only for what is left', async t => {
  const bench = new Bench('cache', found(60))
  await bench.ask()
  await bench.seconds(100)
  bench.reply = 'hang'
  let first: number[] | undefined
  let second: number[] | undefined
  void bench.ttls().then(ttls => (first = ttls))
  await bench.seconds(1)
  void bench.ttls().then(ttls => (second = ttls))
  await bench.seconds(0.7)
  t.deepEqual([first, second], [undefined, undefined])
  await bench.seconds(0.1)
  t.deepEqual([first, second], [[30], [30]])
  const asked = bench.asked
  t.deepEqual(await bench.ttls(), [30])
  t.is(bench.asked, asked, 'the question is under way: no other')
})

test('a stale denial says so, and is no failure’s to displace', async t => {
  const bench = new Bench('cache', absent(60, 60))
  await bench.ask()
  await bench.seconds(100)
  bench.reply = failed
  for (let round = 0; round < 2; round++) {
    const answer = await bench.ask()
    t.deepEqual([answer.rcode, answer.extendedErrors], [rcodes.NXDOMAIN, [{ code: 19, text: '' }]])
  }
})

test('REFUSED, or an answer to another question, does not take the place of what is stale', async t => {
  for (const reply of [{ rcode: rcodes.REFUSED }, found(60, 'other.example.org.')]) {
    const bench = new Bench('cache', found(60))
    await bench.ask()
    await bench.seconds(100)
    bench.reply = reply
    t.deepEqual((await bench.ask()).extendedErrors, [stale])
  }
})

test('serve_stale off: nothing is served after its time', async t => {
  for (const word of ['off', '0', '0s']) {
    const bench = new Bench(`cache {\n serve_stale ${word}\n }`, found(60))
    await bench.ask()
    await bench.seconds(60)
    bench.reply = failed
    t.is((await bench.ask()).rcode, rcodes.SERVFAIL)
  }
})

test('serve_stale immediate: what has ended is served at once, and asked for anew behind it', async t => {
  const bench = new Bench('cache {\n serve_stale 1h\n }', found(60))
  await bench.ask()
  await bench.seconds(100)
  const answer = await bench.ask()
  t.deepEqual([answer.answers[0]?.ttl, answer.extendedErrors], [30, [stale]])
  await bench.seconds(0)
  t.is(bench.asked, 2)
  t.deepEqual(await bench.ttls(), [60])
  t.is(bench.asked, 2)
  await bench.seconds(60 + 3600)
  bench.reply = failed
  t.is((await bench.ask()).rcode, rcodes.SERVFAIL)
})

test('serve_stale: the TTL of stale answers and the time between questions to upstreams that fail', async t => {
  for (const [directive, ttl, recheck] of [
    ['serve_stale 1h immediate', 30, 30],
    ['serve_stale 1h immediate 7s', 7, 30],
    ['serve_stale 1h immediate 7s 60s', 7, 60],
    ['serve_stale 1h verify 100ms 0s 2s', 0, 2],
    ['serve_stale verify', 30, 30],
  ] as const) {
    const bench = new Bench(`cache {\n ${directive}\n }`, found(60))
    await bench.ask()
    await bench.seconds(100)
    bench.reply = failed
    const askStale = async () => {
      t.deepEqual(await bench.ttls(), [ttl], directive)
      // Let what goes on behind the answer come to its end.
      await bench.seconds(0)
    }
    await askStale()
    await bench.seconds(recheck - 0.1)
    await askStale()
    t.is(bench.asked, 2, directive)
    await bench.seconds(0.1)
    await askStale()
    t.is(bench.asked, 3, directive)
  }
})

test('serve_stale verify: the upstream has the first word, if it comes in time', async t => {
  const bench = new Bench('cache {\n serve_stale 1h verify 500ms\n }', found(60))
  await bench.ask()
  await bench.seconds(100)
  bench.reply = absent(60, 60)
  t.is((await bench.ask()).rcode, rcodes.NXDOMAIN)
  bench.reply = found(60)
  await bench.seconds(100)
  t.is((await bench.ask()).rcode, rcodes.NOERROR)
  await bench.seconds(100)
  bench.reply = 'hang'
  const late = bench.ttls()
  await bench.seconds(0.5)
  t.deepEqual(await late, [30])
})

test('serve_stale verify: recheck bounds what failed, not questions that go well (CoreDNS issue 8571)', async t => {
  const bench = new Bench('cache {\n serve_stale 1h verify 500ms 30s 1m\n }', found(5))
  for (let round = 0; round < 5; round++) {
    t.deepEqual(await bench.ttls(), [5])
    await bench.seconds(5)
  }
  t.is(bench.asked, 5)
})

test('serve_stale_policy prefer_positive: what existed outlives a denial while it may be served stale', async t => {
  const bench = new Bench('cache {\n serve_stale 1h verify\n serve_stale_policy prefer_positive\n }', found(60))
  await bench.ask()
  await bench.seconds(100)
  bench.reply = absent(60, 60)
  t.deepEqual((await bench.ask()).extendedErrors, [stale])
  t.deepEqual((await bench.ask()).extendedErrors, [stale])
  t.is(bench.asked, 2, 'the denial is kept: the upstream’s word is known')
  await bench.seconds(60)
  bench.reply = found(60)
  t.deepEqual(await bench.ttls(), [60])
  await bench.seconds(100)
  bench.reply = found(0)
  t.deepEqual(await bench.ttls(), [0], 'a fresh answer counts, though it may not be kept')
  bench.reply = absent(3600, 3600)
  await bench.ask()
  await bench.seconds(3600)
  t.is((await bench.ask()).rcode, rcodes.NXDOMAIN)
})

test('prefetch: popular names are asked for before their end', async t => {
  const bench = new Bench('cache {\n prefetch 3 1m 20%\n }', found(100))
  await bench.ask()
  for (let round = 0; round < 4; round++) {
    await bench.seconds(15)
    await bench.ask()
  }
  t.is(bench.asked, 1)
  await bench.seconds(25)
  t.deepEqual(await bench.ttls(), [15])
  await bench.seconds(0)
  t.is(bench.asked, 2)
  t.deepEqual(await bench.ttls(), [100])
  const text = await bench.world.registry.metrics()
  t.true(text.includes('coredns_cache_prefetch_total{server="dns://:53",zones=".",view=""} 1'))
})

test('metrics by CoreDNS’s names; entries give way when the cache is full', async t => {
  const bench = new Bench('cache {\n success 1024\n }', found(60))
  for (let index = 0; index < 1030; index++) {
    bench.reply = found(60, `n${index}.example.org.`)
    await bench.ask(`n${index}.example.org.`)
  }
  await bench.ask('n1029.example.org.')
  const text = await bench.world.registry.metrics()
  for (const line of [
    'coredns_cache_entries{server="dns://:53",zones=".",view="",type="success"} 1024',
    'coredns_cache_hits_total{server="dns://:53",zones=".",view="",type="success"} 1',
    'coredns_cache_evictions_total{server="dns://:53",zones=".",view="",type="success"} 6',
    'coredns_cache_requests_total{server="dns://:53",zones=".",view=""} 1031',
    'coredns_cache_misses_total{server="dns://:53",zones=".",view=""} 1030',
  ])
    t.true(text.includes(line), line)
})

test('a reload with the same line keeps the entries', async t => {
  const bench = new Bench('cache 30', found(60))
  await bench.ask()
  const successor = configure('. {\n cache 30\n}', bench.world).plugins[0]!
  successor.adopt!(bench.cache)
  const verdict: Verdict = await successor.handle!(makeQuery('www.example.org.'), bench.next)
  t.is(verdict.verdict === 'answered' && verdict.by, 'cache')
})

test('plugins with data of their own have the first word, also where another server was asked before', async t => {
  const folder = temporaryFolder(t)
  const upstream = await startUpstream(t, { respond: ({ question }) => found(60, question.name) })
  const world = testWorld()
  const hosts = 'hosts hosts example.org {\n  reload 1s\n  fallthrough\n }'
  const configuration = configure(`. {\n cache\n ${hosts}\n forward . ${upstream.target}\n}`, world, folder)
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  const address = async () => aData.decode((await ask(configuration, 'www.example.org.'))!.answers[0]!.data)
  t.deepEqual([await address(), await address(), upstream.queries.length], ['192.0.2.1', '192.0.2.1', 1])
  writeFileSync(join(folder, 'hosts'), '192.0.2.99 www.example.org\n')
  const changed = world.clock.monotonic()
  while ((await address()) !== '192.0.2.99') await world.clock.advance(250)
  t.true(world.clock.monotonic() - changed < 30_000)
  t.is(upstream.queries.length, 1)
  const text = await world.registry.metrics()
  t.regex(text, /coredns_cache_hits_total\{server="dns:\/\/:53",zones="\.",view="",type="success"\} [1-9]/)
})

test('law: with serve_stale off nothing is served after its time, and TTLs never promise more than is left', async t => {
  const step = fc.record({
    wait: fc.integer({ min: 0, max: 40 }),
    name: fc.constantFrom('a.example.org.', 'b.example.org.'),
    ttl: fc.integer({ min: 0, max: 60 }),
    kind: fc.constantFrom('found', 'absent', 'failed'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
      const bench = new Bench('cache {\n success 1024 3600 0\n denial 1024 1800 0\n serve_stale off\n }')
      const until = new Map<string, number>()
      for (const { wait, name, ttl, kind } of steps) {
        await bench.seconds(wait)
        const now = bench.world.clock.monotonic() / 1000
        if (kind === 'found') bench.reply = found(ttl, name)
        else bench.reply = kind === 'absent' ? absent(ttl, ttl) : { rcode: rcodes.SERVFAIL }
        const before = bench.asked
        const answer = await bench.ask(name)
        if (bench.asked > before) until.set(name, now + (kind === 'failed' ? 30 : ttl))
        else if (now >= until.get(name)!) return false
        const records = [...answer.answers, ...answer.authority]
        if (records.some(record => now + record.ttl > until.get(name)!)) return false
      }
      return true
    }),
    { numRuns: 60 },
  )
  t.pass()
})

const wrong: Record<string, readonly [directive: string, problem: RegExp]> = {
  'a small capacity': ['cache {\n success 10\n }', /^Corefile:3: cache: "10" is not a number of entries \(1024 to/],
  'a long servfail': ['cache {\n servfail 6m\n }', /"6m" is not a duration \(0ms to 5m/],
  'a percentage without sign': ['cache {\n prefetch 1 1m 20\n }', /"20" is not a percentage/],
  'a minimum above the maximum': ['cache {\n denial 5000 10 20\n }', /MINTTL 20 is above TTL 10/],
  'a mode that is none': ['cache {\n serve_stale 1h later\n }', /"later" is not one of immediate, verify/],
  'a recheck above five minutes': [
    'cache {\n serve_stale 1h immediate 30s 6m\n }',
    /"6m" is not a duration \(0ms to 5m/,
  ],
  'words after off': ['cache {\n serve_stale off verify\n }', /"verify" is one word too many/],
  'a policy that is none': ['cache {\n serve_stale_policy positive\n }', /"positive" is not one of prefer_positive/],
  'a policy without serve_stale': [
    'cache {\n serve_stale off\n serve_stale_policy prefer_positive\n }',
    /"prefer_positive" needs serve_stale/,
  ],
  'a longest failure below the first': ['cache {\n servfail 10s 5s\n }', /"5s" is below 10s/],
  'a size that is none': ['cache {\n memory 32\n }', /"32" is not a size \(1M to 64G\)/],
  'what is disabled': ['cache {\n disable succes\n }', /did you mean "success"\?/],
}

for (const [name, [directive, problem]] of Object.entries(wrong))
  test(`tells of ${name}`, t => t.regex(problemsOf(`. {\n ${directive}\n}`)[0] ?? '', problem))

test('counters, in dnsmasq’s sense, that outlive a reload', async t => {
  const bench = new Bench('cache {\n success 1024\n denial 2048\n }', found(60))
  await bench.ask('a.')
  bench.reply = found(60, 'a.')
  for (let round = 0; round < 3; round++) await bench.ask('a.')
  t.deepEqual(bench.cache.cacheCounters?.(), { cachesize: 3072, insertions: 1, evictions: 0, misses: 2, hits: 2 })
  for (let index = 0; index < 1030; index++) {
    bench.reply = found(60, `n${index}.`)
    await bench.ask(`n${index}.`)
  }
  const counted = bench.cache.cacheCounters?.()
  t.like(counted, { insertions: 1031, evictions: 7, misses: 1032 })
  const next = new Bench('cache {\n success 1024\n denial 2048\n }')
  next.cache.adopt?.(bench.cache)
  t.deepEqual(next.cache.cacheCounters?.(), counted)
})
