/** What the `timeouts` directive asks of a listener. */
import { connect } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { ListenerTimeouts } from '#resolver/listener.ts'
import { frame } from '../support/dns-client.ts'
import { addressResponder, loopback, startServer } from '../support/dns-server.ts'
import { queryPacket } from '../support/query-packet.ts'

const listenerWith = (timeouts: ListenerTimeouts) => ({ ...loopback(), timeouts })

/** Sends queries over one connection; what came back until the server closed it, and how long that took. */
const untilClosed = async (t: ExecutionContext, port: number, queries: number) => {
  const socket = connect({ port, host: '127.0.0.1' })
  t.teardown(() => socket.destroy())
  let received = Buffer.alloc(0)
  socket.on('error', () => {})
  socket.on('data', chunk => {
    received = Buffer.concat([received, chunk])
  })
  const start = performance.now()
  for (let index = 0; index < queries; index++) socket.write(frame(queryPacket('a.', { id: index })))
  await new Promise(resolve => socket.on('close', resolve))
  let replies = 0
  for (let at = 0; at < received.length; at += 2 + received.readUInt16BE(at)) replies++
  return { replies, duration: performance.now() - start }
}

test('idle: shorter than the server’s own, after the answer', async t => {
  const { port } = await startServer(t, { listeners: [listenerWith({ idle: 300 })] })
  const { replies, duration } = await untilClosed(t, port, 1)
  t.is(replies, 1)
  t.true(duration >= 290 && duration < 60_000, `${duration} ms`)
})

test('read: a client that says nothing', async t => {
  const { port } = await startServer(t, { listeners: [listenerWith({ read: 300 })] })
  const { replies, duration } = await untilClosed(t, port, 0)
  t.is(replies, 0)
  t.true(duration >= 290 && duration < 60_000, `${duration} ms`)
})

test('maxtcpqueries: the connection closes after so many, as soon as nothing is on its way', async t => {
  const { port } = await startServer(t, {
    listeners: [listenerWith({ maxQueries: 3 })],
    options: { tcpMaxInFlight: 4 },
  })
  t.is((await untilClosed(t, port, 3)).replies, 3)
  t.is((await untilClosed(t, port, 5)).replies, 5)
  // All that has been read is answered.
  t.is((await untilClosed(t, port, 20)).replies, 20)
})

test('maxtcpqueries: a client that leaves a pause between its queries is told, and then left', async t => {
  let idleTimeout: number | undefined
  const { port } = await startServer(t, {
    listeners: [listenerWith({ maxQueries: 2 })],
    responder: (packet, context) => {
      idleTimeout = context.idleTimeout
      return addressResponder()(packet, context)
    },
  })
  t.is((await untilClosed(t, port, 2)).replies, 2)
  t.is(idleTimeout, 0)
})

test('a reload changes them for connections that come after it, on the same socket', async t => {
  const told: (number | undefined)[] = []
  const { port, server } = await startServer(t, {
    listeners: [listenerWith({ maxQueries: 3 })],
    responder: (packet, context) => {
      told.push(context.idleTimeout)
      return addressResponder()(packet, context)
    },
  })
  await server.converge([listenerWith({ maxQueries: 2 })], [])
  t.is((await untilClosed(t, port, 3)).replies, 3)
  t.deepEqual(
    told.map(timeout => timeout === 0),
    [false, true, true],
  )
})
