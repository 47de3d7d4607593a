import test from 'ava'
import { MemoryKeeper } from '#lib/memory-keeper.ts'
import { createRegistry } from '#lib/metrics.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const MEBIBYTE = 1024 * 1024

/** What is in use, what malloc has free, and what is garbage, in MiB. */
const start = (limit: number | undefined, { trims = true } = {}) => {
  const clock = new VirtualClock()
  const registry = createRegistry()
  const held = { used: 60, free: 0, garbage: 0, isTold: true }
  const counts = { trims: 0, collections: 0 }
  const memory = {
    resident: () => (held.isTold ? (held.used + held.free + held.garbage) * MEBIBYTE : undefined),
    ...(trims && {
      trim() {
        counts.trims++
        held.free = 0
      },
    }),
    collect() {
      counts.collections++
      held.free += held.garbage / 2
      held.garbage = 0
    },
  }
  const keeper = new MemoryKeeper({ clock, registry, memory, limit: limit && limit * MEBIBYTE })
  keeper.begin()
  return { clock, registry, held, counts, keeper }
}

test('what malloc has free is given back when the process has grown, and not before', async t => {
  const { clock, held, counts } = start(undefined)
  await clock.advance(20_000)
  t.deepEqual(counts, { trims: 1, collections: 0 })
  held.free = 3
  await clock.advance(20_000)
  t.is(counts.trims, 1)
  held.free = 5
  await clock.advance(1000)
  t.deepEqual([counts.trims, held.free], [2, 0])
})

test('near the limit garbage is collected: that of the pod, or of a usual one', async t => {
  for (const [limit, near] of [
    [undefined, 145],
    [100, 86],
    [1000, 851],
  ] as const) {
    const { clock, registry, held, counts } = start(limit)
    held.garbage = near - held.used - 2
    await clock.advance(60_000)
    t.is(counts.collections, 0)
    held.garbage += 3
    await clock.advance(1000)
    t.is(counts.collections, 1)
    t.deepEqual([held.free, held.garbage], [0, 0])
    t.regex(await registry.metrics(), /^seamark_memory_collections_total 1$/m)
  }
})

test('what is in use near the limit is not collected for ever; a new flood is, after a pause', async t => {
  const { clock, held, counts } = start(undefined)
  held.used = 160
  await clock.advance(600_000)
  t.is(counts.collections, 1)
  held.garbage = 15
  await clock.advance(600_000)
  t.is(counts.collections, 1)
  held.garbage = 20
  await clock.advance(1000)
  t.is(counts.collections, 2)
  held.garbage = 20
  await clock.advance(3000)
  t.is(counts.collections, 2)
  await clock.advance(2000)
  t.is(counts.collections, 3)
})

test('without a malloc that can, garbage is collected all the same; nothing is done after the end', async t => {
  const { clock, held, counts, keeper } = start(undefined, { trims: false })
  held.garbage = 100
  await clock.advance(1000)
  t.deepEqual(counts, { trims: 0, collections: 1 })
  keeper.end()
  held.garbage = 500
  await clock.advance(600_000)
  t.is(counts.collections, 1)
})

test('where the system does not say at the moment, it is asked again', async t => {
  const { clock, held, counts } = start(100)
  held.isTold = false
  held.garbage = 50
  await clock.advance(10_000)
  t.deepEqual(counts, { trims: 0, collections: 0 })
  held.isTold = true
  await clock.advance(1000)
  t.deepEqual(counts, { trims: 2, collections: 1 })
})
