import test from 'ava'
import fc from 'fast-check'
import { HeavyHitters, type Hitter } from '#resolver/insight/heavy-hitters.ts'

const plain = (hitter: Hitter): Hitter => hitter

test('counts exactly while there is room', t => {
  const hitters = new HeavyHitters(10, plain)
  for (const key of ['a', 'b', 'a', 'c', 'a', 'b']) hitters.count(key)
  t.deepEqual(
    hitters.top(2).map(({ key, count, error }) => [key, count, error]),
    [
      ['a', 3, 0],
      ['b', 2, 0],
    ],
  )
})

test('law: a frequent key is there; a count is never too low, and too high by at most its error', t => {
  const keys = fc.array(
    fc.oneof({ arbitrary: fc.integer({ max: 2, min: 0 }), weight: 1 }, { arbitrary: fc.nat(500), weight: 2 }),
    { maxLength: 2000 },
  )
  fc.assert(
    fc.property(keys, fc.integer({ min: 1, max: 20 }), (asked, capacity) => {
      const hitters = new HeavyHitters(capacity, plain)
      const truth = new Map<string, number>()
      for (const number of asked) {
        hitters.count(String(number))
        truth.set(String(number), (truth.get(String(number)) ?? 0) + 1)
      }
      const top = new Map(hitters.top().map(hitter => [hitter.key, hitter]))
      for (const { key, count, error } of top.values()) {
        const real = truth.get(key) ?? 0
        if (count < real || count - error > real) return false
      }
      return [...truth].every(([key, count]) => count <= asked.length / capacity || top.has(key))
    }),
    { numRuns: 300 },
  )
  t.pass()
})

test('memory is bounded, whatever comes', t => {
  const hitters = new HeavyHitters(100, plain)
  let made = 0
  const counting = new HeavyHitters(100, hitter => {
    made++
    return hitter
  })
  for (let number = 0; number < 100_000; number++) {
    hitters.count(String(number))
    if (number % 3 === 0) counting.count('popular')
    counting.count(String(number))
  }
  t.is(hitters.top(1_000_000).length, 100)
  t.is(counting.top(1)[0]?.key, 'popular')
  t.true(made <= 100_001)
})
