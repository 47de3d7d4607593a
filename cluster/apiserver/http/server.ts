/**
 * HTTPS on one port, HTTP/1.1 and HTTP/2: certificates of clients are asked for and verified, and a client without one
 * is let in to be told 401.
 */
import { type IncomingMessage, ServerResponse } from 'node:http'
import { constants, createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { SocketAddress } from '#lib/address.ts'
import { formatAddress } from '#lib/address.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import { listenError } from '#lib/errors.ts'
import type { Request, Response } from './exchange.ts'
import { NEXT_HEAD, RequestDeadline } from './request-deadline.ts'
import { NATIVE_RESET_LIMITS, ResetLimit } from './reset-limit.ts'

export interface ServerOptions {
  readonly address: SocketAddress
  /** PEM. */
  readonly certificate: string
  /** PEM. */
  readonly key: string
  /** PEM of the CA that client certificates must come from. */
  readonly clientAuthority: string
  readonly clock: Clock
  readonly handle: (request: Request, response: Response) => void
  /** Whether to let a client use its connection otherwise (RFC 9110 §7.8); if not, it is answered as if it had not asked. */
  readonly upgrades: (request: IncomingMessage) => boolean
}

/** A TLS handshake that takes longer is given up. */
const HANDSHAKE: Milliseconds = 10_000
/** How long requests under way may take when the server closes. */
const DRAIN: Milliseconds = 5_000
/** From a GOAWAY to the end of its connection. */
const FAREWELL: Milliseconds = 1_000
/** Bytes; Go's servers take 1 MiB, but nothing of Kubernetes sends near this much. */
const MAX_HEADERS = 64 * 1024
/**
 * Of HTTP/1.1, which the types of an HTTP/2 server do not know. Node's own limit of 16 KiB cuts long selectors; its five
 * seconds between two requests end connections that clients are about to use.
 */
const HTTP1_LIMITS = { maxHeaderSize: MAX_HEADERS, keepAliveTimeout: NEXT_HEAD }
/** Go's own; informers of one client share a connection, each a stream, and a client that wants more opens another. */
const MAX_STREAMS = 250
/** Frames that break the protocol, before the session ends; Node's 1,000 serve no client of ours. */
const MAX_INVALID_FRAMES = 100

export class ApiHttpServer {
  readonly #options: ServerOptions
  readonly #server: Http2SecureServer
  readonly #sockets = new Set<Socket>()
  readonly #sessions = new Set<ServerHttp2Session>()
  /** Of HTTP/1.1 connections. */
  readonly #deadlines = new WeakMap<object, RequestDeadline>()

  constructor(options: ServerOptions) {
    this.#options = options
    const { certificate, key, clientAuthority } = options
    this.#server = createSecureServer({
      allowHTTP1: true,
      cert: certificate,
      key,
      ca: clientAuthority,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE,
      maxSessionMemory: 64,
      maxSessionInvalidFrames: MAX_INVALID_FRAMES,
      ...NATIVE_RESET_LIMITS,
      ...HTTP1_LIMITS,
      settings: { maxConcurrentStreams: MAX_STREAMS, maxHeaderListSize: MAX_HEADERS },
    })
    this.#server.on('request', (request, response) => {
      this.#watchRequest(request, response)
      options.handle(request, response)
    })
    // Of HTTP/1.1; Node's HTTP/2 server does not take it as an option.
    Object.assign(this.#server, { shouldUpgradeCallback: options.upgrades })
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
    this.#server.on('secureConnection', socket => this.#watchConnection(socket))
    this.#server.on('connection', socket => {
      this.#sockets.add(socket)
      // Watch events are small and must not wait for an acknowledgement.
      socket.setNoDelay(true)
      socket.setKeepAlive(true, 30_000)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.#server.on('session', session => this.#track(session))
    // Strangers, scanners and clients that hang up early: nothing of ours failed.
    this.#server.on('tlsClientError', () => {})
    this.#server.on('sessionError', () => {})
  }

  /** Rejects with a SeamarkError that names the address. */
  async listen(): Promise<SocketAddress> {
    const { host, port } = this.#options.address
    await new Promise<void>((resolve, reject) => {
      const failed = (error: Error) =>
        reject(listenError(error, formatAddress(this.#options.address), '--apiserver-address'))
      this.#server.once('error', failed)
      this.#server.listen({ port, ...(host === '' ? {} : { host }) }, () => {
        this.#server.off('error', failed)
        resolve()
      })
    })
    return { host, port: (this.#server.address() as AddressInfo).port }
  }

  /** The certificate of connections from now on. */
  renew({ certificate, key }: { readonly certificate: string; readonly key: string }): void {
    this.#server.setSecureContext({ cert: certificate, key, ca: this.#options.clientAuthority, minVersion: 'TLSv1.2' })
  }

  /** Takes nothing new, lets requests under way finish, then ends what is left. */
  async close(): Promise<void> {
    const closed = new Promise<void>(resolve => {
      if (this.#server.listening) this.#server.close(() => resolve())
      else resolve()
    })
    for (const session of this.#sessions) session.close()
    closeIdle(this.#server)
    const late = this.#options.clock.after(DRAIN, () => this.#destroy())
    await closed
    late.cancel()
    this.#destroy()
  }

  #watchConnection(socket: TLSSocket): void {
    if (socket.alpnProtocol === 'h2') return
    const deadline = new RequestDeadline(this.#options.clock, () => socket.destroy())
    this.#deadlines.set(socket, deadline)
    socket.once('close', () => deadline.cancel())
  }

  /** The connection serves no further request: it ends with the answer, or becomes what both ends make of it. */
  #upgrade(request: IncomingMessage, socket: TLSSocket, head: Buffer): void {
    this.#deadlines.get(socket)?.begin()
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    response.once('finish', () => socket.destroySoon())
    socket.on('error', () => {})
    // Node's server sees to it for those connections that it still has.
    socket.on('drain', () => response.emit('drain'))
    if (head.length > 0) socket.unshift(head)
    this.#options.handle(request, response)
  }

  #watchRequest({ socket }: Request, response: Response): void {
    const deadline = this.#deadlines.get(socket)
    if (!deadline) return
    deadline.begin()
    response.once('close', () => deadline.finish())
  }

  #track(session: ServerHttp2Session): void {
    this.#sessions.add(session)
    session.once('close', () => this.#sessions.delete(session))
    session.on('error', () => {})
    const deadline = new RequestDeadline(this.#options.clock, () => session.destroy())
    session.once('close', () => deadline.cancel())
    const resets = new ResetLimit(this.#options.clock)
    session.on('stream', stream => {
      deadline.begin()
      stream.once('close', () => {
        deadline.finish()
        if (!stream.headersSent && resets.add() === 'exceeded') this.#calm(session)
      })
    })
  }

  /** What is unread when a socket closes makes the system drop what was not sent, so the reason goes ahead. */
  #calm(session: ServerHttp2Session): void {
    if (session.destroyed) return
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM)
    this.#options.clock.after(FAREWELL, () => session.destroy())
  }

  #destroy(): void {
    for (const session of this.#sessions) session.destroy()
    for (const socket of this.#sockets) socket.destroy()
  }
}

const closeIdle = (server: Http2SecureServer): void => {
  const { closeIdleConnections } = server as { closeIdleConnections?: () => void }
  closeIdleConnections?.call(server)
}
