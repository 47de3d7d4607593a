/**
 * DNS over HTTPS (RFC 8484) on connections that a listener has accepted: HTTP/1.1 and HTTP/2, the message form by GET
 * and POST, and the JSON form.
 *
 *     stream → node:http or node:http2 → request.ts → dispatcher → answer.ts → the same stream
 */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import {
  createServer as createHttp2Server,
  type Http2Server,
  Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { createServer } from '#lib/node-http.ts'
import { accepted, type Result } from '#lib/result.ts'
import type { Dispatcher } from '../dispatcher.ts'
import type { ServerMetrics } from '../metrics.ts'
import type { ServerOptions } from '../options.ts'
import { type HttpAnswer, httpAnswer } from './answer.ts'
import { HttpsConnection } from './connection.ts'
import { type HttpQuestion, type HttpRefusal, readMessage, readRequest, tooLong } from './request.ts'

export interface HttpsEnvironment {
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: ServerMetrics
  readonly dispatcher: Dispatcher
  /** Of the moment: they may change while the listener is open. */
  readonly options: () => ServerOptions
  /** The `server` of the listener at this moment. */
  readonly server: () => string
  /** Whether clients are to go elsewhere: the server has been told to stop. */
  readonly isRetiring: () => boolean
}

type Request = IncomingMessage | Http2ServerRequest
type Response = ServerResponse | Http2ServerResponse

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
    const handle = (request: Request, response: Response) => void this.#handle(request, response)
    this.#http1 = createServer({ maxHeaderSize: MAX_HEADERS }, handle)
    this.#http2 = createHttp2Server(
      {
        maxSessionMemory: MAX_SESSION_MEMORY,
        settings: {
          maxConcurrentStreams: environment.options().tcpMaxInFlight,
          maxHeaderListSize: MAX_HEADERS,
          enablePush: false,
        },
      },
      handle,
    )
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
    this.#http2.once('session', begun => {
      session = begun
    })
    this.#http2.emit('connection', stream)
    return session!
  }

  async #handle(request: Request, response: Response): Promise<void> {
    const key = request instanceof Http2ServerRequest ? request.stream.session : request.socket
    const connection = key && this.#connections.get(key)
    // Gone before its request was looked at.
    if (!connection) return
    response.on('error', () => {})
    try {
      const read = await this.#read(request)
      if (read === 'gone') return
      connection.taken()
      if (read.ok) await this.#answer(read.value, response, connection)
      else this.#refuse(response, read.problem, connection)
      connection.answered()
    } catch (error) {
      this.#environment.logger.error({ err: error }, 'DNS over HTTPS failed by a bug')
      connection.destroy()
    }
  }

  async #read(request: Request): Promise<Result<HttpQuestion, HttpRefusal> | 'gone'> {
    const limit = this.#environment.options().tcpMaxQuery
    const { method = '', url = '', headers } = request
    const reading = readRequest({ method, target: url, headers }, limit)
    if (!reading.ok) return reading
    if (reading.value.from === 'target') return accepted(reading.value)
    const body = await readBody(request, limit)
    if (body === 'gone') return body
    const packet = body === 'too long' ? tooLong(limit) : readMessage(body)
    return packet.ok ? accepted({ form: 'message', packet: packet.value }) : packet
  }

  async #answer({ packet, form }: HttpQuestion, response: Response, connection: HttpsConnection): Promise<void> {
    const { dispatcher, server } = this.#environment
    const { client, local } = connection
    const context = { transport: 'https', client, local, server: server() } as const
    const reply = await new Promise<Buffer | undefined>(resolve => dispatcher.submit(packet, context, resolve))
    // RFC 8484 §4.2.1: a reply is a success, whatever its rcode. HTTP has no silence: CoreDNS says 500 then.
    if (!reply) return this.#refuse(response, { status: 500, reason: 'no answer' }, connection)
    this.#send(response, 200, httpAnswer(reply, form), connection)
  }

  #refuse(response: Response, { status, reason }: HttpRefusal, connection: HttpsConnection): void {
    if (status === 405) response.setHeader('allow', 'GET, HEAD, POST')
    const body = Buffer.from(`${reason}\n`)
    this.#send(
      response,
      status,
      { contentType: 'text/plain; charset=utf-8', cacheControl: 'no-store', body },
      connection,
    )
  }

  #send(response: Response, status: number, answer: HttpAnswer, connection: HttpsConnection): void {
    const { isRetiring, metrics, server } = this.#environment
    metrics.httpsResponses.inc({ server: server(), status })
    if (response.destroyed || response.headersSent) return
    // What is left of a request that was refused is not read: HTTP/1.1 could not tell it from the next one.
    const isLast = connection.stopping || isRetiring() || (status >= 400 && response.req.method === 'POST')
    if (isLast && response.req.httpVersionMajor === 1) response.setHeader('connection', 'close')
    response.statusCode = status
    response.setHeader('content-type', answer.contentType)
    response.setHeader('cache-control', answer.cacheControl)
    response.setHeader('content-length', answer.body.length)
    // Node leaves the body of an answer to HEAD out by itself.
    response.end(answer.body)
  }
}

/** The whole body, or why there is none. One that never ends is ended by the connection's patience. */
const readBody = async (request: Request, limit: number): Promise<Buffer | 'too long' | 'gone'> => {
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
