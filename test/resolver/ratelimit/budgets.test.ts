import test from 'ava'
import fc from 'fast-check'
import { Budgets } from '#resolver/ratelimit/budgets.ts'

const take = (budgets: Budgets, times: number, now: number, { key = 'a', index = 0 } = {}): number =>
  Array.from({ length: times }, () => budgets.overdraft(key, index, now)).filter(overdraft => overdraft === 0).length

test('a burst at once, then as many as time has passed', t => {
  const budgets = new Budgets([{ tokens: 10, burst: 20 }], 100)
  t.is(take(budgets, 30, 5000), 20)
  t.is(take(budgets, 30, 5000), 0)
  t.is(take(budgets, 30, 5100), 1)
  t.is(take(budgets, 30, 5600), 5)
  t.is(take(budgets, 30, 60_000), 20)
})

test('counts what was asked for in vain, all budgets of a key together', t => {
  const budgets = new Budgets(
    [
      { tokens: 1, burst: 1 },
      { tokens: 1, burst: 1 },
    ],
    100,
  )
  const overdrafts = [0, 0, 1, 1, 0].map(index => budgets.overdraft('a', index, 1000))
  t.deepEqual(overdrafts, [0, 1, 0, 2, 3])
})

test('keys have nothing to do with each other', t => {
  const budgets = new Budgets([{ tokens: 1, burst: 2 }], 100)
  t.is(take(budgets, 5, 0, { key: 'a' }), 2)
  t.is(take(budgets, 5, 0, { key: 'b' }), 2)
})

test('room for so many keys; the one that asked longest ago starts anew', t => {
  const budgets = new Budgets([{ tokens: 1, burst: 1 }], 2)
  for (const key of ['a', 'b', 'c']) t.is(take(budgets, 2, 0, { key }), 1)
  t.is(budgets.size, 2)
  t.is(take(budgets, 1, 0, { key: 'c' }), 0)
  t.is(take(budgets, 1, 0, { key: 'a' }), 1)
})

test('never more than the burst and what time brings, never fewer than a steady client within the rate needs', t => {
  const rates = fc.record({ tokens: fc.integer({ min: 1, max: 1000 }), burst: fc.integer({ min: 1, max: 1000 }) })
  const pauses = fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(rates, pauses, (rate, times) => {
      const budgets = new Budgets([rate], 10)
      let now = 0
      let taken = 0
      for (const pause of times) {
        now += pause
        taken += take(budgets, 3, now)
        // One more for the rounding of sums of fractions.
        t.true(taken <= rate.burst + (now * rate.tokens) / 1000 + 1)
      }
      const steady = new Budgets([rate], 10)
      for (let turn = 0; turn < 50; turn++) t.is(take(steady, 1, (turn * 1001) / rate.tokens), 1)
    }),
  )
})
