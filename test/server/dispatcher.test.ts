import test from 'ava'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { Dispatcher } from '#server/dispatcher.ts'
import { ServerMetrics } from '#server/metrics.ts'

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
