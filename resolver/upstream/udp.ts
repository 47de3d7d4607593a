/**
 * One question over UDP: a socket of its own, so that each has a random port of the system's choice (RFC 5452 §9.2),
 * connected, so that only the server's address is heard and a closed port is known at once.
 */
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import { ExchangeError } from './exchange-error.ts'

export interface UdpExchange {
  readonly address: string
  readonly port: number
  readonly packet: Buffer
  readonly timeout: Milliseconds
  readonly clock: Clock
  /** Whether a datagram is the reply; others are passed over. */
  readonly accepts: (reply: Buffer) => boolean
}

export const exchangeUdp = ({ address, port, packet, timeout, clock, accepts }: UdpExchange): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(address.replace(/%.*$/, '')) ? 'udp6' : 'udp4')
    let done = false
    const end = (finish: () => void) => {
      if (done) return
      done = true
      timer.cancel()
      socket.close()
      finish()
    }
    const fail = (cause: unknown) => end(() => reject(unreachable(address, port, cause)))
    const late = () =>
      end(() => reject(new ExchangeError('timeout', `no reply from ${address}#${port} over UDP in ${timeout} ms`)))
    // Timers run before sockets are read: a reply that waits while the program itself stood still is read first.
    const timer = clock.after(timeout, () => setImmediate(late))
    socket.on('error', fail)
    socket.on('message', reply => {
      if (accepts(reply)) end(() => resolve(reply))
    })
    socket.connect(port, address, (error?: Error) => {
      if (error) return fail(error)
      if (!done) socket.send(packet, sendError => sendError && fail(sendError))
      return undefined
    })
  })

const unreachable = (address: string, port: number, cause: unknown): ExchangeError => {
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new ExchangeError('unreachable', `${address}#${port} is unreachable over UDP: ${reason}`, { cause })
}
