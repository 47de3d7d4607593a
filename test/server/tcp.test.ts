import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import test, { type ExecutionContext } from 'ava'
import { type Clock, systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { readOptions } from '#lib/options.ts'
import type { Responder } from '#resolver/listener.ts'
import { Dispatcher } from '#server/dispatcher.ts'
import { ServerMetrics } from '#server/metrics.ts'
import { serverOptions } from '#server/options.ts'
import { TcpConnection } from '#server/tcp-connection.ts'
import { ask, frame } from '../support/dns-client.ts'
import { addressResponder, metric, startServer } from '../support/dns-server.ts'
import { queryPacket } from '../support/query-packet.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

class Client {
  readonly socket: Socket
  /** Also by a reset. */
  readonly closed: Promise<unknown>
  #received = Buffer.alloc(0)
  #wake = () => {}

  constructor(t: ExecutionContext, port: number) {
    this.socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    this.socket.on('error', () => {})
    this.socket.on('data', chunk => {
      this.#received = Buffer.concat([this.#received, chunk])
      this.#wake()
    })
    this.socket.on('end', () => {
      this.#wake()
      this.socket.end()
    })
    this.closed = new Promise(resolve =>
      this.socket.on('close', () => {
        this.#wake()
        resolve(undefined)
      }),
    )
    t.teardown(() => this.socket.destroy())
  }

  /** The next `count` messages; rejects when the server ends before. */
  async messages(count: number): Promise<Buffer[]> {
    const messages: Buffer[] = []
    while (messages.length < count) {
      const end = this.#received.length < 2 ? Number.NaN : 2 + this.#received.readUInt16BE(0)
      if (this.#received.length >= end) {
        messages.push(this.#received.subarray(2, end))
        this.#received = this.#received.subarray(end)
      } else if (this.socket.readableEnded || this.socket.destroyed) {
        throw new Error(`the server ended after ${messages.length} messages`)
      } else {
        await new Promise<void>(resolve => (this.#wake = resolve))
      }
    }
    return messages
  }
}

const packetWithId = (id: number): Buffer => queryPacket('a.example.', { id })
const ids = (messages: readonly Buffer[]): number[] => messages.map(message => message.readUInt16BE(0))

/** Answers query n after query n + 1, so that every reply overtakes. */
const reversing = (count: number): Responder => {
  const answer = addressResponder()
  const held: (() => void)[] = []
  return async (packet, context) => {
    if (held.length < count - 1) await new Promise<void>(resolve => held.push(resolve))
    const reply = await answer(packet, context)
    const previous = held.pop()
    if (previous) setImmediate(previous)
    return reply
  }
}

test('RFC 7766 §6.2.1.1: queries are pipelined, answers overtake', async t => {
  const { port } = await startServer(t, { responder: reversing(8) })
  const client = new Client(t, port)
  client.socket.write(Buffer.concat(Array.from({ length: 8 }, (_, id) => frame(packetWithId(id)))))
  t.deepEqual(ids(await client.messages(8)), [7, 6, 5, 4, 3, 2, 1, 0])
})

test('RFC 7766 §8: bytes may come in any pieces', async t => {
  const { port } = await startServer(t)
  const client = new Client(t, port)
  client.socket.setNoDelay(true)
  const bytes = Buffer.concat([frame(packetWithId(1)), frame(packetWithId(2)), frame(packetWithId(3))])
  for (const byte of bytes) {
    client.socket.write(Buffer.from([byte]))
    await new Promise(resolve => setImmediate(resolve))
  }
  t.deepEqual(ids(await client.messages(3)), [1, 2, 3])
})

test('more queries than may be in flight are read later, none is lost', async t => {
  const { port } = await startServer(t, {
    options: { tcpMaxInFlight: 3 },
    responder: async (packet, context) => {
      await new Promise(resolve => setImmediate(resolve))
      return addressResponder()(packet, context)
    },
  })
  const client = new Client(t, port)
  client.socket.end(Buffer.concat(Array.from({ length: 1000 }, (_, id) => frame(packetWithId(id)))))
  const seen = ids(await client.messages(1000)).sort((a, b) => a - b)
  t.deepEqual(
    seen,
    Array.from({ length: 1000 }, (_, id) => id),
  )
  await client.closed
})

test('RFC 7766 §6.2.4: a client that ends its side still gets its answers', async t => {
  const { port } = await startServer(t, {
    responder: async (packet, context) => {
      await new Promise(resolve => setTimeout(resolve, 30))
      return addressResponder()(packet, context)
    },
  })
  const client = new Client(t, port)
  client.socket.end(frame(packetWithId(5)))
  t.deepEqual(ids(await client.messages(1)), [5])
  await client.closed
})

for (const [what, bytes] of [
  ['of no bytes', Buffer.alloc(2)],
  ['longer than any query', Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.alloc(100)])],
] as const) {
  test(`a frame ${what} closes the connection`, async t => {
    const { port, registry } = await startServer(t)
    const client = new Client(t, port)
    client.socket.write(bytes)
    await client.closed
    t.is(await metric(registry, 'seamark_server_dropped_total'), 1)
    t.is((await ask({ name: 'a', port, transport: 'tcp' })).rcode, 'NOERROR')
  })
}

test('connections above the limit are closed at once; others go on', async t => {
  const { port, registry } = await startServer(t, { options: { tcpMaxConnections: 2 } })
  const clients = [new Client(t, port), new Client(t, port)]
  for (const client of clients) {
    client.socket.write(frame(packetWithId(1)))
    await client.messages(1)
  }
  t.is(await metric(registry, 'seamark_server_tcp_connections'), 2)
  const third = new Client(t, port)
  await third.closed
  t.is(await metric(registry, 'seamark_server_dropped_total'), 1)
  clients[0]!.socket.write(frame(packetWithId(2)))
  t.deepEqual(ids(await clients[0]!.messages(1)), [2])
  clients[1]!.socket.destroy()
  while ((await metric(registry, 'seamark_server_tcp_connections')) > 1) {
    await new Promise(resolve => setImmediate(resolve))
  }
  t.is((await ask({ name: 'a', port, transport: 'tcp' })).rcode, 'NOERROR')
})

/** Sends the parts over a connection of its own; how long it stayed open, in milliseconds. */
const lifetime = async (t: ExecutionContext, port: number, ...parts: Buffer[]): Promise<number> => {
  const client = new Client(t, port)
  const start = performance.now()
  for (const part of parts) client.socket.write(part)
  await client.closed
  return performance.now() - start
}

test('the read time-out: nothing sent, half a query, half a second query', async t => {
  const options = { tcpReadTimeout: 200 }
  const { port, registry } = await startServer(t, { options })
  const query = frame(packetWithId(1))
  const times = await Promise.all([
    lifetime(t, port),
    lifetime(t, port, query.subarray(0, 9)),
    lifetime(t, port, query, Buffer.from([0])),
  ])
  for (const time of times) t.true(time >= 195, String(time))
  t.is(await metric(registry, 'seamark_server_dropped_total'), 3)
})

test('a query that came in time is answered, however late this process is to read it', async t => {
  const query = frame(packetWithId(6))
  for (let patience = 200; ; patience *= 2) {
    const { port, registry } = await startServer(t, { options: { tcpReadTimeout: patience } })
    const end = performance.now() + patience
    const client = new Client(t, port)
    client.socket.write(query.subarray(0, 9))
    while ((await metric(registry, 'seamark_server_tcp_connections')) < 1) await new Promise(setImmediate)
    client.socket.write(query.subarray(9))
    // A machine that stood still meanwhile made the client late: it is given more time.
    if (performance.now() > end) continue
    while (performance.now() < end + 2 * patience);
    t.deepEqual(ids(await client.messages(1)), [6])
    t.is(await metric(registry, 'seamark_server_dropped_total'), 0)
    return
  }
})

test('the idle time-out: nothing more to ask, which is no offence', async t => {
  const options = { tcpIdleTimeout: 200 }
  const { port, registry } = await startServer(t, { options })
  t.true((await lifetime(t, port, frame(packetWithId(1)))) >= 195)
  t.is(await metric(registry, 'seamark_server_dropped_total'), 0)
})

test('whoever waits for an answer is not idle', async t => {
  const { port } = await startServer(t, {
    options: { tcpReadTimeout: 1000, tcpIdleTimeout: 1000 },
    responder: async (packet, context) => {
      await new Promise(resolve => setTimeout(resolve, 2500))
      return addressResponder()(packet, context)
    },
  })
  const client = new Client(t, port)
  client.socket.write(frame(packetWithId(9)))
  t.deepEqual(ids(await client.messages(1)), [9])
})

test('a client that does not read is not read from, and is cut off in the end', async t => {
  let answered = 0
  const answer = addressResponder(3000)
  const { port, registry } = await startServer(t, {
    options: { tcpWriteTimeout: 300 },
    responder: (packet, context) => {
      answered++
      return answer(packet, context)
    },
  })
  const client = new Client(t, port)
  client.socket.pause()
  const burst = Buffer.concat(Array.from({ length: 50 }, (_, id) => frame(packetWithId(id))))
  let sent = 0
  // 48 KB an answer: buffers of both kernels hold some; far from all of them may have been made.
  const sending = setInterval(() => {
    if (!client.socket.destroyed && sent < 5000) client.socket.write(burst, () => {})
    sent += 50
  }, 1)
  // The client itself notices only when it writes or reads, and it may have written all by then.
  while ((await metric(registry, 'seamark_server_tcp_connections')) > 0 || answered === 0) {
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  clearInterval(sending)
  t.true(answered < 1000, `${answered} answers were made for a client that reads none`)
  t.is(await metric(registry, 'seamark_server_dropped_total'), 1)
  t.is((await ask({ name: 'a', port })).rcode, 'NOERROR')
})

test('an answer of 64 KiB is cut to whole records with TC', async t => {
  const { port } = await startServer(t, { responder: addressResponder(5000) })
  const client = new Client(t, port)
  client.socket.write(frame(packetWithId(1)))
  const [message] = await client.messages(1)
  t.true(message!.length <= 65_535 && message!.length > 65_500)
  t.true((message!.readUInt16BE(2) & 0x0200) !== 0)
})

/** A connection; `written` is told of each piece that the client takes. */
const connection = (clock: Clock, overrides: Record<string, unknown>, written: 'never taken' | (() => void)) => {
  const read = readOptions(serverOptions, overrides)
  if (!read.ok) throw new Error(read.problem)
  const metrics = new ServerMetrics(createRegistry())
  const write = (_chunk: unknown, _encoding: unknown, done: () => void) => {
    if (written === 'never taken') return
    written()
    done()
  }
  const socket = new Duplex({ read() {}, write }) as Socket
  const options = { clock, logger: silentLogger, metrics, maxInFlight: 10 }
  const served = new TcpConnection(socket, {
    clock,
    metrics,
    dispatcher: new Dispatcher(addressResponder(), options),
    options: read.value,
    transport: 'tcp',
    server: () => '',
    isRetiring: () => false,
    maxQueries: Number.POSITIVE_INFINITY,
  })
  return { socket, served }
}

test('a connection that is to close waits for a client that stood still for a moment', async t => {
  const clock = new VirtualClock()
  let written = 0
  const { socket, served } = connection(clock, {}, () => written++)
  const exchange = async () => {
    const before = written
    socket.push(frame(packetWithId(1)))
    while (written === before && !socket.writableEnded) await clock.advance(0)
  }
  await exchange()
  await clock.advance(100)
  served.stop()
  for (let query = 0; query < 3; query++) {
    await clock.advance(300)
    await exchange()
  }
  t.false(socket.writableEnded)
  await clock.advance(500)
  t.true(socket.writableEnded)
})

test('a client that leaves its last answer unread does not keep its connection', async t => {
  // A window of zero: what is written is never taken, but it is too little for the stream to call itself full.
  const { socket } = connection(systemClock, { tcpIdleTimeout: 100, tcpWriteTimeout: 100 }, 'never taken')
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  socket.push(frame(packetWithId(1)))
  const late = Promise.withResolvers<string>()
  // The clock's timers keep no program alive.
  const timer = setTimeout(late.resolve, 60_000, 'kept')
  t.teardown(() => clearTimeout(timer))
  t.is(await Promise.race([closed.then(() => 'closed'), late.promise]), 'closed')
})
