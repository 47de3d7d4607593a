import test from 'ava'
import { Recurrence } from '#lib/recurrence.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

test('the next time is counted from the end of the last, and none follows the end', async t => {
  const clock = new VirtualClock()
  const times: number[] = []
  const slow = new Recurrence({
    clock,
    interval: 100,
    task: () => {
      times.push(clock.monotonic())
      return new Promise(resolve => void clock.after(50, resolve))
    },
  })
  slow.begin()
  await clock.advance(450)
  t.deepEqual(times, [100, 250, 400])
  // One is under way: it ends by itself, and nothing follows.
  t.false(slow.ended)
  slow.end()
  slow.end()
  t.true(slow.ended)
  await clock.advance(1000)
  t.is(times.length, 3)
})

test('an interval of 0 is never', async t => {
  const clock = new VirtualClock()
  let times = 0
  const never = new Recurrence({ clock, interval: 0, task: () => void times++ })
  never.begin()
  await clock.advance(1000)
  t.is(times, 0)
})
