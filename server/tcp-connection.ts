/**
 * One connection of a client, over TCP (RFC 7766) or TLS (RFC 7858): length-framed queries in, replies out in whatever
 * order they are ready.
 *
 * Promised: memory stays within one read and `tcpMaxQuery` for input, and within the replies in flight for output: a
 * client that does not read its answers is not read from. A client that is too slow in any phase is cut off. What has
 * been read is answered before the connection ends, and no answer is lost to what came too late (see Parting).
 */
import type { Socket } from 'node:net'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Endpoint } from '#resolver/query.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { ServerMetrics } from './metrics.ts'
import type { ServerOptions } from './options.ts'
import { acknowledge, cork } from './socket-options.ts'

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
/** After `stop`, one that never stands still is parted from, long before the drain time is over. */
const STOP_AFTER: Milliseconds = 1000

/**
 * Parting from a client that never stands still, and may not read what RFC 7828 says: its answers are held until it has
 * nothing more to ask without them, then leave in one piece with the end. What it asks afterwards goes elsewhere, and
 * nothing was on its way. A client that does not wait for answers is left in the middle, after the longest time: that
 * costs what comes within one round trip, and not all that had been read.
 */
interface Parting {
  readonly since: Milliseconds
  lastQueryAt: Milliseconds
}

/** Clients of a cluster are a millisecond away; one on a busy machine takes longer to see what it got before. */
const PARTING_PAUSE: Milliseconds = 10
const LONGEST_PARTING: Milliseconds = 30
/** An answer that other servers are waited for keeps it from ending: then the held ones go out, and it is tried again. */
const MAX_PARTINGS = 8

/**
 * After the end of our side, what the client had sent before it knew is read and forgotten: it would be answered with a
 * reset, which destroys answers that the client has not read yet (RFC 9293 §3.10.7.1, RFC 1122 §4.2.2.13).
 */
const LINGER: Milliseconds = 1000

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
  /** At which query, and from when on, it is parted from if it is not idle by then. */
  #partAt: number
  #partAfter = Number.POSITIVE_INFINITY
  #parting: Parting | undefined
  #partings = 0
  /** No more queries are taken. */
  #ending = false
  /** Since when our side has ended. */
  #lingeringSince: Milliseconds | undefined

  constructor(socket: Socket, environment: TcpEnvironment) {
    this.#socket = socket
    this.#environment = environment
    this.#client = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
    this.#local = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 }
    this.#idleSince = this.#readingSince = environment.clock.monotonic()
    this.#partAt = environment.maxQueries + environment.options.tcpMaxInFlight
    socket.on('data', chunk => this.#receive(chunk))
    socket.on('drain', () => this.#unblock())
    socket.on('end', () => {
      this.#clientEnded = true
      if (this.#lingeringSince === undefined) this.#takeQueries()
      else this.destroy()
    })
    // Resets by the client are no news; 'close' follows.
    socket.on('error', () => {})
    socket.on('close', () => this.#timer?.cancel())
    this.#watch()
  }

  /** Closes when it is idle; until then the client is told with each answer (RFC 7828 §3.3.2). */
  stop(): void {
    this.#leaving = true
    this.#partAfter = this.#environment.clock.monotonic() + STOP_AFTER
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
    // The last answers and the end in one piece: between the two the client would ask again.
    if (this.#replies.length > 0) cork(this.#socket)
    // Until the last bytes are taken: little enough to leave the stream unblocked may still be too much for the client.
    this.#flush()
    this.#blockedSince ??= this.#environment.clock.monotonic()
    this.#socket.end(() => this.#linger())
    this.#watch()
  }

  #linger(): void {
    this.#blockedSince = undefined
    this.#lingeringSince = this.#environment.clock.monotonic()
    if (this.#clientEnded) this.destroy()
    else this.#socket.resume()
    this.#watch()
  }

  #receive(chunk: Buffer): void {
    if (this.#ending) return
    this.#input = this.#input.length === 0 ? chunk : Buffer.concat([this.#input, chunk])
    this.#takeQueries()
  }

  /** Takes whole queries out of the input, as many as may be in flight. */
  #takeQueries(): void {
    const { clock, metrics, options, maxQueries } = this.#environment
    let at = 0
    const input = this.#input
    const before = this.#queries
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
    }
    this.#input = input.subarray(at)
    if (this.#leaving && this.#queries > before) this.#askedMore(clock.monotonic())
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

  /** A client that is to go asks again: it may have had its chance to come to rest. */
  #askedMore(now: Milliseconds): void {
    if (this.#parting) this.#parting.lastQueryAt = now
    else if (this.#queries >= this.#partAt || now >= this.#partAfter) this.#parting = { since: now, lastQueryAt: now }
    if (this.#parting) acknowledge(this.#socket)
  }

  #endParting(): void {
    const { clock, options } = this.#environment
    this.#parting = undefined
    if (this.#inFlight > 0) this.#flush()
    if (this.#inFlight === 0 || ++this.#partings === MAX_PARTINGS) this.#end()
    this.#partAt = this.#queries + options.tcpMaxInFlight
    this.#partAfter = clock.monotonic() + STOP_AFTER
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
    if (this.#replies.push(reply) === 1 && !this.#parting) queueMicrotask(this.#flush)
    this.#replyBytes += LENGTH_BYTES + reply.length
    // What is more would wait in the stream, which is to say so.
    if (this.#replyBytes < this.#socket.writableHighWaterMark) return
    if (this.#parting) this.#endParting()
    else this.#flush()
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
    if (this.#lingeringSince !== undefined) return this.#lingeringSince + LINGER
    if (this.#parting) {
      const { since, lastQueryAt } = this.#parting
      const isAsking = this.#inFlight > 0 || this.#readingSince !== undefined
      return Math.min(since + LONGEST_PARTING, isAsking ? Infinity : lastQueryAt + PARTING_PAUSE)
    }
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
    const isTaken = this.#blockedSince === undefined
    if (isTaken && this.#lingeringSince !== undefined) {
      this.destroy()
    } else if (isTaken && this.#parting) {
      this.#endParting()
    } else if (isTaken && this.#readingSince === undefined) {
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
