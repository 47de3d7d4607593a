/**
 * One connection of a client of DNS over HTTPS, whatever its HTTP version. HTTP's own state is node:http's; what stands
 * here is how long the client may take.
 *
 * Promised: a connection on which no whole request has come for `tcpIdleTimeout` since it began or since its last answer
 * is closed, whatever else comes or is left unread meanwhile.
 */
import type { ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Endpoint } from '#resolver/query.ts'
import type { Connection } from '../tcp.ts'
import { turns } from '../turns.ts'

export class HttpsConnection implements Connection {
  readonly client: Endpoint
  readonly local: Endpoint
  readonly #stream: Socket
  readonly #session: ServerHttp2Session | undefined
  readonly #clock: Clock
  readonly #patience: Milliseconds
  #inHand = 0
  #stopping = false
  #timer: Timer | undefined

  /** `session`: where it is HTTP/2. */
  constructor(stream: Socket, session: ServerHttp2Session | undefined, clock: Clock, patience: Milliseconds) {
    this.client = { address: stream.remoteAddress ?? '', port: stream.remotePort ?? 0 }
    this.local = { address: stream.localAddress ?? '', port: stream.localPort ?? 0 }
    this.#stream = stream
    this.#session = session
    this.#clock = clock
    this.#patience = patience
    stream.on('close', () => this.#timer?.cancel())
    this.#wait()
  }

  get stopping(): boolean {
    return this.#stopping
  }

  /** A whole request is here. */
  taken(): void {
    this.#inHand++
    this.#timer?.cancel()
  }

  /** Its answer has been handed to HTTP. */
  answered(): void {
    this.#inHand--
    if (this.#inHand > 0 || this.#stream.destroyed) return
    if (this.#stopping) this.#end()
    else this.#wait()
  }

  stop(): void {
    if (this.#stopping) return
    this.#stopping = true
    void this.#endIfIdle()
  }

  /** HTTP/2 looks after its streams itself. */
  async #endIfIdle(): Promise<void> {
    if (!this.#session) await turns()
    if (this.#session || this.#inHand === 0) this.#end()
  }

  destroy(): void {
    this.#stream.destroy()
  }

  /** HTTP/2 says so, and waits for its streams (RFC 9113 §6.8); HTTP/1.1 just ends when all is sent. */
  #end(): void {
    if (this.#session) this.#session.close()
    else this.#stream.end(() => this.#stream.destroy())
  }

  #wait(): void {
    this.#timer?.cancel()
    this.#timer = this.#clock.after(this.#patience, () => this.destroy())
  }
}
