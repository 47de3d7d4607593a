/** One TCP or TLS connection that carries many questions at once. When it breaks, all that wait on it fail. */
import type { Socket } from 'node:net'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import { ExchangeError, socketFailure } from './exchange-error.ts'

export interface ConnectionOptions {
  readonly open: (onReady: () => void) => Socket
  readonly description: string
  readonly idleTimeout: () => Milliseconds
  readonly maximumAge: Milliseconds
  readonly clock: Clock
  readonly random: Random
  readonly onEnd: () => void
}

interface Waiting {
  readonly accepts: (reply: Buffer) => boolean
  readonly resolve: (reply: Buffer) => void
  readonly reject: (error: ExchangeError) => void
}

/** Half of the ids: a free one is found at random soon enough. */
const MAXIMUM_LOAD = 0x8000

export class Connection {
  readonly #options: ConnectionOptions
  readonly #socket: Socket
  readonly #waiting = new Map<number, Waiting>()
  readonly #opened: Milliseconds
  #ready = false
  #corked = false
  #ended = false
  #unsent: Buffer[] = []
  #received: Buffer = Buffer.alloc(0)
  #idleTimer: Timer | undefined
  /** When something last came. */
  #heard = Number.NEGATIVE_INFINITY

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#opened = options.clock.monotonic()
    this.#socket = options.open(() => {
      this.#ready = true
      for (const frame of this.#unsent.splice(0)) this.#socket.write(frame)
    })
    this.#socket.setNoDelay(true)
    this.#socket.on('data', chunk => this.#read(chunk))
    this.#socket.on('error', error => this.#fail(socketFailure(error, options.description, this.#failureOfSocket)))
    this.#socket.on('close', () => this.end('the connection was closed'))
  }

  get usable(): boolean {
    return !this.#ended && !this.#isOld && this.#waiting.size < MAXIMUM_LOAD
  }

  /** Questions under way. */
  get load(): number {
    return this.#waiting.size
  }

  exchange(packet: Buffer, accepts: Waiting['accepts'], timeout: Milliseconds): Promise<Buffer> {
    this.#idleTimer?.cancel()
    const id = this.#freeId()
    packet.writeUInt16BE(id, 0)
    this.#send(packet)
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
    this.#fail(new ExchangeError('closed', `${this.#options.description}: ${reason}`))
  }

  get #isOld(): boolean {
    const { maximumAge, clock } = this.#options
    return maximumAge > 0 && clock.monotonic() - this.#opened >= maximumAge
  }

  get #failureOfSocket(): 'closed' | 'unreachable' {
    return this.#ready ? 'closed' : 'unreachable'
  }

  #fail(error: ExchangeError): void {
    if (this.#ended) return
    this.#ended = true
    this.#idleTimer?.cancel()
    this.#socket.destroy()
    this.#options.onEnd()
    for (const waiting of [...this.#waiting.values()]) waiting.reject(error)
  }

  /** Questions of one turn of the event loop leave in one piece: one TLS record, one system call. */
  #send(packet: Buffer): void {
    const frame = Buffer.allocUnsafe(2 + packet.length)
    frame.writeUInt16BE(packet.length, 0)
    packet.copy(frame, 2)
    if (!this.#ready) {
      this.#unsent.push(frame)
      return
    }
    if (!this.#corked) {
      this.#corked = true
      this.#socket.cork()
      setImmediate(() => {
        this.#corked = false
        this.#socket.uncork()
      })
    }
    this.#socket.write(frame)
  }

  #restUntilIdle(): void {
    this.#idleTimer?.cancel()
    const idle = this.#options.idleTimeout()
    if (this.#isOld || idle <= 0) this.end('idle')
    else this.#idleTimer = this.#options.clock.after(idle, () => this.end('idle'))
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
