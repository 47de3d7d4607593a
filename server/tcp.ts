/** DNS over TCP on node:net: accepts connections up to a limit, and survives the system's refusals to give one. */
import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { sleep } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import type { BindAddress } from './bind-address.ts'
import { TcpConnection, type TcpEnvironment } from './tcp-connection.ts'

/** Connections that the kernel keeps until they are accepted. It caps this at net.core.somaxconn. */
const BACKLOG = 1024

export class TcpListener {
  readonly #environment: TcpEnvironment & { readonly logger: Logger }
  readonly #bind: BindAddress
  readonly #connections = new Set<TcpConnection>()
  readonly #server: NetServer
  #closing: Promise<void> | undefined

  constructor(bind: BindAddress, environment: TcpEnvironment & { readonly logger: Logger }) {
    this.#bind = bind
    this.#environment = environment
    // `allowHalfOpen`: a client may end its side and still wait for answers (RFC 7766 §6.2.4).
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, socket => this.#accept(socket))
    this.#server.maxConnections = environment.options.tcpMaxConnections
    this.#server.on('drop', () => environment.metrics.drop('tcp-connections'))
  }

  /** Resolves with the port (the system's choice for 0). Rejects with the system's error. */
  open(port: number): Promise<number> {
    const { address, family } = this.#bind
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host: address, port, backlog: BACKLOG, ipv6Only: family === 6, exclusive: true }, () => {
        this.#server.off('error', reject)
        // EMFILE and its like: the connection is lost, the listener is not.
        this.#server.on('error', error => this.#environment.logger.warn({ err: error }, 'TCP connection not accepted'))
        const bound = this.#server.address()
        resolve(typeof bound === 'object' && bound ? bound.port : port)
      })
    })
  }

  /** Accepts no more, lets queries in flight be answered for at most the drain time. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#drain()
    return this.#closing
  }

  async #drain(): Promise<void> {
    const { clock, options } = this.#environment
    if (!this.#server.listening) return
    const done = new AbortController()
    this.#server.close(() => done.abort())
    for (const connection of this.#connections) connection.stop()
    await sleep(clock, options.drainTimeout, done.signal)
    for (const connection of this.#connections) connection.destroy()
  }

  #accept(socket: Socket): void {
    const { metrics } = this.#environment
    const connection = new TcpConnection(socket, this.#environment)
    this.#connections.add(connection)
    metrics.tcpConnections.inc()
    socket.on('close', () => {
      this.#connections.delete(connection)
      metrics.tcpConnections.dec()
    })
  }
}
