import test from 'ava'
import type { Controller, Verdict } from '#cluster/controllers/controller.ts'
import { Loop } from '#cluster/controllers/loop.ts'
import { silentLogger } from '#lib/log.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const random = { unit: () => 1, integer: () => 0 }
const turn = () => new Promise(resolve => setImmediate(resolve))

const running = async (reconcile: Controller['reconcile'], ready: Promise<unknown> = Promise.resolve()) => {
  const clock = new VirtualClock()
  let wake: (key: string) => void = () => {}
  const controller: Controller = { name: 'test', watch: given => (wake = given), reconcile }
  const loop = new Loop(controller, { clock, random, logger: silentLogger, ready: () => ready })
  await loop.start()
  await turn()
  return { clock, loop, wake: (key: string) => wake(key) }
}

test('a key that is woken many times before its turn is reconciled once', async t => {
  const seen: string[] = []
  const sync = Promise.withResolvers<void>()
  const { loop, wake } = await running(async key => {
    seen.push(key)
    return 'settled'
  }, sync.promise)
  for (const key of ['a', 'b', 'a', 'a']) wake(key)
  await turn()
  t.deepEqual(seen, [], 'nothing before what it reads is complete')
  sync.resolve()
  await turn()
  t.deepEqual(seen, ['a', 'b'])
  await loop.close()
})

test('never one key twice at once; what was woken meanwhile comes afterwards', async t => {
  const gates: (() => void)[] = []
  let [busy, most, calls] = [0, 0, 0]
  const { loop, wake } = await running(async () => {
    calls++
    most = Math.max(most, ++busy)
    await new Promise<void>(resolve => gates.push(resolve))
    busy--
    return 'settled'
  })
  wake('a')
  await turn()
  wake('a')
  wake('a')
  await turn()
  t.deepEqual([calls, most], [1, 1])
  gates.shift()!()
  await turn()
  t.deepEqual([calls, most], [2, 1])
  gates.shift()!()
  await turn()
  t.is(calls, 2)
  await loop.close()
})

test('five keys at a time', async t => {
  const gates: (() => void)[] = []
  const { loop, wake } = await running(async () => {
    await new Promise<void>(resolve => gates.push(resolve))
    return 'settled'
  })
  for (let index = 0; index < 8; index++) wake(`k${index}`)
  await turn()
  t.is(gates.length, 5)
  gates.shift()!()
  await turn()
  t.is(gates.length, 5)
  for (let round = 0; round < 4; round++) {
    for (const open of gates.splice(0)) open()
    await turn()
  }
  await loop.close()
})

test('unsettled and failed keys come back later each time, and from the start after they settled', async t => {
  const times: number[] = []
  const verdicts: (Verdict | Error)[] = [
    'unsettled',
    new Error('refused'),
    'unsettled',
    'settled',
    'unsettled',
    'settled',
  ]
  const { clock, loop, wake } = await running(async () => {
    times.push(clock.monotonic())
    const verdict = verdicts.shift()
    if (verdict instanceof Error) throw verdict
    return verdict ?? 'settled'
  })
  wake('a')
  await clock.advance(10_000)
  t.deepEqual(times, [0, 100, 300, 700])
  wake('a')
  await clock.advance(10_000)
  t.deepEqual(times.slice(4), [10_000, 10_100])
  await loop.close()
})

test('a verdict may name the time; a wake before it is not delayed, and does not undo it', async t => {
  const times: number[] = []
  const { clock, loop, wake } = await running(async () => {
    times.push(clock.monotonic())
    return times.length === 1 ? { again: 5000 } : 'settled'
  })
  wake('a')
  await clock.advance(1000)
  wake('a')
  await clock.advance(10_000)
  t.deepEqual(times, [0, 1000, 5000])
  await loop.close()
})

test('close waits for what is under way and starts nothing more', async t => {
  let aborted = false
  let calls = 0
  const { loop, wake } = await running(async (_key, signal) => {
    calls++
    await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
    aborted = true
    throw new Error('aborted')
  })
  wake('a')
  await turn()
  wake('a')
  await loop.close()
  await turn()
  t.true(aborted)
  t.is(calls, 1)
})
