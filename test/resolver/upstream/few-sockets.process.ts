/**
 * Asks 300 questions at once; run under a low limit of open files. `calls` as its argument: by system calls, else by
 * node:dgram. Prints what came of them as JSON.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { systemClock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import { ExchangeError } from '#resolver/upstream/exchange-error.ts'
import { promised } from '#resolver/upstream/outcome.ts'
import { UdpUpstream } from '#resolver/upstream/udp.ts'
import { connectedDatagrams } from '#server/connected-datagrams.ts'

const server = createSocket('udp4', (packet, from) => server.send(packet, from.port, from.address))
server.bind(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address()
const datagrams = process.argv[2] === 'calls' ? connectedDatagrams : undefined
const route = datagrams?.towards('127.0.0.1', port, undefined)
const makeUpstream = () =>
  new UdpUpstream({ address: '127.0.0.1', port, source: undefined, route, clock: systemClock, random: systemRandom })
const askOf = (upstream: UdpUpstream) =>
  promised<Buffer>(outcome => {
    const question = { ...outcome, packet: Buffer.alloc(20), accepts: () => true, asked: 0, deadline: 0 }
    upstream.exchange(question, 30_000)
  }).then(
    () => 'answered',
    error => (error instanceof ExchangeError ? error.failure : String(error)),
  )
const upstream = makeUpstream()
const outcomes = await Promise.all(Array.from({ length: 300 }, () => askOf(upstream)))
// With a socket that is free a question needs no other; with none of its own to wait for, it fails at once.
const hoard = await Promise.allSettled(
  Array.from({ length: 300 }, async () => {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
  }),
)
const withFree = await askOf(upstream)
const alone = await askOf(makeUpstream())
const answered = outcomes.filter(outcome => outcome === 'answered').length
const refused = hoard.filter(({ status }) => status === 'rejected').length
process.stdout.write(JSON.stringify({ answered, hoarded: refused > 0, withFree, alone }), () => process.exit())
