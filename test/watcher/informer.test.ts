import test, { type ExecutionContext } from 'ava'
import { createRegistry } from '#lib/metrics.ts'
import { RestClient } from '#watcher/client.ts'
import { createInformer, type InformerOptions, type RunningInformer } from '#watcher/create-informer.ts'
import type { Change } from '#watcher/informer.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { eventually } from './support/eventually.ts'
import {
  type Answer,
  type Asked,
  cutConnection,
  event,
  FreezingProxy,
  initialEventsEnd,
  type Protocol,
  type Script,
  type ScriptedServer,
  scriptedServer,
  sendJson,
  sendStatus,
  thing,
} from './support/scripted-server.ts'

const THINGS = { group: 'example.com', version: 'v1', resource: 'things' }
const PROTOCOLS: readonly Protocol[] = ['http', 'https', 'h2']

interface ThingView {
  readonly name: string
  readonly revision: string
  readonly spec: unknown
}

const view = {
  resource: THINGS,
  strip: (raw: Readonly<Record<string, unknown>>): ThingView => {
    const { metadata, spec } = raw as unknown as ReturnType<typeof thing>
    return { name: metadata.name, revision: metadata.resourceVersion, spec }
  },
}

interface Followed {
  readonly server: ScriptedServer
  readonly clock: VirtualClock
  readonly informer: RunningInformer<ThingView>
  readonly changes: string[]
}

const told = (change: Change<ThingView>): string =>
  `${change.type} ${change.key} ${change.type === 'deleted' ? change.previous.revision : change.object.revision}`

const follow = async (
  t: ExecutionContext,
  protocol: Protocol,
  script: Script,
  options: InformerOptions = {},
  port?: number,
): Promise<Followed> => {
  const server = await scriptedServer(t, protocol, script)
  const clock = new VirtualClock()
  const client = new RestClient({ access: server.access(port ? { server: server.url(port) } : {}), clock })
  const informer = createInformer(client, view, { clock, freeze: true, ...options })
  const changes: string[] = []
  informer.subscribe(change => changes.push(told(change)))
  await informer.start()
  t.teardown(async () => {
    await informer.close()
    await client.close()
  })
  return { server, clock, informer, changes }
}

/** Answers watches in turn, one script each; the last one again and again. */
const inTurn = (...scripts: readonly Script[]): Script => {
  let turn = 0
  return (asked, answer) => scripts[Math.min(turn++, scripts.length - 1)]!(asked, answer)
}

const stream =
  (...pieces: readonly (string | Buffer)[]): Script =>
  (_asked, answer) => {
    answer.setHeader('content-type', 'application/json')
    for (const piece of pieces) answer.write(piece)
  }

/** Head and nothing more. */
const silent: Script = stream('\n')

const endedStream =
  (...pieces: readonly string[]): Script =>
  (_asked, answer) =>
    answer.end(pieces.join(''))

const asks = (asked: readonly Asked[]) =>
  asked.map(({ query }) => {
    query.delete('timeoutSeconds')
    return query.toString()
  })

const STREAMING = 'resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&sendInitialEvents=true'

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

