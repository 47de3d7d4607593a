/**
 * One connection of a client, over TCP (RFC 7766) or TLS (RFC 7858): length-framed queries in, replies out in whatever
 * order they are ready.
 *
 * Promised: memory stays within one read and `tcpMaxQuery` for input, and within the replies in flight for output: a
 * client that does not read its answers is not read from. A client that is too slow in any phase is cut off.
 */
import type { Socket } from 'node:net'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Endpoint } from '#resolver/query.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { ServerMetrics } from './metrics.ts'
import type { ServerOptions } from './options.ts'

export interface TcpEnvironment {
  readonly clock: Clock
  readonly metrics: ServerMetrics
  readonly dispatcher: Dispatcher
  readonly options: ServerOptions
  /** Whether the stream is encrypted. */
  readonly transport: 'tcp' | 'tls'
  /** The `server` of the listener at this moment. */
  readonly server: () => string
  /** Whether clients are to go elsewhere: the server has been told to stop. */
  readonly isRetiring: () => boolean
  /** After how many queries the connection closes, as soon as nothing is on its way; infinite: any number. */
  readonly maxQueries: number
}

/** RFC 1035 §4.2.2. */
const LENGTH_BYTES = 2

/**
 * How long a connection that is to close has been idle by then. Who asks again and again is told with the next answer that
 * it is not to stay; one that stood still for a moment must not be closed while its next query is on its way.
 */
const LEAVE_AFTER: Milliseconds = 500

export class TcpConnection {
  readonly #environment: TcpEnvironment
  readonly #socket: Socket
  readonly #client: Endpoint
  readonly #local: Endpoint
  /** Bytes that are not yet a whole query, or whose turn has not come. */
  #input: Buffer = Buffer.alloc(0)
  #inFlight = 0
  #queries = 0
  /** Replies of this turn of the loop. */
  readonly #replies: Buffer[] = []
  #replyBytes = 0
  /** Replies of several messages that go on when the client takes more. */
  readonly #waiting: Iterator<Buffer>[] = []
  /** Since when a query is incomplete; at first the connection's begin. */
  #readingSince: Milliseconds | undefined
  /** Since when the client takes no more. */
  #blockedSince: Milliseconds | undefined
  #idleSince: Milliseconds
  #timer: Timer | undefined
  #timerDue = Number.POSITIVE_INFINITY
  /** The client has ended its side: what it has sent is still answered. */
  #clientEnded = false
  /** Closes when it is idle. */
  #leaving = false
  /** No more queries are taken. */
  #ending = false

  constructor(socket: Socket, environment: TcpEnvironment) {
    this.#socket = socket
    this.#environment = environment
    this.#client = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    this.#local = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 }
    this.#idleSince = this.#readingSince = environment.clock.monotonic()
    socket.on('data', chunk => this.#receive(chunk))
    socket.on('drain', () => this.#unblock())
    socket.on('end', () => {
      this.#clientEnded = true
      this.#takeQueries()
    })
    // Resets by the client are no news; 'close' follows.
    socket.on('error', () => {})
    socket.on('close', () => this.#timer?.cancel())
    this.#watch()
  }

  /** Closes when it is idle; until then the client is told with each answer (RFC 7828 §3.3.2). */
  stop(): void {
    this.#leaving = true
    this.#watch()
  }

  /** Takes no more queries; closes when those in flight are answered. */
  #end(): void {
    this.#ending = true
    this.#input = Buffer.alloc(0)
    this.#readingSince = undefined
    this.#socket.pause()
    this.#endIfDone()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #endIfDone(): void {
    if (!this.#ending || this.#inFlight > 0 || this.#socket.writableEnded) return
    // Until the last bytes are taken: little enough to leave the stream unblocked may still be too much for the client.
    this.#flush()
    this.#blockedSince ??= this.#environment.clock.monotonic()
    this.#socket.end(() => this.#socket.destroy())
    this.#watch()
  }

  #receive(chunk: Buffer): void {
    if (this.#ending) return
    this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk])
    this.#takeQueries()
  }

  /** Takes whole queries out of the input, as many as may be in flight. */
  #takeQueries(): void {
    const { metrics, options, maxQueries } = this.#environment
    let at = 0
    const input = this.#input
    while (this.#mayTake() && at + LENGTH_BYTES <= input.length) {
      const length = input.readUInt16BE(at)
      if (length === 0 || length > options.tcpMaxQuery) {
        metrics.drop('tcp-frame')
        this.destroy()
        return
      }
      const end = at + LENGTH_BYTES + length
      if (end > input.length) break
      this.#queries++
      // The answer to this one says it.
      if (this.#queries === maxQueries) this.#leaving = true
      this.#submit(input.subarray(at + LENGTH_BYTES, end))
      at = end
      this.#readingSince = undefined
      // A client that never comes to rest has had its chance to do so.
      if (this.#queries === maxQueries + options.tcpMaxInFlight) {
        this.#end()
        return
      }
    }
    this.#input = input.subarray(at)
    this.#awaitMore()
  }

  /** After all that could be taken was taken. */
  #awaitMore(): void {
    if (!this.#mayTake()) {
      this.#socket.pause()
      this.#readingSince = undefined
    } else if (this.#clientEnded) {
      this.#end()
    } else if (this.#input.length > 0) {
      this.#readingSince ??= this.#environment.clock.monotonic()
    }
    this.#watch()
  }

