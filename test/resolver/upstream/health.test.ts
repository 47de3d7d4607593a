import test from 'ava'
import { systemRandom } from '#lib/random.ts'
import { ExchangeError } from '#resolver/upstream/exchange-error.ts'
import { Health } from '#resolver/upstream/health.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const setUp = (maximumFailures = 2) => {
  const clock = new VirtualClock()
  const probes: number[] = []
  const changes: boolean[] = []
  const state = { alive: false, problem: new Error('no reply') }
  const health = new Health({
    interval: 500,
    maximumFailures,
    recursionDesired: true,
    domain: '.',
    clock,
    random: systemRandom,
    probe: async () => {
      probes.push(clock.monotonic())
      if (!state.alive) throw state.problem
    },
    onProbeFailed: () => {},
    onChange: isDown => void changes.push(isDown),
  })
  return { clock, probes, changes, state, health }
}

test('a server that answers is never probed', async t => {
  const { clock, probes, health } = setUp()
  for (let minute = 0; minute < 10; minute++) {
    health.answered()
    await clock.advance(60_000)
  }
  t.deepEqual(probes, [])
})

test('probes begin with a failure, grow apart to ten seconds, and differ from server to server', async t => {
  const gaps = async () => {
    const { clock, probes, health } = setUp()
    health.failed()
    health.failed()
    await clock.advance(120_000)
    return probes.slice(1).map((at, index) => at - probes[index]!)
  }
  const first = await gaps()
  const limits = [500, 1000, 2000, 4000, 8000, ...Array(first.length).fill(10_000)]
  for (const [index, gap] of first.entries())
    t.true(gap >= limits[index]! / 2 && gap <= limits[index]!, `${index}: ${gap}`)
  t.true(first.length < 30)
  t.notDeepEqual(first, await gaps())
})

test('down after as many failed probes; up with the first reply, and then as quick to notice as before', async t => {
  const { clock, probes, changes, state, health } = setUp()
  health.failed()
  await clock.advance(0)
  t.false(health.isDown)
  await clock.advance(500)
  t.true(health.isDown)
  state.alive = true
  await clock.advance(10_000)
  t.false(health.isDown)
  t.deepEqual(changes, [true, false])
  const before = probes.length
  await clock.advance(60_000)
  t.is(probes.length, before)
  state.alive = false
  health.failed()
  await clock.advance(500)
  t.true(health.isDown)
})

test('max_fails 0: never down, never probed', async t => {
  const { clock, probes, health } = setUp(0)
  health.failed()
  await clock.advance(60_000)
  t.false(health.isDown)
  t.deepEqual(probes, [])
})

test('one trial an interval', async t => {
  const { clock, health } = setUp()
  t.true(health.takeTrial())
  t.false(health.takeTrial())
  await clock.advance(499)
  t.false(health.takeTrial())
  await clock.advance(1)
  t.true(health.takeTrial())
})

test('closed: no probe any more', async t => {
  const { clock, probes, health } = setUp()
  health.failed()
  await clock.advance(600)
  health.close()
  const before = probes.length
  await clock.advance(60_000)
  t.is(probes.length, before)
})

test('that this machine cannot send a probe tells nothing about the server: it is tried again', async t => {
  const { clock, probes, changes, state, health } = setUp(1)
  state.problem = new ExchangeError('local', 'this server could not open a socket')
  health.failed()
  await clock.advance(60_000)
  t.true(probes.length > 5)
  t.deepEqual(changes, [])
  state.problem = new Error('no reply')
  await clock.advance(10_000)
  t.deepEqual(changes, [true])
})
