import test from 'ava'
import { WorkQueue } from '#watcher/work-queue.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const random = { unit: () => 1, integer: () => 0 }
const queueOf = (clock = new VirtualClock()) => ({ clock, queue: new WorkQueue<string>({ clock, random }) })

test('fair and stingy: keys come in the order of their first add, each once', async t => {
  const { queue } = queueOf()
  for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key)
  t.is(queue.size, 3)
  t.deepEqual([await queue.take(), await queue.take(), await queue.take()], ['a', 'b', 'c'])
})

test('re-entrant: a key added while it is worked on comes again after done, and never to two workers', async t => {
  const { queue } = queueOf()
  queue.add('a')
  t.is(await queue.take(), 'a')
  queue.add('a')
  queue.add('a')
  t.is(queue.size, 0)
  let second: string | undefined
  const taken = queue.take().then(key => (second = key))
  await Promise.resolve()
  t.is(second, undefined)
  queue.done('a')
  await taken
  t.is(second, 'a')
  queue.done('a')
  t.is(queue.size, 0)
})

test('failures delay a key longer and longer until forget', async t => {
  const { clock, queue } = queueOf()
  for (const delay of [5, 10, 20]) {
    queue.retry('a')
    await clock.advance(delay - 1)
    t.is(queue.size, 0)
    await clock.advance(1)
    t.is(queue.size, 1, `${delay} ms`)
    queue.done((await queue.take())!)
  }
  t.is(queue.failures('a'), 3)
  queue.forget('a')
  t.is(queue.failures('a'), 0)
  queue.retry('a')
  await clock.advance(5)
  t.is(queue.size, 1)
})

test('of several delays the one that ends first counts; zero is now', async t => {
  const { clock, queue } = queueOf()
  queue.addAfter('a', 1_000)
  queue.addAfter('a', 100)
  queue.addAfter('a', 500)
  queue.addAfter('b', 0)
  t.is(queue.size, 1)
  await clock.advance(100)
  t.is(queue.size, 2)
  t.is(await queue.take(), 'b')
  t.is(await queue.take(), 'a')
  queue.done('a')
  await clock.advance(2_000)
  t.is(queue.size, 0)
})

test('close drains: what waits is handed out, what is delayed is dropped, workers are sent home', async t => {
  const { clock, queue } = queueOf()
  for (const key of ['a', 'b']) queue.add(key)
  queue.addAfter('later', 10)
  t.is(await queue.take(), 'a')
  queue.add('a')
  let closed = false
  const closing = queue.close().then(() => (closed = true))
  queue.add('c')
  t.is(await queue.take(), 'b')
  queue.done('b')
  const idle = queue.take()
  queue.done('a')
  t.is(await idle, 'a', 'the change that came while it was worked on')
  const home = queue.take()
  await clock.advance(20)
  t.false(closed)
  queue.done('a')
  await closing
  t.is(await home, undefined)
  t.is(await queue.take(), undefined)
  await queue.close()
})

test('the observer hears depth, waits, work and retries', async t => {
  const clock = new VirtualClock()
  const heard: [string, number][] = []
  const queue = new WorkQueue<string>({
    clock,
    random,
    observer: {
      depth: keys => heard.push(['depth', keys]),
      added: () => heard.push(['added', 1]),
      waited: duration => heard.push(['waited', duration]),
      worked: duration => heard.push(['worked', duration]),
      retried: () => heard.push(['retried', 1]),
    },
  })
  queue.add('a')
  await clock.advance(30)
  await queue.take()
  await clock.advance(40)
  queue.retry('a')
  queue.done('a')
  t.deepEqual(heard, [
    ['added', 1],
    ['depth', 1],
    ['waited', 30],
    ['depth', 0],
    ['retried', 1],
    ['worked', 40],
  ])
})
