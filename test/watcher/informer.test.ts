import test from 'ava'
import { createRegistry } from '#lib/metrics.ts'
import { RestClient } from '#watcher/client.ts'
import { createInformer } from '#watcher/create-informer.ts'
import { eventually } from './support/eventually.ts'
import {
  asks,
  endedStream,
  follow,
  inTurn,
  PROTOCOLS,
  STREAMING,
  silent,
  stream,
  THINGS,
  told,
  view,
} from './support/followed.ts'
import {
  type Answer,
  cutConnection,
  event,
  initialEventsEnd,
  type Script,
  scriptedServer,
  sendJson,
  sendStatus,
  thing,
} from './support/scripted-server.ts'

for (const protocol of PROTOCOLS) {
  test(`${protocol}: a streaming list, then changes, in order and frozen`, async t => {
    const held: Answer[] = []
    const { server, informer, changes } = await follow(t, protocol, (asked, answer) => {
      stream(event('ADDED', thing('a', 3)), event('ADDED', thing('b', 2)))(asked, answer)
      held.push(answer)
    })
    await eventually(() => informer.size === 2, 'initial events are applied as they come')
    t.false(informer.synced)
    t.is(informer.resourceVersion, '')
    held[0]?.write(initialEventsEnd(5))
    await informer.whenSynced()
    t.is(informer.resourceVersion, '5')
    held[0]?.write(event('MODIFIED', thing('a', 6, { x: 1 })) + event('DELETED', thing('b', 7)))
    held[0]?.write(event('BOOKMARK', { metadata: { resourceVersion: '9' } }))
    await eventually(() => informer.resourceVersion === '9', 'the bookmark moves the revision')
    t.deepEqual(changes, ['added default/a 3', 'added default/b 2', 'modified default/a 6', 'deleted default/b 2'])
    t.deepEqual(asks(server.asked), [`watch=true&${STREAMING}`])
    const object = informer.get('default/a')
    t.true(Object.isFrozen(object) && Object.isFrozen(object?.spec))
  })

  test(`${protocol}: a dropped stream resumes from its last revision and tells nothing twice`, async t => {
    const cutOff: Script = (_asked, answer) => {
      answer.write(event('ADDED', thing('a', 1)) + initialEventsEnd(5) + event('ADDED', thing('b', 6)))
      answer.write('{"type":"MODIFIED","object":{"meta')
      setTimeout(() => cutConnection(answer), 20)
    }
    const { server, clock, informer, changes } = await follow(
      t,
      protocol,
      inTurn(cutOff, stream(event('MODIFIED', thing('b', 7)))),
    )
    await eventually(() => informer.problem !== '', 'the loss is noticed')
    await clock.advance(400)
    await eventually(() => informer.resourceVersion === '7', 'the watch goes on')
    t.deepEqual(changes, ['added default/a 1', 'added default/b 6', 'modified default/b 7'])
    t.deepEqual(asks(server.asked), [
      `watch=true&${STREAMING}`,
      'watch=true&resourceVersion=6&allowWatchBookmarks=true',
    ])
    t.is(informer.problem, '')
  })

  test(`${protocol}: a stream that the server ends in its time is resumed at once`, async t => {
    const { server, informer } = await follow(
      t,
      protocol,
      inTurn(stream(initialEventsEnd(5)), stream(event('ADDED', thing('a', 6)))),
    )
    await informer.whenSynced()
    t.is(server.asked.length, 1)
  })
}

test('410 in a watch, by ERROR event or status: a new list tells only the differences', async t => {
  const expired = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' }
  const first = endedStream(
    event('ADDED', thing('same', 1)) + event('ADDED', thing('changed', 2)) + event('ADDED', thing('gone', 3)),
    initialEventsEnd(5),
    event('ERROR', expired),
  )
  const second = stream(
    event('ADDED', thing('same', 1)) + event('ADDED', thing('changed', 8)) + event('ADDED', thing('new', 7)),
    initialEventsEnd(9),
  )
  const byStatus: Script = (_asked, answer) => sendStatus(answer, 410, 'Expired')
  const resumable: Script = endedStream(event('BOOKMARK', { metadata: { resourceVersion: '6' } }))
  for (const way of [
    [first, second],
    [
      endedStream(
        event('ADDED', thing('same', 1)) + event('ADDED', thing('changed', 2)) + event('ADDED', thing('gone', 3)),
        initialEventsEnd(5),
      ),
      resumable,
      byStatus,
      second,
    ],
  ]) {
    const { server, clock, informer, changes } = await follow(t, 'http', inTurn(...way))
    for (let tries = 0; informer.resourceVersion !== '9' && tries < 200; tries++) await clock.advance(100)
    t.is(informer.resourceVersion, '9')
    t.deepEqual(changes.slice(3), ['modified default/changed 8', 'added default/new 7', 'deleted default/gone 3'])
    t.is(informer.size, 3)
    t.deepEqual(asks(server.asked.slice(-1)), [`watch=true&${STREAMING}`])
    t.true(informer.synced)
  }
})

