import test from 'ava'
import { type Entry, FairQueue } from '#cluster/apiserver/http/fair-queue.ts'
import { VirtualClock } from '../../../support/virtual-clock.ts'

test('users take turns, however many requests of one wait', async t => {
  const queue = new FairQueue({ limit: 1, clock: new VirtualClock() })
  t.is(queue.enter('greedy'), 'entered')
  const order: string[] = []
  const wait = (user: string) => (queue.enter(user) as Promise<Entry>).then(entry => order.push(`${user} ${entry}`))
  const all = [wait('greedy'), wait('greedy'), wait('greedy'), wait('modest'), wait('other')]
  for (const each of all) {
    queue.leave()
    await Promise.race([each, ...all])
  }
  await Promise.all(all)
  t.deepEqual(order, ['greedy entered', 'modest entered', 'other entered', 'greedy entered', 'greedy entered'])
  queue.leave()
  t.is(queue.enter('greedy'), 'entered')
})

test('a line is bounded, and so is the time in it', async t => {
  const clock = new VirtualClock()
  const queue = new FairQueue({ limit: 2, clock })
  t.deepEqual([queue.enter('a'), queue.enter('a')], ['entered', 'entered'])
  const waiting = Array.from({ length: 200 }, () => queue.enter('a'))
  t.is(queue.enter('a'), 'full')
  const other = queue.enter('b')
  await clock.advance(15_000)
  t.deepEqual(new Set(await Promise.all(waiting)), new Set(['late']))
  t.is(await other, 'late')
  queue.leave()
  t.is(queue.enter('b'), 'entered')
})