test('a server that ignores sendInitialEvents is noticed by its silence', async t => {
  const { clock, informer, changes } = await follow(t, 'http', (asked, answer) => {
    if (asked.query.has('sendInitialEvents')) stream(event('ADDED', thing('a', 1)))(asked, answer)
    else if (asked.query.has('watch')) silent(asked, answer)
    else sendJson(answer, 200, { metadata: { resourceVersion: '10' }, items: [thing('a', 1)] })
  })
  await eventually(() => informer.size === 1, 'the synthetic event is applied')
  await clock.advance(9_900)
  t.false(informer.synced)
  await clock.advance(200)
  await informer.whenSynced()
  t.is(informer.resourceVersion, '10')
  t.deepEqual(changes, ['added default/a 1'])
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

test('failures are waited out with growing, jittered delays, and without end', async t => {
  const times: number[] = []
  const clocks: VirtualClock[] = []
  const { clock, informer } = await follow(
    t,
    'http',
    (_asked, answer) => {
      times.push(clocks[0]?.monotonic() ?? 0)
      sendStatus(answer, 403, 'Forbidden')
    },
    { random: { unit: () => 1, integer: () => 0 } },
  )
  clocks.push(clock)
  for (const delay of [400, 800, 1_600, 3_200, 6_400, 12_800, 20_000, 20_000]) {
    const before = times.length
    await eventually(() => informer.problem !== '' && times.length >= 1, 'a refusal')
    // The delay's timer is set once the refusal was read.
    for (let step = 0; times.length === before && step < delay + 400; step += 100) {
      await clock.advance(100)
      await new Promise(resolve => setTimeout(resolve, 2))
    }
  }
  t.true(times.length >= 8)
  const gaps = times.slice(1).map((time, index) => time - times[index]!)
  t.true(gaps[3]! > gaps[1]! && gaps[5]! > gaps[3]!, gaps.join(' '))
  t.true(Math.max(...gaps) <= 20_500, gaps.join(' '))
  t.regex(informer.problem, /Forbidden!/)
})

test('half-open: a peer that falls silent with its socket open is noticed in less than 30 s', async t => {
  for (const protocol of PROTOCOLS) {
    const server = await scriptedServer(t, protocol, (asked, answer) => {
      if (asked.query.has('sendInitialEvents')) stream(initialEventsEnd(5))(asked, answer)
      else stream(event('ADDED', thing('a', 6)))(asked, answer)
    })
    const proxy = await FreezingProxy.start(t, server.port)
    const clock = new VirtualClock()
    const client = new RestClient({ access: server.access({ server: server.url(proxy.port) }), clock })
    const informer = createInformer(client, view, { clock })
    await informer.start()
    t.teardown(async () => {
      await informer.close()
      await client.close()
    })
    await informer.whenSynced()
    // Silence may begin at any time in the life of the connection.
    for (let elapsed = 0; elapsed < 7_000; elapsed += 500) {
      await clock.advance(500)
      await new Promise(resolve => setTimeout(resolve, 5))
    }
    t.is(informer.problem, '', protocol)
    proxy.freeze()
    const frozenAt = clock.monotonic()
    while (informer.problem === '' && clock.monotonic() - frozenAt < 60_000) {
      await clock.advance(500)
      await new Promise(resolve => setTimeout(resolve, 2))
    }
    const noticed = clock.monotonic() - frozenAt
    t.true(noticed < 30_000, `${protocol}: ${noticed} ms`)
    t.log(`${protocol}: noticed after ${noticed} ms: ${informer.problem}`)
    proxy.thaw()
    proxy.cut()
    for (let tries = 0; informer.size === 0 && tries < 200; tries++) {
      await clock.advance(500)
      await new Promise(resolve => setTimeout(resolve, 2))
    }
    t.is(informer.resourceVersion, '6', protocol)
  }
})

test('an HTTP/2 peer that answers PINGs keeps its connection through idle minutes, and counts as heard', async t => {
  const { server, clock, informer } = await follow(t, 'h2', stream(initialEventsEnd(5)))
  await informer.whenSynced()
  for (let step = 0; step < 150; step++) {
    await clock.advance(2_000)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
  t.is(server.asked.length, 1)
  t.is(informer.problem, '')
  const age = clock.monotonic() - (informer.lastHeard ?? 0)
  t.true(age <= 14_000, `${age} ms`)
})

test('HTTP/1.1 watches ask for a short life, HTTP/2 ones for 5 to 10 minutes', async t => {
  for (const protocol of PROTOCOLS) {
    const { server, informer } = await follow(t, protocol, stream(initialEventsEnd(5)))
    await informer.whenSynced()
    const seconds = Number(server.asked[0]?.query.get('timeoutSeconds'))
    if (protocol === 'h2') t.true(seconds >= 300 && seconds <= 600, `${seconds}`)
    else t.is(seconds, 20)
  }
})

test('events are applied in the turn of the event loop in which their bytes arrive', async t => {
  for (const protocol of PROTOCOLS) {
    const held: Answer[] = []
    const { informer, server } = await follow(t, protocol, (asked, answer) => {
      stream(initialEventsEnd(5))(asked, answer)
      held.push(answer)
    })
    await informer.whenSynced()
    // Server and client share this process: a change is visible before the check phase of the turn that read it.
    let turns = 0
    let lastTurn = -1
    let current = 0
    informer.subscribe(() => (lastTurn = current))
    const ahead = await new Promise<number>(resolve => {
      const look = () => {
        current++
        turns++
        if (lastTurn >= 0) return resolve(current - 1 - lastTurn)
        if (turns > 100_000) return resolve(-1)
        if (turns === 3) held[0]?.write(event('ADDED', thing('a', 6)))
        setImmediate(look)
      }
      setImmediate(look)
    })
    t.is(ahead, 0, `${protocol} ${server.asked.length}`)
  }
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
