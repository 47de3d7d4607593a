/**
 * One socket to an upstream, at a random port of the system's choice, connected, so that only the server's address is
 * heard and a closed port is known at once. It carries one question at a time, and another when the reply has come.
 */
import { createSocket, type Socket } from 'node:dgram'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import { ExchangeError, socketFailure } from './exchange-error.ts'

export interface UdpOptions {
  readonly address: string
  readonly port: number
  /** The address to send from; undefined: the system's choice. */
  readonly source: string | undefined
  readonly clock: Clock
}

interface Exchange {
  readonly packet: Buffer
  readonly accepts: (reply: Buffer) => boolean
  readonly resolve: (reply: Buffer) => void
  readonly reject: (error: ExchangeError) => void
  readonly timer: Timer
}

export class UdpSocket {
  /** Questions that it has carried. */
  uses = 0
  readonly opened: Milliseconds
  readonly #options: UdpOptions
  readonly #onClosed: (socket: UdpSocket) => void
  readonly #socket: Socket
  #exchange: Exchange | undefined
  #connected = false
  #closed = false

  /** `onClosed`: it carries no more. */
  constructor(options: UdpOptions, onClosed: (socket: UdpSocket) => void) {
    this.#options = options
    this.#onClosed = onClosed
    this.opened = options.clock.monotonic()
    this.#socket = createSocket(options.address.includes(':') ? 'udp6' : 'udp4')
    this.#socket.on('error', this.#broken)
    this.#socket.on('message', reply => {
      if (this.#exchange?.accepts(reply)) this.#end()?.resolve(reply)
    })
    this.#connect()
  }

  /** Whether the system had a socket and a port for it. */
  get isConnected(): boolean {
    return this.#connected && !this.#closed
  }

  /** Not while another is under way. A question without a reply in time is the last: what comes late is not mixed up. */
  exchange(packet: Buffer, accepts: Exchange['accepts'], timeout: Milliseconds): Promise<Buffer> {
    this.uses++
    return new Promise((resolve, reject) => {
      const { address, port, clock } = this.#options
      const late = () => {
        if (this.#exchange !== exchange) return
        this.close(
          () => new ExchangeError('timeout', `no reply from ${address}#${port} over UDP in ${Math.round(timeout)} ms`),
        )
      }
      // Timers run before sockets are read: a reply that waits while the program itself stood still is read first.
      const timer = clock.after(timeout, () => setImmediate(late))
      const exchange = { packet, accepts, resolve, reject, timer }
      this.#exchange = exchange
      if (this.#connected) this.#send(packet)
    })
  }

  /** Idempotent. The question under way gets the error. */
  close(reason: () => ExchangeError): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
    this.#onClosed(this)
    this.#end()?.reject(reason())
  }

  #end(): Exchange | undefined {
    const exchange = this.#exchange
    this.#exchange = undefined
    exchange?.timer.cancel()
    return exchange
  }

  readonly #broken = (cause: unknown): void => {
    const { address, port } = this.#options
    this.close(() => socketFailure(cause, `${address}#${port} is unreachable over UDP`))
  }

  readonly #sent = (error: Error | null): void => {
    if (error) this.#broken(error)
  }

  #send(packet: Buffer): void {
    this.#socket.send(packet, this.#sent)
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
