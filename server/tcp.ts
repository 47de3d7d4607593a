/**
 * Accepts connections up to a limit, in the clear or with TLS, and survives the system's refusals to give one. What is
 * spoken over them is the protocol's business.
 */
import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { type Clock, sleep } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import type { TlsIdentity } from '#resolver/listener.ts'
import type { BindAddress } from './bind-address.ts'
import { listenOn } from './listen.ts'
import type { ServerMetrics } from './metrics.ts'
import type { ServerOptions } from './options.ts'
import { PortGroup } from './port-group.ts'
import { TlsLayer } from './tls-layer.ts'

/** Connections that the kernel keeps until they are accepted. It caps this at net.core.somaxconn. */
const BACKLOG = 1024

export interface TcpListenerEnvironment {
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: ServerMetrics
  readonly options: ServerOptions
}

/** One client. */
export interface Connection {
  /** Closes as soon as nothing is on its way; clients that can be told are told not to stay (RFC 7828). */
  stop(): void
  destroy(): void
}

/** What is spoken over the connections of a listener. */
export interface StreamProtocol {
  /** A client whose bytes may be read: after the handshake, where there is TLS. */
  readonly serve: (stream: Socket) => Connection
  /** At one time; of the moment. Further ones are closed at once. */
  readonly maxConnections: () => number
  /** Whether a client may end its side and still wait for answers. */
  readonly halfOpen: boolean
  /** Absent: in the clear. */
  readonly tls?: { readonly identity: () => TlsIdentity; readonly protocols: readonly string[] } | undefined
}

export class TcpListener {
  readonly #environment: TcpListenerEnvironment
  readonly #bind: BindAddress
  readonly #protocol: StreamProtocol
  readonly #tls: TlsLayer | undefined
  /** As they were accepted; with TLS, those in the handshake too. */
  readonly #sockets = new Set<Socket>()
  readonly #connections = new Set<Connection>()
  readonly #server: NetServer
  #group: PortGroup | undefined
  #accepted = 0
  #closing: Promise<void> | undefined
  /** Nobody is accepted any more. */
  #closed = false

  constructor(bind: BindAddress, environment: TcpListenerEnvironment, protocol: StreamProtocol) {
    this.#bind = bind
    this.#environment = environment
    this.#protocol = protocol
    this.#tls = protocol.tls && this.#secure(protocol.tls)
    // A client that ends its side in the handshake has gone.
    const allowHalfOpen = protocol.halfOpen && !protocol.tls
    this.#server = createServer({ allowHalfOpen, noDelay: true }, socket => this.#accept(socket))
  }

  /** Resolves with the port (the system's choice for 0). Rejects with the system's error. */
  async open(port: number, joins: boolean): Promise<number> {
    const { logger } = this.#environment
    const notAccepted = (error: Error) => logger.warn({ error }, 'TCP connection not accepted')
    const bound = await listenOn(this.#server, { bind: this.#bind, port, joins, backlog: BACKLOG, notAccepted })
    this.#group = new PortGroup(this.#server, this.#bind.family, this.#environment)
    if (joins) this.#group.join()
    return bound
  }

  /** Serves who has connected already; lets queries on their way be answered for at most the drain time. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#drain()
    return this.#closing
  }

  async #drain(): Promise<void> {
    const { clock, options } = this.#environment
    if (!this.#server.listening) return
    await this.#group?.leave(() => this.#accepted)
    const done = new AbortController()
    this.#server.close(() => done.abort())
    for (const connection of this.#connections) connection.stop()
    await sleep(clock, options.drainTimeout, done.signal)
    this.#closed = true
    for (const connection of this.#connections) connection.destroy()
    for (const socket of this.#sockets) socket.destroy()
  }

  #secure(tls: NonNullable<StreamProtocol['tls']>): TlsLayer {
    const { metrics, options } = this.#environment
    return new TlsLayer({
      ...tls,
      handshakeTimeout: options.tcpReadTimeout,
      secured: stream => {
        stream.allowHalfOpen = this.#protocol.halfOpen
        this.#serve(stream)
      },
      failed: () => metrics.drop('tls-handshake'),
    })
  }

  #accept(socket: Socket): void {
    const { metrics } = this.#environment
    this.#accepted++
    if (this.#sockets.size >= this.#protocol.maxConnections()) {
      metrics.drop('tcp-connections')
      socket.destroy()
      return
    }
    this.#sockets.add(socket)
    metrics.tcpConnections.inc()
    // Resets by the client are no news; 'close' follows.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#sockets.delete(socket)
      metrics.tcpConnections.dec()
    })
    if (this.#tls) this.#tls.accept(socket)
    else this.#serve(socket)
  }

  #serve(stream: Socket): void {
    if (this.#closed) return void stream.destroy()
    const connection = this.#protocol.serve(stream)
    this.#connections.add(connection)
    stream.on('close', () => this.#connections.delete(connection))
    // Its handshake took longer than the listener was there.
    if (!this.#server.listening) connection.stop()
  }
}
