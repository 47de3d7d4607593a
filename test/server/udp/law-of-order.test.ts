/** The law of order (docs/architecture.md) where it is hardest to keep: within one reading of a socket. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import test from 'ava'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { readOptions } from '#lib/options.ts'
import { Dispatcher } from '#server/dispatcher.ts'
import { ServerMetrics } from '#server/metrics.ts'
import { serverOptions } from '#server/options.ts'
import { UdpListener } from '#server/udp/dgram.ts'

const ROUNDS = 200

test('what reached this process before a query counts, also when the query came while others were being read', async t => {
  // A watch stream: the one end gets an event, the other is read by this process.
  const listener = createServer()
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const accepted = once(listener, 'connection')
  const writer = connect((listener.address() as AddressInfo).port, '127.0.0.1').setNoDelay(true)
  const [stream] = await accepted
  let events = 0
  stream.on('data', (chunk: Buffer) => {
    events += chunk.length
  })

  const metrics = new ServerMetrics(createRegistry())
  const read = readOptions(serverOptions)
  if (!read.ok) return t.fail(read.problem)
  const responder = () => Buffer.from(String(events))
  const options = { clock: systemClock, logger: silentLogger, metrics, maxInFlight: 100 }
  const client = createSocket('udp4')
  let written = 0
  let reading = 0
  const server = new UdpListener(
    { address: '127.0.0.1', family: 4 },
    {
      clock: systemClock,
      logger: silentLogger,
      metrics,
      dispatcher: new Dispatcher(responder, options),
      options: read.value,
      server() {
        // The first datagram is just being read, so the poll has begun: what comes now, the event and then a question
        // of whoever knows of it, is not among the sockets that it found ready; but the question is read all the same.
        if (++reading % 2 === 1) {
          writer.write('e')
          written++
          client.send('second')
        }
        return ''
      },
    },
  )
  // The system's choice, by a socket that gives it back.
  const probe = createSocket('udp4')
  await new Promise<void>(resolve => probe.bind(0, '127.0.0.1', resolve))
  const { port } = probe.address()
  await new Promise<void>(resolve => probe.close(resolve))
  await server.open(port, false)
  await new Promise<void>(resolve => client.connect(port, '127.0.0.1', resolve))
  t.teardown(async () => {
    await server.close()
    client.close()
    writer.destroy()
    stream.destroy()
    listener.close()
  })
  for (let round = 1; round <= ROUNDS; round++) {
    const first = once(client, 'message')
    client.send('first')
    await first
    const [second] = await once(client, 'message')
    t.is(String(second), String(written), `round ${round}`)
  }
})
