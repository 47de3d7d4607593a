/**
 * Questions over few TCP or TLS connections: opened when there is something to ask, many under way at once on each,
 * replies in any order (RFC 7766 §6.2.1), closed after being idle. What waits on a connection that the server closes is
 * asked once more on another (§6.2.4); the next question opens a new one.
 */
import type { Socket } from 'node:net'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import { Connection } from './connection.ts'
import { ExchangeError } from './exchange-error.ts'

export interface StreamOptions {
  /** Starts a connection. `onReady` when questions may be written (for TLS: after the handshake). */
  readonly open: (onReady: () => void) => Socket
  /** For messages: `192.0.2.1#53 over TCP`. */
  readonly description: string
  /** How long an idle connection is kept, unless the server says less. */
  readonly idle: Milliseconds
  /** How long a connection takes questions; 0: without end. */
  readonly maximumAge: Milliseconds
  readonly maximumConnections: number
  readonly clock: Clock
  readonly random: Random
  /** Told whether a question found an open connection. */
  readonly onReuse: (reused: boolean) => void
}

/** Questions under way on a connection above which another is opened, while there may be one. */
const BUSY = 64

export class StreamUpstream {
  readonly #options: StreamOptions
  #connections: Connection[] = []
  #idle: Milliseconds

  constructor(options: StreamOptions) {
    this.#options = options
    this.#idle = options.idle
  }

  /** Whether a question finds a connection, so that it takes no new socket. */
  get isOpen(): boolean {
    return this.#connections.some(connection => connection.usable)
  }

  /** `accepts` looks at replies with the id that `packet` is given here. The packet's own id is replaced. */
  async exchange(packet: Buffer, accepts: (reply: Buffer) => boolean, timeout: Milliseconds): Promise<Buffer> {
    const { clock, onReuse } = this.#options
    const start = clock.monotonic()
    const found = this.#find()
    onReuse(found !== undefined)
    try {
      return await (found ?? this.#connect()).exchange(packet, accepts, timeout)
    } catch (error) {
      const left = timeout - (clock.monotonic() - start)
      if (!found || !(error instanceof ExchangeError) || error.failure !== 'closed' || left <= 0) throw error
      return (this.#find() ?? this.#connect()).exchange(packet, accepts, left)
    }
  }

  /** RFC 7828 §3.4: the server closes connections that are idle for longer; 0: it wants this one closed. */
  keepIdle(timeout: Milliseconds): void {
    this.#idle = Math.min(timeout, this.#options.idle)
  }

  close(): void {
    for (const connection of this.#connections) connection.end('the connection was closed')
    this.#connections = []
  }

  /** The first that is not busy, so that the others may fall idle; else the least busy, if no more may be opened. */
  #find(): Connection | undefined {
    const usable = this.#connections.filter(connection => connection.usable)
    const free = usable.find(({ load }) => load < BUSY)
    if (free || usable.length < this.#options.maximumConnections) return free
    return usable.toSorted((left, right) => left.load - right.load)[0]
  }

  #connect(): Connection {
    const connection = new Connection({
      ...this.#options,
      idleTimeout: () => this.#idle,
      onEnd: () => {
        this.#connections = this.#connections.filter(other => other !== connection)
      },
    })
    this.#connections.push(connection)
    return connection
  }
}
