/**
 * DNS over HTTPS (RFC 8484) on connections that a listener has accepted: HTTP/1.1 and HTTP/2, the message form by GET
 * and POST, and the JSON form.
 *
 *     stream → node:http or node:http2 → request.ts → dispatcher → answer.ts → the same stream
 */
import type { Server as HttpServer } from 'node:http'
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { TLSSocket } from 'node:tls'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { createServer } from '#lib/node-http.ts'
import { accepted, type Result } from '#lib/result.ts'
import type { Dispatcher } from '../dispatcher.ts'
import type { ServerMetrics } from '../metrics.ts'
import type { ServerOptions } from '../options.ts'
import { httpAnswer } from './answer.ts'
import { HttpsConnection } from './connection.ts'
import { type HttpExchange, http1Exchange, http2Exchange } from './exchange.ts'
import { type HttpQuestion, type HttpRefusal, readMessage, readRequest, tooLong } from './request.ts'

export interface HttpsEnvironment {
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: ServerMetrics
  readonly dispatcher: Dispatcher
  /** Of the moment: they may change while the listener is open. */
  readonly options: () => ServerOptions
  /** Requests of one HTTP/2 connection at one time; undefined: as many as queries of a TCP connection. */
  readonly maxStreams: () => number | undefined
  /** The `server` of the listener at this moment. */
  readonly server: () => string
  /** Whether clients are to go elsewhere: the server has been told to stop. */
  readonly isRetiring: () => boolean
}

interface Sent {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/** Bytes: the longest query of a GET, as base64url, and what else browsers and proxies say. */
const MAX_HEADERS = 16 * 1024
/** Megabytes of memory that one HTTP/2 connection may have; a node of Kubernetes has many clients. */
const MAX_SESSION_MEMORY = 1

export class HttpsProtocol {
  readonly #environment: HttpsEnvironment
  /** Both listen nowhere: connections are handed to them. */
  readonly #http1: HttpServer
  readonly #http2: Http2Server
  /** By the stream of HTTP/1.1, by the session of HTTP/2. */
  readonly #connections = new WeakMap<object, HttpsConnection>()

  constructor(environment: HttpsEnvironment) {
    this.#environment = environment
    this.#http1 = createServer(
      { maxHeaderSize: MAX_HEADERS },
      (request, response) => void this.#handle(request.socket, http1Exchange(request, response)),
    )
    this.#http2 = createHttp2Server({
      maxSessionMemory: MAX_SESSION_MEMORY,
      settings: {
        maxHeaderListSize: MAX_HEADERS,
        enablePush: false,
      },
    })
    this.#http2.on('stream', (stream, headers) => void this.#handle(stream.session, http2Exchange(stream, headers)))
    // What a client does wrong ends its session alone.
    this.#http2.on('sessionError', () => {})
  }

  serve(stream: Socket): HttpsConnection {
    const { clock, options } = this.#environment
    const isHttp2 = stream instanceof TLSSocket && stream.alpnProtocol === 'h2'
    const session = isHttp2 ? this.#beginSession(stream) : undefined
    const { tcpIdleTimeout } = options()
    this.#http1.keepAliveTimeout = tcpIdleTimeout
    const connection = new HttpsConnection(stream, session, clock, tcpIdleTimeout)
    this.#connections.set(session ?? stream, connection)
    if (!session) this.#http1.emit('connection', stream)
    return connection
  }

  #beginSession(stream: Socket): ServerHttp2Session {
    let session: ServerHttp2Session | undefined
    const { maxStreams, options } = this.#environment
    // A reload may have changed it.
    this.#http2.updateSettings({ maxConcurrentStreams: maxStreams() ?? options().tcpMaxInFlight })
    this.#http2.once('session', begun => {
      session = begun
    })
    this.#http2.emit('connection', stream)
    return session!
  }

  async #handle(key: object | undefined, exchange: HttpExchange): Promise<void> {
    const connection = key && this.#connections.get(key)
    // Gone before its request was looked at.
    if (!connection) return
    try {
      const read = await this.#read(exchange)
      if (read === 'gone') return
      connection.taken()
      if (read.ok) await this.#answer(read.value, exchange, connection)
      else this.#refuse(exchange, read.problem, connection)
      connection.answered()
    } catch (error) {
      this.#environment.logger.error({ error }, 'DNS over HTTPS failed by a bug')
      connection.destroy()
    }
  }

  async #read(exchange: HttpExchange): Promise<Result<HttpQuestion, HttpRefusal> | 'gone'> {
    const limit = this.#environment.options().tcpMaxQuery
    const reading = readRequest(exchange, limit)
    if (!reading.ok) return reading
    if (reading.value.from === 'target') return accepted(reading.value)
    const body = await readBody(exchange.body, limit)
    if (body === 'gone') return body
    const packet = body === 'too long' ? tooLong(limit) : readMessage(body)
    return packet.ok ? accepted({ form: 'message', packet: packet.value }) : packet
  }

  async #answer({ packet, form }: HttpQuestion, exchange: HttpExchange, connection: HttpsConnection): Promise<void> {
    const { dispatcher, server } = this.#environment
    const { client, local } = connection
    const context = { transport: 'https', client, local, server: server() } as const
    const reply = await new Promise<Buffer | undefined>(resolve => dispatcher.submit(packet, context, resolve))
    // RFC 8484 §4.2.1: a reply is a success, whatever its rcode. HTTP has no silence: CoreDNS says 500 then.
    if (!reply) return this.#refuse(exchange, { status: 500, reason: 'no answer' }, connection)
    const { contentType, cacheControl, body } = httpAnswer(reply, form)
    const headers = { 'content-type': contentType, 'cache-control': cacheControl }
    this.#send(exchange, { status: 200, headers, body }, connection)
  }

  #refuse(exchange: HttpExchange, { status, reason }: HttpRefusal, connection: HttpsConnection): void {
    const allow = status === 405 && { allow: 'GET, HEAD, POST' }
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store', ...allow }
    this.#send(exchange, { status, headers, body: Buffer.from(`${reason}\n`) }, connection)
  }

  #send(exchange: HttpExchange, { status, headers, body }: Sent, connection: HttpsConnection): void {
    const { isRetiring, metrics, server } = this.#environment
    metrics.httpsResponses.inc({ server: server(), status })
    // What is left of a request that was refused is not read: HTTP/1.1 could not tell it from the next one.
    const isLast = connection.stopping || isRetiring() || (status >= 400 && exchange.method === 'POST')
    exchange.send(status, { ...headers, 'content-length': body.length }, body, isLast)
  }
}

/** The whole body, or why there is none. One that never ends is ended by the connection's patience. */
const readBody = async (request: Readable, limit: number): Promise<Buffer | 'too long' | 'gone'> => {
  const chunks: Buffer[] = []
  let length = 0
  try {
    // The stream stays: a refusal is still to be sent over it.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > limit) return 'too long'
      chunks.push(chunk)
    }
  } catch {
    // The client has gone away, or taken its question back (RFC 9113 §8.1: RST_STREAM).
    return 'gone'
  }
  return Buffer.concat(chunks)
}