test('without streaming lists: pages, each item once, then a watch from the list’s revision', async t => {
  const refusals: Record<string, Script> = {
    'before 1.27': (_asked, answer) => sendStatus(answer, 422, 'Invalid'),
    'a proxy': (_asked, answer) => sendStatus(answer, 400, 'BadRequest'),
    'an etcd that cannot': endedStream(event('ERROR', { kind: 'Status', code: 500, reason: 'InternalError' })),
  }
  for (const [name, refusal] of Object.entries(refusals)) {
    const { server, informer, changes } = await follow(t, 'http', (asked, answer) => {
      if (asked.query.has('sendInitialEvents')) refusal(asked, answer)
      else if (asked.query.has('watch')) stream(event('ADDED', thing('d', 12)))(asked, answer)
      else if (asked.query.get('continue') === 'two') {
        sendJson(answer, 200, { metadata: { resourceVersion: '10' }, items: [thing('c', 3)] })
      } else {
        const items = [thing('a', 1), thing('b', 2)]
        sendJson(answer, 200, { metadata: { resourceVersion: '10', continue: 'two' }, items })
      }
    })
    await eventually(() => informer.resourceVersion === '12', name)
    t.deepEqual(changes, ['added default/a 1', 'added default/b 2', 'added default/c 3', 'added default/d 12'])
    t.deepEqual(asks(server.asked).slice(1), [
      'limit=500&resourceVersion=0',
      'limit=500&continue=two',
      'watch=true&resourceVersion=10&allowWatchBookmarks=true',
    ])
  }
})

test('pages that expire under the list: it is made again, whole and from the newest state', async t => {
  let lists = 0
  const { server, clock, informer } = await follow(t, 'http', (asked, answer) => {
    if (asked.query.has('sendInitialEvents')) return sendStatus(answer, 400, 'BadRequest')
    if (asked.query.has('watch')) return silent(asked, answer)
    if (asked.query.has('continue')) return sendStatus(answer, 410, 'Expired')
    const metadata = lists++ === 0 ? { resourceVersion: '5', continue: 'x' } : { resourceVersion: '9' }
    return sendJson(answer, 200, { metadata, items: [thing('a', 1)] })
  })
  for (let tries = 0; !informer.synced && tries < 200; tries++) await clock.advance(100)
  t.is(informer.resourceVersion, '9')
  t.deepEqual(asks(server.asked).slice(1, 4), ['limit=500&resourceVersion=0', 'limit=500&continue=x', ''])
})

test('1,000 changes arrive each once, in order, across broken lines and characters', async t => {
  const text = Array.from({ length: 1_000 }, (_, index) =>
    event(index === 0 ? 'ADDED' : 'MODIFIED', thing('a', 10 + index, { é: '😀'.repeat(index % 7) })),
  ).join('')
  const bytes = Buffer.from(initialEventsEnd(5) + text)
  const { informer, changes } = await follow(t, 'h2', (_asked, answer) => {
    const send = (from: number) => {
      if (from >= bytes.length) return
      answer.write(bytes.subarray(from, from + 997))
      setImmediate(send, from + 997)
    }
    send(0)
  })
  await eventually(() => informer.resourceVersion === '1009', 'all changes')
  t.deepEqual(
    changes.map(change => Number(change.split(' ')[2])),
    Array.from({ length: 1_000 }, (_, index) => 10 + index),
  )
})

test('a listener or a view that throws costs nobody else anything, and is counted', async t => {
  const registry = createRegistry()
  const server = await scriptedServer(
    t,
    'http',
    stream(event('ADDED', thing('bad', 1)) + event('ADDED', thing('good', 2)) + initialEventsEnd(5)),
  )
  const client = new RestClient({ access: server.access() })
  const strip = (raw: Readonly<Record<string, unknown>>) => {
    const object = view.strip(raw)
    if (object.name === 'bad') throw new Error('odd object')
    return object
  }
  const informer = createInformer(client, { resource: THINGS, strip }, { registry })
  t.teardown(async () => {
    await informer.close()
    await client.close()
  })
  const seen: string[] = []
  informer.subscribe(() => {
    throw new Error('listener')
  })
  informer.subscribe(change => seen.push(told(change)))
  await informer.start()
  await informer.whenSynced()
  t.deepEqual(seen, ['added default/good 2'])
  const metrics = await registry.metrics()
  t.true(metrics.includes('seamark_watcher_listener_errors_total{resource="things"} 2'), metrics)
  t.true(metrics.includes('seamark_watcher_objects{resource="things"} 1'))
  t.true(metrics.includes('seamark_watcher_lists_total{resource="things",way="stream"} 1'))
})

test('subscribers hear what is there, then changes, until they stop; whenSynced gives up with its signal', async t => {
  const held: Answer[] = []
  const { informer } = await follow(t, 'http', (asked, answer) => {
    stream(event('ADDED', thing('a', 1)))(asked, answer)
    held.push(answer)
  })
  await t.throwsAsync(informer.whenSynced(AbortSignal.abort(new Error('no time'))), { message: 'no time' })
  const abort = new AbortController()
  const waiting = t.throwsAsync(informer.whenSynced(abort.signal), { message: 'later' })
  abort.abort(new Error('later'))
  await waiting
  await eventually(() => informer.size === 1, 'the first object')
  const late: string[] = []
  const stop = informer.subscribe(change => late.push(told(change)))
  t.deepEqual(late, ['added default/a 1'])
  held[0]?.write(initialEventsEnd(5) + event('MODIFIED', thing('a', 6)))
  await eventually(() => late.length === 2, 'the change')
  stop()
  held[0]?.write(event('MODIFIED', thing('a', 7)))
  await eventually(() => informer.resourceVersion === '7', 'the next change')
  t.is(late.length, 2)
  t.deepEqual(
    [...informer.entries()].map(([key, object]) => [key, object.revision]),
    [['default/a', '7']],
  )
})
