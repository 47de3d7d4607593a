import test from 'ava'
import { Backoff } from '#lib/backoff.ts'

test('delays double up to the maximum, each between half a step and a whole one', t => {
  for (const [unit, share] of [
    [0, 0.5],
    [1, 1],
  ] as const) {
    const backoff = new Backoff({ initial: 100, maximum: 1000, random: { unit: () => unit, integer: () => 0 } })
    t.deepEqual(
      [1, 2, 3, 4, 5, 6].map(() => backoff.next()),
      [100, 200, 400, 800, 1000, 1000].map(step => step * share),
    )
    backoff.reset()
    t.is(backoff.next(), 100 * share)
  }
})
