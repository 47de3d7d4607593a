/**
 * TLS over the connections that a listener has accepted. The listener stays when certificates or the demands on clients
 * change: each connection gets those of the moment, those that are open keep theirs.
 */
import type { Socket } from 'node:net'
import type { TLSSocket, TlsOptions, Server as TlsServer } from 'node:tls'
import type { Milliseconds } from '#lib/clock.ts'
import { tls } from '#lib/node-tls.ts'
import type { ClientAuth, TlsCredentials, TlsIdentity } from '#resolver/listener.ts'

export interface TlsLayerOptions {
  /** Of the moment. */
  readonly identity: () => TlsIdentity
  /** What may be spoken (RFC 7301); a client that offers other protocols only is refused. */
  readonly protocols: readonly string[]
  readonly handshakeTimeout: Milliseconds
  /** A client that may be served. */
  readonly secured: (stream: TLSSocket) => void
  /** Once for each connection that does not get so far; it is closed. */
  readonly failed: () => void
}

export class TlsLayer {
  readonly #options: TlsLayerOptions
  #server: TlsServer | undefined
  /** Those that `#server` was made with. */
  #credentials: TlsCredentials | undefined

  constructor(options: TlsLayerOptions) {
    this.#options = options
  }

  accept(socket: Socket): void {
    this.#current().emit('connection', socket)
  }

  #current(): TlsServer {
    const { credentials, clientAuth, keylog } = this.#options.identity()
    if (this.#server && this.#credentials === credentials) return this.#server
    this.#credentials = credentials
    this.#server = this.#make(credentials, clientAuth)
    if (keylog) this.#server.on('keylog', keylog)
    return this.#server
  }

  /** It listens nowhere: connections are handed to it. */
  #make(credentials: TlsCredentials, clientAuth: ClientAuth): TlsServer {
    const { protocols, handshakeTimeout, secured, failed } = this.#options
    const server = tls().createServer({
      ...verification(credentials, clientAuth),
      cert: credentials.cert,
      key: credentials.key,
      // RFC 8310 §9, RFC 9325 §3.1.1.
      minVersion: 'TLSv1.2',
      ALPNProtocols: [...protocols],
      handshakeTimeout,
    })
    server.on('secureConnection', stream => {
      if (isAdmitted(stream, clientAuth)) return secured(stream)
      stream.destroy()
      failed()
    })
    server.on('tlsClientError', (_, stream) => {
      stream.destroy()
      failed()
    })
    return server
  }
}

const verification = ({ ca }: TlsCredentials, clientAuth: ClientAuth): TlsOptions => {
  switch (clientAuth) {
    case 'nocert':
      return {}
    case 'request':
    case 'require':
      return { requestCert: true, rejectUnauthorized: false }
    case 'verify_if_given':
    case 'require_and_verify':
      return {
        requestCert: true,
        rejectUnauthorized: clientAuth === 'require_and_verify',
        ca: ca ?? tls().getCACertificates('system'),
      }
  }
}

const isAdmitted = (stream: TLSSocket, clientAuth: ClientAuth): boolean => {
  switch (clientAuth) {
    case 'nocert':
    case 'request':
      return true
    case 'require':
      return stream.getPeerX509Certificate() !== undefined
    case 'verify_if_given':
      return stream.authorized || stream.getPeerX509Certificate() === undefined
    case 'require_and_verify':
      return stream.authorized
  }
}
