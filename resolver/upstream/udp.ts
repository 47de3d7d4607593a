/**
 * Questions over UDP: each has a socket of its own, so that it has a random port of the system's choice (RFC 5452 §9.2),
 * connected, so that only the server's address is heard and a closed port is known at once.
 */
import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import { ExchangeError, socketFailure } from './exchange-error.ts'

export interface UdpOptions {
  readonly address: string
  readonly port: number
  /** The address to send from; undefined: the system's choice. */
  readonly source: string | undefined
  readonly clock: Clock
}

export class UdpUpstream {
  readonly #options: UdpOptions
  /** Ends each exchange that is under way. */
  readonly #underWay = new Set<(error: ExchangeError) => void>()
  /** Exchanges that have a socket. */
  #connected = 0
  /** Questions for which there was no socket, in order. */
  readonly #waiting = new Set<() => void>()

  constructor(options: UdpOptions) {
    this.#options = options
  }

  /** `accepts`: whether a datagram is the reply; others are passed over. */
  async exchange(packet: Buffer, accepts: (reply: Buffer) => boolean, timeout: Milliseconds): Promise<Buffer> {
    const { clock } = this.#options
    const deadline = clock.monotonic() + timeout
    try {
      for (;;) {
        try {
          return await this.#exchangeOnce(packet, accepts, deadline - clock.monotonic())
        } catch (error) {
          const isLocal = error instanceof ExchangeError && error.failure === 'local'
          const left = deadline - clock.monotonic()
          if (!isLocal || this.#connected === 0 || left <= 0) throw error
          await this.#socketFreed(left)
        }
      }
    } finally {
      // There is a socket again, or this one had none to wait for, and neither has the next.
      this.#waiting.values().next().value?.()
    }
  }

  #exchangeOnce(packet: Buffer, accepts: (reply: Buffer) => boolean, timeout: Milliseconds): Promise<Buffer> {
    const { address, port, clock } = this.#options
    return new Promise((resolve, reject) => {
      const socket = createSocket(isIPv6(address.replace(/%.*$/, '')) ? 'udp6' : 'udp4')
      let isConnected = false
      const end = (finish: () => void) => {
        if (!this.#underWay.delete(fail)) return
        if (isConnected) this.#connected--
        timer.cancel()
        socket.close()
        finish()
      }
      const fail = (error: ExchangeError) => end(() => reject(error))
      const broken = (cause: unknown) => fail(socketFailure(cause, `${address}#${port} is unreachable over UDP`))
      const late = () =>
        fail(new ExchangeError('timeout', `no reply from ${address}#${port} over UDP in ${timeout} ms`))
      // Timers run before sockets are read: a reply that waits while the program itself stood still is read first.
      const timer = clock.after(timeout, () => setImmediate(late))
      this.#underWay.add(fail)
      socket.on('error', broken)
      socket.on('message', reply => {
        if (accepts(reply)) end(() => resolve(reply))
      })
      this.#connect(socket, error => {
        if (error) return broken(error)
        if (!this.#underWay.has(fail)) return
        isConnected = true
        this.#connected++
        socket.send(packet, sendError => sendError && broken(sendError))
      })
    })
  }

  /** Resolves when an exchange has ended, or after `timeout`. */
  #socketFreed(timeout: Milliseconds): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        timer.cancel()
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = this.#options.clock.after(timeout, wake)
      this.#waiting.add(wake)
    })
  }

  close(): void {
    for (const fail of this.#underWay) fail(new ExchangeError('closed', 'the upstream is not asked any more'))
  }

  #connect(socket: Socket, onConnected: (error?: Error) => void): void {
    const { address, port, source } = this.#options
    if (source === undefined) socket.connect(port, address, onConnected)
    else socket.bind({ address: source, port: 0 }, () => socket.connect(port, address, onConnected))
  }
}
