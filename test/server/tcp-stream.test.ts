/** Replies of many messages (RFC 5936 §2.2) on connections that have other things to do. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { Responder } from '#resolver/listener.ts'
import { frame } from '../support/dns-client.ts'
import { addressResponder, metric, startServer } from '../support/dns-server.ts'
import { queryPacket } from '../support/query-packet.ts'

const ENDLESS = 1
const BROKEN = 2
const PLAIN = 3

const message = (id: number): Buffer => {
  const bytes = Buffer.alloc(16_384)
  bytes.writeUInt16BE(id)
  return bytes
}

/** Queries with id 1 get a reply without an end, with id 2 one that fails after three messages. */
const streaming = () => {
  const plain = addressResponder()
  const seen = { pulled: 0 }
  function* endless() {
    for (;;) {
      seen.pulled++
      yield message(ENDLESS)
    }
  }
  function* broken() {
    yield message(BROKEN)
    yield message(BROKEN)
    throw new Error('a bug')
  }
  const responder: Responder = (packet, context) => {
    const id = packet.readUInt16BE(0)
    if (id === PLAIN) return plain(packet, context)
    context.follow?.(id === ENDLESS ? endless() : broken())
    return message(id)
  }
  return { responder, seen }
}

const client = (t: ExecutionContext, port: number): Socket => {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  return socket
}

/** Ids of messages as they come, until `enough` says so or the connection ends. */
const readIds = async (socket: Socket, enough: (ids: readonly number[]) => boolean): Promise<number[]> => {
  const ids: number[] = []
  let received = Buffer.alloc(0)
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    received = Buffer.concat([received, chunk as Buffer])
    while (received.length >= 4 && received.length >= 2 + received.readUInt16BE(0)) {
      ids.push(received.readUInt16BE(2))
      received = received.subarray(2 + received.readUInt16BE(0))
    }
    if (enough(ids)) break
  }
  return ids
}

test('other queries of the connection are answered in between', async t => {
  const { responder } = streaming()
  const { port } = await startServer(t, { responder })
  const socket = client(t, port)
  socket.write(frame(queryPacket('zone.example.', { id: ENDLESS })))
  await readIds(socket, ids => ids.length > 20)
  socket.write(frame(queryPacket('a.example.', { id: PLAIN })))
  t.true((await readIds(socket, ids => ids.includes(PLAIN))).includes(PLAIN))
})

test('messages are made as the client takes them; one that takes none is cut off', async t => {
  const { responder, seen } = streaming()
  const { port, registry } = await startServer(t, { responder, options: { tcpWriteTimeout: 300 } })
  const socket = client(t, port)
  socket.write(frame(queryPacket('zone.example.', { id: ENDLESS })))
  await readIds(socket, ids => ids.length > 0)
  socket.pause()
  const dropped = () => metric(registry, 'seamark_server_dropped_total')
  while ((await dropped()) === 0) await new Promise(resolve => setTimeout(resolve, 20))
  const { pulled } = seen
  // What the kernel keeps for both sides, and no more.
  t.true(pulled * 16_384 < 64 << 20, `${pulled} messages`)
  await new Promise(resolve => setTimeout(resolve, 50))
  t.is(seen.pulled, pulled)
})

test('a reply that fails on its way ends the connection: half a zone must not look whole', async t => {
  const { responder } = streaming()
  const { port } = await startServer(t, { responder })
  const socket = client(t, port)
  const closed = once(socket, 'close')
  socket.write(frame(queryPacket('zone.example.', { id: BROKEN })))
  socket.resume()
  await closed
  t.pass()
})

test('a server that stops gives a stream the drain time and no more', async t => {
  const { responder } = streaming()
  const { server, port } = await startServer(t, { responder, options: { drainTimeout: 100 } })
  const socket = client(t, port)
  const closed = once(socket, 'close')
  socket.write(frame(queryPacket('zone.example.', { id: ENDLESS })))
  await readIds(socket, ids => ids.length > 0)
  socket.resume()
  await Promise.all([server.close(), closed])
  t.pass()
})
