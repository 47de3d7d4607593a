/**
 * Questions over one TCP or TLS connection: opened when there is something to ask, many under way at once, replies in
 * any order (RFC 7766 §6.2.1), closed after being idle. When it breaks, all that wait on it fail; the next question
 * opens a new one.
 */
import type { Socket } from 'node:net'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import { ExchangeError } from './exchange-error.ts'

export interface StreamOptions {
  /** Starts a connection. `onReady` when questions may be written (for TLS: after the handshake). */
  readonly open: (onReady: () => void) => Socket
  /** For messages: `192.0.2.1#53 over TCP`. */
  readonly description: string
  /** How long an idle connection is kept. */
  readonly idle: Milliseconds
  readonly clock: Clock
  readonly random: Random
  /** Told whether a question found an open connection. */
  readonly onReuse: (reused: boolean) => void
}

interface Waiting {
  readonly accepts: (reply: Buffer) => boolean
  readonly resolve: (reply: Buffer) => void
  readonly reject: (error: ExchangeError) => void
}

export class StreamUpstream {
  readonly #options: StreamOptions
  #connection: Connection | undefined

  constructor(options: StreamOptions) {
    this.#options = options
  }

  /** `accepts` looks at replies with the id that `packet` is given here. The packet's own id is replaced. */
  exchange(packet: Buffer, accepts: (reply: Buffer) => boolean, timeout: Milliseconds): Promise<Buffer> {
    const open = this.#connection?.usable ? this.#connection : undefined
    this.#options.onReuse(open !== undefined)
    this.#connection = open ?? new Connection(this.#options)
    return this.#connection.exchange(packet, accepts, timeout)
  }

  close(): void {
    this.#connection?.end('the connection was closed')
  }
}

class Connection {
  readonly #options: StreamOptions
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  #ready = false
  #ended = false
  #unsent: Buffer[] = []
  #received: Buffer = Buffer.alloc(0)
  #idleTimer: Timer | undefined
  /** When something last came. */
  #heard = Number.NEGATIVE_INFINITY

  constructor(options: StreamOptions) {
    this.#options = options
    this.#socket = options.open(() => {
      this.#ready = true
      for (const frame of this.#unsent.splice(0)) this.#socket.write(frame)
    })
    this.#socket.setNoDelay(true)
    this.#socket.on('data', chunk => this.#read(chunk))
    this.#socket.on('error', error => this.end(error.message))
    this.#socket.on('close', () => this.end('the connection was closed'))
  }

  get usable(): boolean {
    return !this.#ended && this.#waiting.size < 0x8000
  }

  exchange(packet: Buffer, accepts: Waiting['accepts'], timeout: Milliseconds): Promise<Buffer> {
    this.#idleTimer?.cancel()
    const id = this.#freeId()
    packet.writeUInt16BE(id, 0)
    const frame = Buffer.allocUnsafe(2 + packet.length)
    frame.writeUInt16BE(packet.length, 0)
    packet.copy(frame, 2)
    if (this.#ready) this.#socket.write(frame)
    else this.#unsent.push(frame)
    const sent = this.#options.clock.monotonic()
    return new Promise<Buffer>((resolve, reject) => {
      const late = () => {
        if (this.#waiting.get(id) !== waiting) return
        this.#waiting.delete(id)
        reject(new ExchangeError('timeout', `no reply from ${this.#options.description} in ${timeout} ms`))
        // A connection on which nothing at all came since is dead, however many wait on it: they are asked again on
        // another (RFC 7766 §6.2.3 leaves it to the client).
        if (this.#heard < sent) this.end('no reply came')
        else if (this.#waiting.size === 0) this.#restUntilIdle()
      }
      // Timers run before sockets are read: a reply that waits while the program itself stood still is read first.
      const timer = this.#options.clock.after(timeout, () => setImmediate(late))
      const settle = () => {
        timer.cancel()
        this.#waiting.delete(id)
        if (this.#waiting.size === 0 && !this.#ended) this.#restUntilIdle()
      }
      const waiting: Waiting = {
        accepts,
        resolve: reply => {
          settle()
          resolve(reply)
        },
        reject: error => {
          settle()
          reject(error)
        },
      }
      this.#waiting.set(id, waiting)
    })
  }

  end(reason: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#idleTimer?.cancel()
    this.#socket.destroy()
    const error = new ExchangeError('closed', `${this.#options.description}: ${reason}`)
    for (const waiting of [...this.#waiting.values()]) waiting.reject(error)
  }

  #restUntilIdle(): void {
    this.#idleTimer?.cancel()
    this.#idleTimer = this.#options.clock.after(this.#options.idle, () => this.end('idle'))
  }

  #freeId(): number {
    for (;;) {
      const id = this.#options.random.integer(0x10000)
      if (!this.#waiting.has(id)) return id
    }
  }

  #read(chunk: Buffer): void {
    this.#heard = this.#options.clock.monotonic()
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk])
    while (this.#received.length >= 2) {
      const end = 2 + this.#received.readUInt16BE(0)
      if (this.#received.length < end) return
      const reply = Buffer.from(this.#received.subarray(2, end))
      this.#received = this.#received.subarray(end)
      const waiting = reply.length >= 2 ? this.#waiting.get(reply.readUInt16BE(0)) : undefined
      if (waiting?.accepts(reply)) waiting.resolve(reply)
    }
  }
}
