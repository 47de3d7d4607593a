/**
 * One socket to an upstream, at a random port of the system's choice, connected, so that only the server's address is
 * heard and a closed port is known at once. It carries one question at a time, and another when the reply has come.
 */
import { createSocket, type Socket } from 'node:dgram'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { DatagramRoute } from './datagrams.ts'
import { datagramFailure, ExchangeError } from './exchange-error.ts'
import type { Outcome } from './outcome.ts'

export interface UdpOptions {
  readonly address: string
  readonly port: number
  /** The address to send from; undefined: the system's choice. */
  readonly source: string | undefined
  /** The system's own calls to there; absent: node:dgram opens and sends. It receives in any case. */
  readonly route?: DatagramRoute | undefined
  readonly clock: Clock
}

/** A question on its way, and who is told what becomes of it. */
export interface UdpExchange extends Outcome<Buffer> {
  readonly packet: Buffer
  /** Whether a datagram is the reply; others are passed over. */
  readonly accepts: (reply: Buffer) => boolean
}

/** Told what becomes of a socket. */
export interface UdpSocketUser {
  /** Its question is answered: it can carry another. */
  readonly free: (socket: UdpSocket) => void
  /** It carries no more. */
  readonly closed: (socket: UdpSocket) => void
  /** No reply comes to what it carried. */
  readonly failed: (exchange: UdpExchange, error: ExchangeError) => void
}

export class UdpSocket {
  /** Questions that it has carried. */
  uses = 0
  readonly opened: Milliseconds
  /** When the last reply came; before the first: when it was opened. */
  heard: Milliseconds
  readonly #options: UdpOptions
  readonly #user: UdpSocketUser
  readonly #socket: Socket
  #exchange: UdpExchange | undefined
  /** Of the exchange. */
  #timer: Timer | undefined
  #timeout: Milliseconds = 0
  #connected = false
  /** Of the route's socket. */
  #descriptor = -1
  #closed = false

  constructor(options: UdpOptions, user: UdpSocketUser) {
    this.#options = options
    this.#user = user
    this.opened = options.clock.monotonic()
    this.heard = this.opened
    this.#socket = createSocket(options.address.includes(':') ? 'udp6' : 'udp4')
    this.#socket.on('error', this.#broken)
    this.#socket.on('message', reply => {
      if (!this.#exchange?.accepts(reply)) return
      const exchange = this.#end()
      this.heard = options.clock.monotonic()
      this.#user.free(this)
      exchange!.replied(reply)
    })
    if (options.route) this.#open(options.route)
    else this.#connect()
  }

  /** Whether the system had a socket and a port for it. */
  get isConnected(): boolean {
    return this.#connected && !this.#closed
  }

  /** Not while another is under way. A question without a reply in time is the last: what comes late is not mixed up. */
  exchange(exchange: UdpExchange, timeout: Milliseconds): void {
    this.uses++
    this.#exchange = exchange
    this.#timeout = timeout
    this.#timer = this.#options.clock.after(timeout, this.#expired)
    if (this.#connected) this.#send(exchange.packet)
  }

  /** Idempotent. The question under way gets the error. */
  close(reason: () => ExchangeError): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
    this.#user.closed(this)
    const exchange = this.#end()
    if (exchange) this.#user.failed(exchange, reason())
  }

  #end(): UdpExchange | undefined {
    const exchange = this.#exchange
    this.#exchange = undefined
    this.#timer?.cancel()
    this.#timer = undefined
    return exchange
  }

  /** Timers run before sockets are read: a reply that waits while the program itself stood still is read first. */
  readonly #expired = (): void => {
    setImmediate(this.#late, this.#exchange)
  }

  readonly #late = (exchange: UdpExchange | undefined): void => {
    if (!exchange || this.#exchange !== exchange) return
    const timeout = this.#timeout
    const { address, port } = this.#options
    this.close(
      () => new ExchangeError('timeout', `no reply from ${address}#${port} over UDP in ${Math.round(timeout)} ms`),
    )
  }

  readonly #broken = (cause: unknown): void => {
    const { address, port } = this.#options
    this.close(() => datagramFailure(cause, `${address}#${port} is unreachable over UDP`))
  }

  readonly #sent = (error: Error | null): void => {
    if (error) this.#broken(error)
  }

  #send(packet: Buffer): void {
    if (this.#descriptor < 0) {
      this.#socket.send(packet, this.#sent)
      return
    }
    const error = this.#options.route!.send(this.#descriptor, packet)
    if (error) this.#broken(error)
  }

  /** Who opens it has no question yet that could hear of an error. */
  #open(route: DatagramRoute): void {
    let descriptor = -1
    try {
      descriptor = route.open()
      this.#socket.bind({ fd: descriptor })
      this.#descriptor = descriptor
      this.#connected = true
    } catch (error) {
      if (descriptor >= 0) route.close(descriptor)
      queueMicrotask(() => this.#broken(error))
    }
  }

  #connect(): void {
    const { address, port, source } = this.#options
    const onConnected = (error?: Error): void => {
      if (error) this.#broken(error)
      if (this.#closed) return
      this.#connected = true
      if (this.#exchange) this.#send(this.#exchange.packet)
    }
    if (source === undefined) this.#socket.connect(port, address, onConnected)
    else this.#socket.bind({ address: source, port: 0 }, () => this.#socket.connect(port, address, onConnected))
  }
}
