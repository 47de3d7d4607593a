import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import type { ConnectionOptions, PeerCertificate, TLSSocket } from 'node:tls'
import { tls } from '#lib/node-tls.ts'
import type { ClusterAccess } from '../access.ts'
import type {
  HttpProtocol,
  Transport,
  TransportEnvironment,
  TransportRequest,
  TransportResponse,
} from '../transport.ts'
import { Http1Transport } from './http1.ts'
import { Http2Connection } from './http2.ts'

/**
 * https: HTTP/2 where the server takes it (RFC 7301), one connection for everything, dialled again when it is gone;
 * else HTTP/1.1. When the client certificate or the authority changes, new requests use a new connection and the old
 * one ends with its last request.
 */
export class HttpsTransport implements Transport {
  readonly #access: ClusterAccess
  readonly #environment: TransportEnvironment
  #http2: Http2Connection | undefined
  #http1: Http1Transport | undefined
  #http1Since = 0
  #fingerprint = ''
  #dialling: Promise<HttpProtocol> | undefined
  #closed = false

  constructor(access: ClusterAccess, environment: TransportEnvironment) {
    this.#access = access
    this.#environment = environment
  }

  async protocol(signal: AbortSignal): Promise<HttpProtocol> {
    signal.throwIfAborted()
    const { clock, times } = this.#environment
    const material = await this.#material()
    const fingerprint = createHash('sha256').update(JSON.stringify(material)).digest('base64')
    if (fingerprint === this.#fingerprint) {
      if (this.#http2?.open) return 'h2'
      if (this.#http1 && clock.monotonic() - this.#http1Since < times.renegotiateAfter) return 'http/1.1'
    }
    this.#dialling ??= this.#dial(material, fingerprint).finally(() => {
      this.#dialling = undefined
    })
    return this.#dialling
  }

  async send(request: TransportRequest): Promise<TransportResponse> {
    const protocol = await this.protocol(request.signal)
    const carrier = protocol === 'h2' ? this.#http2 : this.#http1
    if (!carrier) throw new Error('the transport was closed')
    return carrier.send(request)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#http2?.close()
    this.#http2 = undefined
    await this.#http1?.close()
    this.#http1 = undefined
  }

  async #dial(material: TlsMaterial, fingerprint: string): Promise<HttpProtocol> {
    const options = this.#connectionOptions(material)
    const socket = await this.#handshake(options)
    if (this.#closed) {
      socket.destroy()
      throw new Error('the transport was closed')
    }
    this.#http2?.retire()
    this.#http1?.retire()
    this.#http2 = this.#http1 = undefined
    this.#fingerprint = fingerprint
    if (socket.alpnProtocol === 'h2') {
      this.#http2 = new Http2Connection(this.#access.server, socket, this.#environment)
      return 'h2'
    }
    socket.destroy()
    this.#http1 = new Http1Transport(this.#access.server, this.#environment, options)
    this.#http1Since = this.#environment.clock.monotonic()
    return 'http/1.1'
  }

  #handshake(options: ConnectionOptions): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const { hostname, port } = this.#access.server
      const { clock, times, inputs } = this.#environment
      const host = hostname.replace(/^\[|\]$/g, '')
      const socket = tls().connect({ ...options, host, port: Number(port || 443), ALPNProtocols: ['h2', 'http/1.1'] })
      socket.setNoDelay(true)
      socket.setKeepAlive(true, times.pingInterval)
      const timer = clock.after(times.connectTimeout, () =>
        socket.destroy(new Error(`no TLS connection within ${times.connectTimeout / 1000} s`)),
      )
      socket.once('secureConnect', () => {
        timer.cancel()
        socket.off('error', reject)
        inputs?.follow(socket)
        resolve(socket)
      })
      socket.once('error', error => {
        timer.cancel()
        reject(error)
      })
    })
  }

  async #material(): Promise<TlsMaterial> {
    const [authority, pair] = await Promise.all([this.#access.authority(), this.#access.credentials.keyPair()])
    return { ca: authority, cert: pair?.certificate, key: pair?.key }
  }

  #connectionOptions({ ca, cert, key }: TlsMaterial): ConnectionOptions {
    const { insecure, serverName } = this.#access
    return {
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      rejectUnauthorized: !insecure,
      // RFC 6066 §3: the server name indication holds no addresses.
      ...(serverName !== undefined && {
        ...(isIP(serverName) === 0 && { servername: serverName }),
        checkServerIdentity: (_host: string, certificate: PeerCertificate) =>
          tls().checkServerIdentity(serverName, certificate),
      }),
    }
  }
}

interface TlsMaterial {
  readonly ca: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}
