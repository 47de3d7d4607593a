import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { sleep, systemClock } from '#lib/clock.ts'
import type { Answer, Verdict } from '#resolver/verdict.ts'
import { rcodes } from '#resolver/wire/codes.ts'
import { aData } from '#resolver/wire/rdata.ts'
import { absent, CacheBench, failed, found } from '../../support/cache-bench.ts'
import { type Ask, ask, configure, makeQuery, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { aRecord, soaRecord, startUpstream } from '../../support/upstream.ts'

test('an answer is kept for its TTL, which runs down; then it is asked for anew', async t => {
  const bench = new CacheBench('cache', found(60))
  t.deepEqual(await bench.ttls(), [60])
  await bench.seconds(59)
  t.deepEqual(await bench.ttls(), [1])
  t.is(bench.asked, 1)
  await bench.seconds(1)
  t.deepEqual(await bench.ttls(), [60])
  t.is(bench.asked, 2)
})

test('TTLs are bounded: by the cap of the line, of the type, and from below', async t => {
  t.deepEqual(await new CacheBench('cache 30', found(60)).ttls(), [30])
  t.deepEqual(await new CacheBench('cache', found(100_000)).ttls(), [3600])
  t.deepEqual(await new CacheBench('cache', absent(100_000, 100_000)).ttls(), [1800])
  t.deepEqual(await new CacheBench('cache', found(2)).ttls(), [5])
  t.deepEqual(await new CacheBench('cache {\n success 5000 600 100\n }', found(2)).ttls(), [100])
  const kept = new CacheBench('cache {\n keepttl\n }', found(60))
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
    const bench = new CacheBench('cache', absent(ttl, minimum))
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
  'REFUSED because too much is under way here': [
    { rcode: rcodes.REFUSED, extendedErrors: [{ code: 0, text: 'too many queries are under way' }] },
    false,
  ],
  'an answer to another question': [found(60, 'other.example.org.'), false],
  'authoritative data of ours': [{ ...found(60), authoritative: true }, false, 'kubernetes'],
  'a denial of ours': [{ ...absent(60, 60), authoritative: true }, false, 'kubernetes'],
  'a failure of ours': [{ rcode: rcodes.SERVFAIL }, false, 'kubernetes'],
  'authoritative data of an upstream': [{ ...found(60), authoritative: true }, true],
  'an answer without recursion': [found(60), false, 'forward', { recursionDesired: false }],
}

for (const [name, [reply, isKept, by = 'forward', question = {}]] of Object.entries(kept))
  test(`${name} is ${isKept ? '' : 'not '}kept`, async t => {
    const bench = new CacheBench('cache', reply)
    bench.by = by
    await bench.ask('www.example.org.', question)
    const second = await bench.ask('www.example.org.', question)
    t.is(bench.asked, isKept ? 1 : 2)
    t.is(second.rcode, reply.rcode ?? rcodes.NOERROR)
    if (isKept) t.false(second.authoritative)
  })

test('negative_ttl: denials without SOA are kept, where that is wanted', async t => {
  const bench = new CacheBench('cache {\n negative_ttl 20\n }', { rcode: rcodes.NXDOMAIN })
  await bench.ask()
  await bench.seconds(19)
  t.is((await bench.ask()).rcode, rcodes.NXDOMAIN)
  t.is(bench.asked, 1)
  await bench.seconds(1)
  await bench.ask()
  t.is(bench.asked, 2)
})

test('memory: long answers give way before CAPACITY is reached; the bound holds', async t => {
  const bench = new CacheBench('cache {\n memory 1M\n }')
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
  const bench = new CacheBench('cache', found(60))
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
  const bench = new CacheBench('cache', found(60))
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
  const bench = new CacheBench('cache', found(60))
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
    const bench = new CacheBench(directive, reply)
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

test('prefetch: popular names are asked for before their end', async t => {
  const bench = new CacheBench('cache {\n prefetch 3 1m 20%\n }', found(100))
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
  // CoreDNS's least number: one below it is taken as it.
  const bench = new CacheBench('cache {\n success 10\n }', found(60))
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
  const bench = new CacheBench('cache 30', found(60))
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
  // Long enough for a look at the file, not for the cache's 60 s. The file is read in the time of the world.
  await world.clock.advance(3000)
  while ((await address()) !== '192.0.2.99') await sleep(systemClock, 1)
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
      const bench = new CacheBench('cache {\n success 1024 3600 0\n denial 1024 1800 0\n serve_stale off\n }')
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
  'no capacity': ['cache {\n success -1\n }', /^Corefile:3: cache: "-1" is not a number of entries \(0 to/],
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
  const bench = new CacheBench('cache {\n success 1024\n denial 2048\n }', found(60))
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
  const next = new CacheBench('cache {\n success 1024\n denial 2048\n }')
  next.cache.adopt?.(bench.cache)
  t.deepEqual(next.cache.cacheCounters?.(), counted)
})
