/** How a connection ends whose client never stands still: nothing that was read stays without an answer. */
import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import test from 'ava'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { readOptions } from '#lib/options.ts'
import type { Responder } from '#resolver/listener.ts'
import { Dispatcher } from '#server/dispatcher.ts'
import { ServerMetrics } from '#server/metrics.ts'
import { serverOptions } from '#server/options.ts'
import { TcpConnection } from '#server/tcp-connection.ts'
import { frame } from '../support/dns-client.ts'
import { addressResponder, loopback, startServer } from '../support/dns-server.ts'
import { queryPacket } from '../support/query-packet.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

const MAX_QUERIES = 3
const MAX_IN_FLIGHT = 2

/** A connection on which time stands still, and the ids of the answers that its client has, by piece. */
const start = (responder: Responder = addressResponder()) => {
  const clock = new VirtualClock()
  const read = readOptions(serverOptions, { tcpMaxInFlight: MAX_IN_FLIGHT })
  if (!read.ok) throw new Error(read.problem)
  const metrics = new ServerMetrics(createRegistry())
  const pieces: number[][] = []
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      const ids: number[] = []
      for (let at = 0; at < chunk.length; at += 2 + chunk.readUInt16BE(at)) ids.push(chunk.readUInt16BE(at + 2))
      pieces.push(ids)
      done()
    },
  }) as Socket
  const served = new TcpConnection(socket, {
    clock,
    metrics,
    dispatcher: new Dispatcher(responder, { clock, logger: silentLogger, metrics, maxInFlight: 100 }),
    options: read.value,
    transport: 'tcp',
    server: () => '',
    isRetiring: () => false,
    maxQueries: MAX_QUERIES,
  })
  let id = 0
  /** Asks, and waits until all is done that can be done at this time. */
  const askAll = async (count: number) => {
    socket.push(Buffer.concat(Array.from({ length: count }, () => frame(queryPacket('a.', { id: id++ })))))
    for (let turn = 0; turn < 20; turn++) await clock.advance(0)
  }
  const pass = async (milliseconds: number) => {
    await clock.advance(milliseconds)
    for (let turn = 0; turn < 20; turn++) await clock.advance(0)
  }
  return { socket, served, pieces, askAll, pass, answered: () => pieces.flat().toSorted((a, b) => a - b) }
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index)

test('answers are held until the client waits for them, and leave with the end', async t => {
  const { socket, pieces, askAll, pass, answered } = start()
  await askAll(MAX_QUERIES + MAX_IN_FLIGHT)
  const before = answered().length
  await askAll(2)
  await pass(9)
  await askAll(1)
  t.is(answered().length, before)
  await pass(9)
  t.false(socket.writableEnded)
  const count = pieces.length
  await pass(1)
  t.true(socket.writableEnded)
  t.is(pieces.length, count + 1)
  t.deepEqual(answered(), upTo(MAX_QUERIES + MAX_IN_FLIGHT + 3))
})

test('a client that does not wait for answers is left all the same, and what was read is answered', async t => {
  const { socket, askAll, pass, answered } = start()
  await askAll(MAX_QUERIES + MAX_IN_FLIGHT)
  let asked = MAX_QUERIES + MAX_IN_FLIGHT
  for (; !socket.writableEnded && asked < 100; asked++) {
    await askAll(1)
    await pass(3)
  }
  t.true(asked < 20, String(asked))
  t.deepEqual(answered(), upTo(asked))
})

test('who waits for another server holds up nobody, and is waited for', async t => {
  const release: (() => void)[] = []
  const quick = addressResponder()
  const { socket, askAll, pass, answered } = start(async (packet, context) => {
    if (packet.readUInt16BE(0) === 4) await new Promise<void>(resolve => release.push(resolve))
    return quick(packet, context)
  })
  await askAll(MAX_QUERIES + MAX_IN_FLIGHT)
  await pass(30)
  t.deepEqual(answered(), [0, 1, 2, 3])
  t.false(socket.writableEnded)
  release[0]!()
  await pass(0)
  t.deepEqual(answered(), [0, 1, 2, 3, 4])
  await pass(500)
  t.true(socket.writableEnded)
})

test('what comes after the end is read and forgotten, for a second', async t => {
  const { socket, served, askAll, pass, answered } = start()
  await askAll(1)
  served.stop()
  await pass(500)
  t.true(socket.writableEnded)
  await askAll(3)
  t.is(socket.readableLength, 0)
  t.false(socket.destroyed)
  await pass(999)
  t.false(socket.destroyed)
  await pass(1)
  t.true(socket.destroyed)
  t.deepEqual(answered(), [0])
})

test('a server that stops parts from a client that never stands still after a second', async t => {
  const { socket, served, askAll, pass, answered } = start()
  served.stop()
  let asked = 0
  for (; !socket.writableEnded && asked < 100; asked++) {
    await askAll(1)
    await pass(asked < 2 ? 400 : 5)
  }
  t.true(socket.writableEnded)
  t.deepEqual(answered(), upTo(asked))
})

test('over the wire: a client that always has something to ask is left without a reset', async t => {
  const { port } = await startServer(t, { listeners: [{ ...loopback(), timeouts: { maxQueries: 200 } }] })
  const lost: number[] = []
  let answered = 0
  for (let connection = 0; connection < 3; connection++) {
    const socket = connect({ port, host: '127.0.0.1' })
    t.teardown(() => socket.destroy())
    socket.on('error', error => t.fail(error.message))
    let received = Buffer.alloc(0)
    const waiting = new Set<number>()
    let next = 0
    const fill = () => {
      while (waiting.size < 20 && !socket.readableEnded) {
        waiting.add(next)
        socket.write(frame(queryPacket('a.', { id: next++ })))
      }
    }
    socket.on('data', chunk => {
      received = Buffer.concat([received, chunk])
      for (let end = 2; received.length >= 2; received = received.subarray(end)) {
        end = 2 + received.readUInt16BE(0)
        if (received.length < end) break
        if (waiting.delete(received.readUInt16BE(2))) answered++
      }
      // The end that came with it is read in the next turn.
      setImmediate(() => setImmediate(fill))
    })
    const closed = new Promise(resolve => socket.once('close', resolve))
    socket.once('connect', fill)
    await closed
    lost.push(waiting.size)
  }
  t.true(answered >= 600, String(answered))
  // A client that is not given the processor for long enough looks like one that does not wait.
  t.log(`answered ${answered}, lost ${lost.join(' ')}`)
})
