import test from 'ava'
import { ERROR_ADVICE } from '#lib/errors.ts'
import { silentLogger } from '#lib/log.ts'
import { RestClient } from '#watcher/client.ts'
import { createInformer } from '#watcher/create-informer.ts'
import { VirtualClock } from '../support/virtual-clock.ts'
import { eventually, settle } from './support/eventually.ts'
import { follow, PROTOCOLS, silent, stream, view } from './support/followed.ts'
import {
  type Answer,
  event,
  FreezingProxy,
  initialEventsEnd,
  type Script,
  scriptedServer,
  sendJson,
  sendStatus,
  thing,
} from './support/scripted-server.ts'

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
      await settle()
    }
  }
  t.true(times.length >= 8)
  const gaps = times.slice(1).map((time, index) => time - times[index]!)
  t.true(gaps[3]! > gaps[1]! && gaps[5]! > gaps[3]!, gaps.join(' '))
  t.true(Math.max(...gaps) <= 20_500, gaps.join(' '))
  t.regex(informer.problem, /Forbidden!/)
})

test('a refusal is told once, with what to do, however often it is tried again', async t => {
  const warnings: { problem?: string; next?: string }[] = []
  const logger = Object.assign(Object.create(silentLogger), { warn: (fields: object) => void warnings.push(fields) })
  const refusing: Script = (_asked, answer) => sendStatus(answer, 403, 'Forbidden')
  let turn = 0
  const random = { unit: () => (turn++ % 7) / 7, integer: () => turn++ }
  const { server, clock } = await follow(t, 'h2', refusing, { logger, random })
  await eventually(() => warnings.length > 0, 'a warning')
  while (server.asked.length < 6) {
    await clock.advance(1_000)
    await settle()
  }
  t.true(new Set(server.asked.map(({ query }) => query.get('timeoutSeconds'))).size > 1, 'each try has its own time')
  t.deepEqual(
    warnings.map(({ problem, next }) => [problem, next]),
    [['GET /apis/example.com/v1/things: Forbidden!', ERROR_ADVICE.API_REFUSED]],
  )
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
      await settle()
    }
    t.is(informer.problem, '', protocol)
    proxy.freeze()
    const frozenAt = clock.monotonic()
    while (informer.problem === '' && clock.monotonic() - frozenAt < 60_000) {
      await clock.advance(500)
      await settle()
    }
    const noticed = clock.monotonic() - frozenAt
    t.true(noticed < 30_000, `${protocol}: ${noticed} ms`)
    t.log(`${protocol}: noticed after ${noticed} ms: ${informer.problem}`)
    proxy.thaw()
    proxy.cut()
    for (let tries = 0; informer.size === 0 && tries < 200; tries++) {
      await clock.advance(500)
      await settle()
    }
    t.is(informer.resourceVersion, '6', protocol)
  }
})

test('an HTTP/2 peer that answers PINGs keeps its connection through idle minutes, and counts as heard', async t => {
  const { server, clock, informer } = await follow(t, 'h2', stream(initialEventsEnd(5)))
  await informer.whenSynced()
  for (let step = 0; step < 150; step++) {
    await clock.advance(2_000)
    await settle()
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