  #mayTake(): boolean {
    return this.#blockedSince === undefined && this.#inFlight < this.#environment.options.tcpMaxInFlight
  }

  #submit(packet: Buffer): void {
    const { dispatcher, isRetiring, options, server, transport } = this.#environment
    this.#inFlight++
    const context = {
      transport,
      client: this.#client,
      local: this.#local,
      server: server(),
      idleTimeout: this.#leaving || isRetiring() ? 0 : options.tcpIdleTimeout,
    }
    let rest: Iterable<Buffer> | undefined
    const follow = (messages: Iterable<Buffer>): void => void (rest = messages)
    dispatcher.submit(packet, { ...context, follow }, reply => this.#deliver(reply, rest))
  }

  #deliver(reply: Buffer | undefined, rest?: Iterable<Buffer>): void {
    if (reply && rest && !this.#socket.destroyed) {
      this.#write(reply)
      this.#stream(rest[Symbol.iterator]())
      return
    }
    const { clock, options } = this.#environment
    const wasFull = this.#inFlight-- === options.tcpMaxInFlight
    this.#idleSince = clock.monotonic()
    if (this.#socket.destroyed) return
    if (reply) this.#write(reply)
    if (this.#ending) this.#endIfDone()
    else if (wasFull && this.#mayTake()) this.#resume()
    this.#watch()
  }

  /** The query is in flight until its last message; one a turn of the loop, so that others are answered meanwhile. */
  readonly #stream = (messages: Iterator<Buffer>): void => {
    if (this.#socket.destroyed) {
      this.#deliver(undefined)
    } else if (this.#blockedSince === undefined) {
      const next = nextMessage(messages)
      // The client knows a zone without its end for what it is.
      if (next === 'failed') this.destroy()
      else if (next === 'done') this.#deliver(undefined)
      else this.#write(next)
      if (next instanceof Buffer) setImmediate(this.#stream, messages)
      this.#watch()
    } else {
      this.#waiting.push(messages)
    }
  }

  #write(reply: Buffer): void {
    if (this.#replies.push(reply) === 1) queueMicrotask(this.#flush)
    this.#replyBytes += LENGTH_BYTES + reply.length
    // What is more would wait in the stream, which is to say so.
    if (this.#replyBytes >= this.#socket.writableHighWaterMark) this.#flush()
  }

  /** All replies of one turn leave in one piece, with their lengths: one system call, one record of TLS. */
  readonly #flush = (): void => {
    if (this.#replies.length === 0 || this.#socket.destroyed) return
    const framed = Buffer.allocUnsafe(this.#replyBytes)
    let at = 0
    for (const reply of this.#replies) {
      at = framed.writeUInt16BE(reply.length, at)
      at += reply.copy(framed, at)
    }
    this.#replies.length = 0
    this.#replyBytes = 0
    if (this.#socket.write(framed)) return
    this.#blockedSince ??= this.#environment.clock.monotonic()
    this.#socket.pause()
    this.#watch()
  }

  #unblock(): void {
    this.#blockedSince = undefined
    this.#idleSince = this.#environment.clock.monotonic()
    for (const messages of this.#waiting.splice(0)) this.#stream(messages)
    if (!this.#ending && this.#mayTake()) this.#resume()
    this.#watch()
  }

  #resume(): void {
    this.#socket.resume()
    this.#takeQueries()
  }

  /** When the client's time is up, if nothing happens until then. */
  #deadline(): Milliseconds {
    const { options } = this.#environment
    if (this.#blockedSince !== undefined) return this.#blockedSince + options.tcpWriteTimeout
    if (this.#readingSince !== undefined) return this.#readingSince + options.tcpReadTimeout
    // Whoever waits for an answer is not idle.
    if (this.#inFlight > 0) return Number.POSITIVE_INFINITY
    return this.#idleSince + (this.#leaving ? Math.min(LEAVE_AFTER, options.tcpIdleTimeout) : options.tcpIdleTimeout)
  }

  /** Keeps one timer that fires no later than the deadline; one that fires early looks again. */
  #watch(): void {
    const { clock } = this.#environment
    const deadline = this.#deadline()
    if (this.#socket.destroyed || deadline >= this.#timerDue || deadline === Number.POSITIVE_INFINITY) return
    this.#timer?.cancel()
    this.#timerDue = deadline
    // Timers run before sockets are read: what came while the program itself stood still is read before the verdict.
    this.#timer = clock.after(deadline - clock.monotonic(), () => setImmediate(() => this.#judge()))
  }

  #judge(): void {
    this.#timerDue = Number.POSITIVE_INFINITY
    if (this.#environment.clock.monotonic() >= this.#deadline()) this.#expire()
    else this.#watch()
  }

  #expire(): void {
    const isIdle = this.#blockedSince === undefined && this.#readingSince === undefined
    if (isIdle) {
      this.#end()
    } else {
      this.#environment.metrics.drop('tcp-timeout')
      this.destroy()
    }
  }
}

/** A responder that throws has told of it itself. */
const nextMessage = (messages: Iterator<Buffer>): Buffer | 'done' | 'failed' => {
  try {
    const next = messages.next()
    return next.done ? 'done' : next.value
  } catch {
    return 'failed'
  }
}
