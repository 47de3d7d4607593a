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

  constructor(options: UdpOptions) {
    this.#options = options
  }

  /** `accepts`: whether a datagram is the reply; others are passed over. */
  exchange(packet: Buffer, accepts: (reply: Buffer) => boolean, timeout: Milliseconds): Promise<Buffer> {
    const { address, port, clock } = this.#options
    return new Promise((resolve, reject) => {
      const socket = createSocket(isIPv6(address.replace(/%.*$/, '')) ? 'udp6' : 'udp4')
      const end = (finish: () => void) => {
        if (!this.#underWay.delete(fail)) return
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
        if (error) broken(error)
        else if (this.#underWay.has(fail)) socket.send(packet, sendError => sendError && broken(sendError))
      })
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
