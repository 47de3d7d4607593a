import test from 'ava'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { nameData } from '#resolver/wire/rdata.ts'
import { Dispatcher } from '#server/dispatcher.ts'
import { ServerMetrics } from '#server/metrics.ts'
import { OwnZones } from '#server/own-zones.ts'
import { queryPacket } from '../support/query-packet.ts'

const context = {
  transport: 'udp',
  client: { address: '192.0.2.1', port: 1 },
  local: { address: '192.0.2.53', port: 53 },
  server: 'dns://:53',
} as const

const nextTurn = () => new Promise(resolve => setImmediate(resolve))

test('answers take little of each turn of the loop, however many turns’ questions wait; all are answered, in order', async t => {
  let time = 0
  const clock = { ...systemClock, monotonic: () => time }
  let thisTurn = 0
  let most = 0
  const metrics = new ServerMetrics(createRegistry())
  const responder = (packet: Buffer): Buffer => {
    // Each takes a millisecond.
    time++
    most = Math.max(most, ++thisTurn)
    return packet
  }
  const dispatcher = new Dispatcher(responder, { clock, logger: silentLogger, metrics, maxInFlight: 10_000 })
  const answered: string[] = []
  const asked: string[] = []
  for (let turn = 0; turn < 50; turn++) {
    for (let each = 0; each < 10; each++) {
      const text = `${turn} ${each}`
      asked.push(text)
      dispatcher.submit(Buffer.from(text), context, reply => answered.push(String(reply)))
    }
    thisTurn = 0
    await nextTurn()
  }
  t.true(answered.length < asked.length, 'they came quicker than they were answered')
  while (answered.length < asked.length) {
    thisTurn = 0
    await nextTurn()
  }
  t.deepEqual(answered, asked)
  t.true(most <= 4, `${most} in one turn`)
})

const clusterLocal = () => new OwnZones([[nameData.encode('cluster.local.').toString('latin1'), true]])

test('own zones are answered before the others, and these do not starve', async t => {
  /** Five of each, the others first, where each answer takes `cost` milliseconds. */
  const orderAt = async (cost: number) => {
    let time = 0
    const clock = { ...systemClock, monotonic: () => time }
    const metrics = new ServerMetrics(createRegistry())
    const answered: ('own' | 'others')[] = []
    const responder = (packet: Buffer): Buffer => {
      time += cost
      answered.push(packet.includes('cluster') ? 'own' : 'others')
      return packet
    }
    const dispatcher = new Dispatcher(responder, { clock, logger: silentLogger, metrics, maxInFlight: 1000 })
    dispatcher.ownZones = clusterLocal()
    for (const name of ['a.example.com.', 'a.cluster.local.'])
      for (let each = 0; each < 5; each++) dispatcher.submit(queryPacket(name), context, () => {})
    while (answered.length < 10) await nextTurn()
    return answered
  }
  const five = <Value>(value: Value): Value[] => Array.from({ length: 5 }, () => value)
  t.deepEqual(await orderAt(0), [...five('own'), ...five('others')])
  // A whole turn's time.
  t.deepEqual(await orderAt(2), five(['own', 'others']).flat())
})

test('questions that wait for other servers take no room from the own zones; each that is dropped is counted', async t => {
  const registry = createRegistry()
  const metrics = new ServerMetrics(registry)
  const release = Promise.withResolvers<Buffer>()
  // The cluster’s names are answered at once where `isQuick`.
  let isQuick = true
  const responder = (packet: Buffer) => (isQuick && packet.includes('cluster') ? packet : release.promise)
  const dispatcher = new Dispatcher(responder, { clock: systemClock, logger: silentLogger, metrics, maxInFlight: 100 })
  dispatcher.ownZones = clusterLocal()
  const counted = { own: 0, others: 0, dropped: 0 }
  const submit = (name: string, times: number) => {
    for (let each = 0; each < times; each++)
      dispatcher.submit(queryPacket(name), context, reply => {
        counted[reply === undefined ? 'dropped' : reply.includes('cluster') ? 'own' : 'others']++
      })
  }
  const settled = async (count: number) => {
    while (counted.own + counted.others + counted.dropped < count) await nextTurn()
    return { ...counted }
  }
  submit('a.example.com.', 80)
  t.deepEqual(await settled(5), { own: 0, others: 0, dropped: 5 })
  for (let round = 1; round <= 20; round++) {
    submit('a.cluster.local.', 25)
    t.deepEqual(await settled(5 + 25 * round), { own: 25 * round, others: 0, dropped: 5 })
  }
  isQuick = false
  submit('a.cluster.local.', 30)
  t.deepEqual(await settled(510), { own: 500, others: 0, dropped: 10 })
  const dropped = (await registry.getSingleMetric('seamark_server_dropped_total')!.get()).values
  t.deepEqual(Object.fromEntries(dropped.map(({ labels, value }) => [labels.reason, value])), {
    'in-flight': 5,
    'in-flight-others': 5,
  })
  release.resolve(queryPacket('a.example.com.'))
  t.is((await settled(610)).others, 100)
  submit('a.example.com.', 75)
  t.is((await settled(685)).dropped, 10)
})

test('what is to be done when the questions of a turn are answered is done then; where none are, when all has been read', async t => {
  const metrics = new ServerMetrics(createRegistry())
  const responder = (packet: Buffer): Buffer => packet
  const options = { clock: systemClock, logger: silentLogger, metrics, maxInFlight: 100 }
  const dispatcher = new Dispatcher(responder, options)
  const done: string[] = []
  // What comes in one poll phase is ready one after the other.
  dispatcher.whenAnswered(() => done.push('first'))
  await Promise.resolve()
  dispatcher.whenAnswered(() => done.push('second'))
  t.deepEqual(done, [])
  await nextTurn()
  t.deepEqual(done, ['first', 'second'])
  dispatcher.whenAnswered(() => done.push('third'))
  while (done.length < 3) await nextTurn()
  for (const name of ['one', 'two'])
    dispatcher.submit(queryPacket(`${name}.example.com.`), context, () => {
      done.push(name)
      if (name === 'one') dispatcher.whenAnswered(() => done.push('after the turn'))
    })
  while (done.length < 6) await nextTurn()
  t.deepEqual(done, ['first', 'second', 'third', 'one', 'two', 'after the turn'])
})
