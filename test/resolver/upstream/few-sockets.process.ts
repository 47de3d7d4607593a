/** Asks 300 questions at once; run under a low limit of open files. Prints what came of them as JSON. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { systemClock } from '#lib/clock.ts'
import { ExchangeError } from '#resolver/upstream/exchange-error.ts'
import { UdpUpstream } from '#resolver/upstream/udp.ts'

const server = createSocket('udp4', (packet, from) => server.send(packet, from.port, from.address))
server.bind(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address()
const upstream = new UdpUpstream({ address: '127.0.0.1', port, source: undefined, clock: systemClock })
const outcomes = await Promise.all(
  Array.from({ length: 300 }, () =>
    upstream
      .exchange(Buffer.alloc(20), () => true, 30_000)
      .then(
        () => 'answered',
        error => (error instanceof ExchangeError ? error.failure : String(error)),
      ),
  ),
)
// With none of its own to wait for, a question fails at once.
const hoard = await Promise.allSettled(
  Array.from({ length: 300 }, async () => {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
  }),
)
const alone = await upstream
  .exchange(Buffer.alloc(20), () => true, 30_000)
  .then(
    () => 'answered',
    error => (error instanceof ExchangeError ? error.failure : String(error)),
  )
const answered = outcomes.filter(outcome => outcome === 'answered').length
const refused = hoard.filter(({ status }) => status === 'rejected').length
process.stdout.write(JSON.stringify({ answered, hoarded: refused > 0, alone }), () => process.exit())
