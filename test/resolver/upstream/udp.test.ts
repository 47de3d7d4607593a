import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import test, { type ExecutionContext } from 'ava'
import { type Clock, systemClock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import type { DatagramRoute, Datagrams } from '#resolver/upstream/datagrams.ts'
import { ExchangeError } from '#resolver/upstream/exchange-error.ts'
import { promised } from '#resolver/upstream/outcome.ts'
import { UdpUpstream } from '#resolver/upstream/udp.ts'
import { connectedDatagrams } from '#server/connected-datagrams.ts'
import { missingLibrary } from '#server/system-calls.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

interface Server {
  readonly address: string
  readonly port: number
  /** Where questions came from. */
  readonly clients: RemoteInfo[]
}

/** Sends back what comes, but for what begins with an `m` (mute); before what begins with an `f`, something foreign. */
const startServer = async (t: ExecutionContext, address = '127.0.0.1'): Promise<Server> => {
  const clients: RemoteInfo[] = []
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4', (packet, from) => {
    clients.push(from)
    const [kind] = packet.toString()
    if (kind === 'f') socket.send('something foreign', from.port, from.address)
    if (kind !== 'm') socket.send(packet, from.port, from.address)
  })
  socket.bind(0, address)
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return { address, port: socket.address().port, clients }
}

interface Reach {
  readonly clock?: Clock
  readonly source?: string
}

const reach = (
  t: ExecutionContext,
  { address, port }: Omit<Server, 'clients'>,
  datagrams: Datagrams | undefined,
  { clock = systemClock, source }: Reach = {},
): UdpUpstream => {
  const route = datagrams?.towards(address, port, source)
  const upstream = new UdpUpstream({ address, port, source, route, clock, random: systemRandom })
  t.teardown(() => upstream.close())
  return upstream
}

const exchange = (upstream: UdpUpstream, packet: Buffer, timeout: number): Promise<Buffer> =>
  promised(outcome => {
    const accepts = (reply: Buffer) => reply.equals(packet)
    upstream.exchange({ ...outcome, packet, accepts, asked: 0, deadline: 0 }, timeout)
  })

const ask = async (upstream: UdpUpstream, text: string, timeout = 60_000): Promise<string> => {
  try {
    const packet = Buffer.from(text)
    return (await exchange(upstream, packet, timeout)).toString()
  } catch (error) {
    return error instanceof ExchangeError ? error.failure : String(error)
  }
}

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index)

const withCalls = missingLibrary() === undefined ? test : test.skip

for (const [way, datagrams, run] of [
  ['by node:dgram', undefined, test],
  ['by system calls', connectedDatagrams, withCalls],
] as const) {
  run(`${way}: each question gets its reply, and no other`, async t => {
    const server = await startServer(t)
    const upstream = reach(t, server, datagrams)
    const texts = range(50).map(index => `f${index}`)
    t.deepEqual(await Promise.all(texts.map(text => ask(upstream, text))), texts)
    // A socket carries one question at a time.
    t.is(new Set(server.clients.map(({ port }) => port)).size, 50)
    for (const text of texts) t.is(await ask(upstream, text), text)
    t.true(new Set(server.clients.slice(50).map(({ port }) => port)).size > 1, 'drawn at random')
  })

  run(`${way}: over IPv6, and from the address that is wanted`, async t => {
    const six = await startServer(t, '::1')
    t.is(await ask(reach(t, six, datagrams), 'a'), 'a')
    const four = await startServer(t)
    t.is(await ask(reach(t, four, datagrams, { source: '127.0.0.3' }), 'a'), 'a')
    t.is(four.clients[0]?.address, '127.0.0.3')
    t.is(await ask(reach(t, four, datagrams, { source: '192.0.2.1' }), 'a'), 'local')
  })

  run(`${way}: a port that is closed is known at once`, async t => {
    const server = await startServer(t)
    const upstream = reach(t, { address: server.address, port: 1 }, datagrams)
    t.is(await ask(upstream, 'a'), 'unreachable')
    t.is(await ask(upstream, 'a'), 'unreachable')
  })

  run(`${way}: what is under way ends when nobody asks any more`, async t => {
    const upstream = reach(t, await startServer(t), datagrams)
    const asked = ask(upstream, 'mute')
    upstream.close()
    t.is(await asked, 'closed')
  })
}

/** The same, which tells how many sockets were opened. */
const counted = (datagrams: Datagrams) => {
  const opened = { count: 0 }
  const towards: Datagrams['towards'] = (...where): DatagramRoute => {
    const route = datagrams.towards(...where)!
    const open = (): number => {
      opened.count++
      return route.open()
    }
    return { ...route, open }
  }
  return { opened, datagrams: { towards } }
}

withCalls(
  'a question without a reply takes those sockets with it that have not been heard on since, and no others',
  async t => {
    const clock = new VirtualClock()
    const { opened, datagrams } = counted(connectedDatagrams)
    const server = await startServer(t)
    const upstream = reach(t, server, datagrams, { clock })
    await Promise.all(range(40).map(index => ask(upstream, `a${index}`)))
    t.is(opened.count, 40)
    await clock.advance(10)
    const mute = ask(upstream, 'mute', 2000)
    while (server.clients.length < 41) await new Promise(setImmediate)
    await clock.advance(500)
    t.deepEqual(new Set(await Promise.all(range(20).map(index => ask(upstream, `b${index}`)))).size, 20)
    t.is(opened.count, 40, 'drawn from those that are free')
    await clock.advance(1500)
    t.is(await mute, 'timeout')
    // Twenty are left, and each question draws from them.
    for (const index of range(20)) t.is(await ask(upstream, `c${index}`), `c${index}`)
    t.is(opened.count, 40)
    // Where nothing has come since, this machine may have another address: none of the old ones is used again.
    await clock.advance(10)
    const alone = ask(upstream, 'mute', 2000)
    while (server.clients.length < 82) await new Promise(setImmediate)
    await clock.advance(2000)
    t.is(await alone, 'timeout')
    t.is(await ask(upstream, 'd'), 'd')
    t.is(opened.count, 41)
  },
)

withCalls('one that is closed answers what is asked of it all the same, and keeps no socket', async t => {
  const { opened, datagrams } = counted(connectedDatagrams)
  const upstream = reach(t, await startServer(t), datagrams)
  const askAll = () => Promise.all(range(20).map(index => ask(upstream, `a${index}`)))
  await askAll()
  upstream.close()
  await askAll()
  await askAll()
  t.is(opened.count, 60)
})
