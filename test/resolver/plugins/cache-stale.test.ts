/** What the cache does when the upstream fails: failures that are remembered, answers that have ended. */
import test from 'ava'
import { rcodes } from '#resolver/wire/codes.ts'
import { absent, CacheBench, failed, found } from '../../support/cache-bench.ts'

/** What `forward` says where too much is under way. */
const unasked = { rcode: rcodes.REFUSED, extendedErrors: [{ code: 0, text: 'too many queries are under way' }] }

test('a failure is remembered, longer for each one in a row, until the upstream has an answer (RFC 9520)', async t => {
  for (const [directive, intervals] of [
    ['cache', [5, 10, 20, 30, 30]],
    ['cache {\n servfail 1m 5m\n }', [60, 120, 240, 300]],
    ['cache {\n servfail 100ms 2s\n }', [1, 2, 2]],
  ] as const) {
    const bench = new CacheBench(directive, failed)
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
  const off = new CacheBench('cache {\n servfail 0\n }', failed)
  await off.ask()
  await off.ask()
  t.is(off.asked, 2)
})

test('a failure is remembered by question, and questions that fail together are one failure', async t => {
  const bench = new CacheBench('cache', failed)
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
  const bench = new CacheBench('cache', { rcode: rcodes.SERVFAIL, extendedErrors: [cause] })
  t.deepEqual((await bench.ask()).extendedErrors, [cause])
  t.deepEqual((await bench.ask()).extendedErrors, [cause, { code: 13, text: '' }])
})

const stale = { code: 3, text: '' }

test('by itself: a stale answer when the upstream fails, for a day, TTL 30, asked again after 30 s (RFC 8767)', async t => {
  const bench = new CacheBench('cache', found(60))
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
  const bench = new CacheBench('cache', found(60))
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
  const bench = new CacheBench('cache', absent(60, 60))
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
    const bench = new CacheBench('cache', found(60))
    await bench.ask()
    await bench.seconds(100)
    bench.reply = reply
    t.deepEqual((await bench.ask()).extendedErrors, [stale])
  }
})

test('serve_stale off: nothing is served after its time', async t => {
  for (const word of ['off', '0', '0s']) {
    const bench = new CacheBench(`cache {\n serve_stale ${word}\n }`, found(60))
    await bench.ask()
    await bench.seconds(60)
    bench.reply = failed
    t.is((await bench.ask()).rcode, rcodes.SERVFAIL)
  }
})

test('serve_stale immediate: what has ended is served at once, and asked for anew behind it', async t => {
  const bench = new CacheBench('cache {\n serve_stale 1h\n }', found(60))
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
    const bench = new CacheBench(`cache {\n ${directive}\n }`, found(60))
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

test('questions that were not asked for want of room are no failures of their names; what is stale is not asked for at once', async t => {
  const bench = new CacheBench('cache {\n serve_stale 1h immediate\n }', found(60))
  await bench.ask()
  await bench.seconds(100)
  bench.reply = unasked
  for (let time = 0; time < 3; time++) {
    t.deepEqual(await bench.ttls(), [30])
    await bench.seconds(0)
  }
  t.is(bench.asked, 2, 'once again within 30 s')
  t.is(bench.cache.statistics!()['denials'], 1)
  for (let time = 0; time < 3; time++) t.is((await bench.ask('new.example.org.')).rcode, rcodes.REFUSED)
  t.is(bench.asked, 5)
  t.is(bench.cache.statistics!()['denials'], 1, 'nothing is kept of it')
})

test('where denials are not kept, no failure is remembered: what is stale is asked for each time', async t => {
  for (const reply of [failed, unasked]) {
    const bench = new CacheBench('cache {\n disable denial\n serve_stale 1h immediate\n }', found(60))
    await bench.ask()
    await bench.seconds(100)
    bench.reply = reply
    for (let time = 0; time < 3; time++) {
      await bench.ask()
      await bench.seconds(0)
    }
    t.is(bench.asked, 4)
  }
})

test('serve_stale verify: the upstream has the first word, if it comes in time', async t => {
  const bench = new CacheBench('cache {\n serve_stale 1h verify 500ms\n }', found(60))
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
  const bench = new CacheBench('cache {\n serve_stale 1h verify 500ms 30s 1m\n }', found(5))
  for (let round = 0; round < 5; round++) {
    t.deepEqual(await bench.ttls(), [5])
    await bench.seconds(5)
  }
  t.is(bench.asked, 5)
})

test('serve_stale_policy prefer_positive: what existed outlives a denial while it may be served stale', async t => {
  const bench = new CacheBench('cache {\n serve_stale 1h verify\n serve_stale_policy prefer_positive\n }', found(60))
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
