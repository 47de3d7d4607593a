import test from 'ava'
import { firstGood, HedgeBudget, hedgeDelay, unlessLate } from '#resolver/upstream/hedge.ts'
import { Latency } from '#resolver/upstream/latency.ts'
import type { Outcome } from '#resolver/upstream/outcome.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

test('at most one question in twenty, after those that a quiet time has saved up', t => {
  const budget = new HedgeBudget()
  let taken = 0
  for (let question = 0; question < 10_000; question++) {
    budget.earn()
    taken += Number(budget.take())
  }
  t.true(taken >= 500 && taken <= 551, String(taken))
  for (let question = 0; question < 10_000; question++) budget.earn()
  let burst = 0
  while (budget.take()) burst++
  t.is(burst, 50)
})

test('late is what is slower than 95 of 100, within bounds', t => {
  const after = (duration: number) => {
    const latency = new Latency()
    for (let index = 0; index < 64; index++) {
      latency.sent(0)
      latency.replied(duration, duration)
    }
    return latency
  }
  t.is(hedgeDelay(new Latency(), 'another'), 100)
  t.is(hedgeDelay(after(30), 'another'), 30)
  t.is(hedgeDelay(after(0.5), 'another'), 5)
  t.is(hedgeDelay(after(1900), 'another'), 1000)
  t.is(hedgeDelay(after(30), 'same'), 200)
})

test('unlessLate: what settles in time, either way, is what becomes of it; what is late is no more', async t => {
  const clock = new VirtualClock()
  const inTime = { delay: 5, clock, whenLate: () => Promise.resolve('late') }
  t.is(await unlessLate(outcome => outcome.replied('first'), inTime), 'first')
  await t.throwsAsync(
    unlessLate(outcome => outcome.failed(new Error('no')), inTime),
    { message: 'no' },
  )
  const first: Outcome<string>[] = []
  const late = unlessLate<string>(outcome => first.push(outcome), inTime)
  clock.advance(5)
  t.is(await late, 'late')
  first[0]!.failed(new Error('nobody waits for it'))
  const whenLate = (begun: Promise<string>) => begun.then(value => `${value}, late`)
  const again = unlessLate<string>(outcome => first.push(outcome), { ...inTime, whenLate })
  await clock.advance(5)
  await new Promise(setImmediate)
  first[1]!.replied('first')
  t.is(await again, 'first, late')
})

test('firstGood: the first good value, else the first value, else the first error', async t => {
  const isEven = (value: number) => value % 2 === 0
  const after = async (turns: number, value: number) => {
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    if (value < 0) throw new Error(String(value))
    return value
  }
  t.is(await firstGood([after(1, 1), after(9, 2)], isEven), 2)
  t.is(await firstGood([after(9, 4), after(1, 2)], isEven), 2)
  t.is(await firstGood([after(1, 1), after(9, 3)], isEven), 1)
  t.is(await firstGood([after(1, -1), after(9, 3)], isEven), 3)
  await t.throwsAsync(firstGood([after(9, -1), after(1, -2)], isEven), { message: '-2' })
})
