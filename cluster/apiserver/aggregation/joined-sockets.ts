/**
 * A client's connection and one to another server, once both have agreed to use them otherwise than for HTTP (RFC 9110
 * §7.8: SPDY/3.1, websockets): bytes go both ways as they come.
 *
 * Promised: when one side ends, for whatever reason, what it had sent is handed over and the other ends, too.
 */
import type { Socket } from 'node:net'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'

/** For what is still to be handed over: who does not read it does not hold the connection. */
const FAREWELL: Milliseconds = 10_000
/** Peers that vanished are noticed, as on every connection of ours. */
const KEEP_ALIVE: Milliseconds = 30_000

export class JoinedSockets {
  /** Resolves when both are closed. Never rejects. */
  readonly ended: Promise<void>
  readonly #sockets: readonly [Socket, Socket]

  constructor(client: Socket, server: Socket, clock: Clock) {
    this.#sockets = [client, server]
    const closed = this.#sockets.map(socket => new Promise<void>(resolve => socket.once('close', () => resolve())))
    let late: Timer | undefined
    const finish = () => {
      late ??= clock.after(FAREWELL, () => this.destroy())
      for (const socket of this.#sockets) socket.destroySoon()
    }
    for (const socket of this.#sockets) {
      socket.setNoDelay(true)
      socket.setKeepAlive(true, KEEP_ALIVE)
      socket.on('error', () => {})
      socket.once('end', finish)
      socket.once('close', finish)
    }
    client.pipe(server)
    server.pipe(client)
    this.ended = Promise.all(closed).then(() => late?.cancel())
  }

  /** At once. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
