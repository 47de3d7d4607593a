/** Small HTTP pages beside DNS (`/metrics`, `/health`, `/ready`): several paths may share an address. */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http'
import { pipeline, type Readable } from 'node:stream'
import { type Clock, sleep } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { createServer } from '#lib/node-http.ts'
import type { HttpEndpoint, HttpReply } from '#resolver/listener.ts'
import type { BindAddress } from './bind-address.ts'
import { listenOn } from './listen.ts'
import type { ServerOptions } from './options.ts'
import { PortGroup } from './port-group.ts'

export interface AdminEnvironment {
  readonly clock: Clock
  readonly logger: Logger
  readonly options: ServerOptions
}

const plain = (status: number, body: string): HttpReply => ({ status, contentType: 'text/plain; charset=utf-8', body })

/** Header bytes: these pages need none to speak of. */
const MAX_HEADER = 8 * 1024

export class AdminListener {
  readonly #environment: AdminEnvironment
  readonly #bind: BindAddress
  readonly #http: HttpServer
  #pages: ReadonlyMap<string, HttpEndpoint> = new Map()
  #group: PortGroup | undefined
  #accepted = 0
  #closing: Promise<void> | undefined

  constructor(bind: BindAddress, environment: AdminEnvironment) {
    const { httpTimeout, httpMaxConnections } = environment.options
    this.#bind = bind
    this.#environment = environment
    this.#http = createServer(
      {
        headersTimeout: httpTimeout,
        requestTimeout: httpTimeout,
        keepAliveTimeout: httpTimeout,
        connectionsCheckingInterval: httpTimeout,
        maxHeaderSize: MAX_HEADER,
      },
      (request, response) => void this.#respond(request, response),
    )
    this.#http.maxConnections = httpMaxConnections
    this.#http.on('connection', () => {
      this.#accepted++
    })
  }

  /** What is served from now on. */
  serve(endpoints: readonly HttpEndpoint[]): void {
    this.#pages = new Map(endpoints.map(endpoint => [endpoint.path, endpoint]))
  }

  /** Resolves with the port (the system's choice for 0). Rejects with the system's error. */
  async open(port: number, joins: boolean): Promise<number> {
    const { logger } = this.#environment
    const notAccepted = (error: Error) => logger.warn({ error }, 'HTTP connection not accepted')
    const bound = await listenOn(this.#http, { bind: this.#bind, port, joins, notAccepted })
    this.#group = new PortGroup(this.#http, this.#bind.family, this.#environment)
    if (joins) this.#group.join()
    return bound
  }

  /** Accepts no more, lets requests on their way finish for at most the drain time. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#drain()
    return this.#closing
  }

  async #drain(): Promise<void> {
    const { clock, options } = this.#environment
    if (!this.#http.listening) return
    await this.#group?.leave(() => this.#accepted)
    const done = new AbortController()
    this.#http.close(() => done.abort())
    this.#http.closeIdleConnections()
    await sleep(clock, options.drainTimeout, done.signal)
    this.#http.closeAllConnections()
  }

  async #respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, contentType, fileName, body } = await this.#reply(request)
    if (this.#closing) response.setHeader('connection', 'close')
    if (status === 405) response.setHeader('allow', 'GET, HEAD')
    if (fileName !== undefined) response.setHeader('content-disposition', `attachment; filename="${fileName}"`)
    response.setHeader('content-type', contentType)
    if (typeof body === 'string') response.setHeader('content-length', Buffer.byteLength(body))
    response.writeHead(status)
    if (typeof body === 'string') response.end(request.method === 'HEAD' ? undefined : body)
    else this.#stream(body, request, response)
  }

  #stream(body: Readable, { method, url }: IncomingMessage, response: ServerResponse): void {
    if (method === 'HEAD') {
      body.destroy()
      response.end()
      return
    }
    // The client went away, or the source broke: either ends the other, and a page cut short shows as one.
    pipeline(body, response, error => {
      if (error) this.#environment.logger.debug({ error, path: url }, 'page was not read to its end')
    })
  }

  async #reply({ method, url = '/', headers }: IncomingMessage): Promise<HttpReply> {
    const [path = '/', parameters] = url.split('?', 2)
    const endpoint = this.#pages.get(path)
    if (!endpoint) return plain(404, 'not found\n')
    if (method !== 'GET' && method !== 'HEAD') return plain(405, 'method not allowed\n')
    try {
      return await endpoint.reply(new URLSearchParams(parameters), headers.accept ?? '')
    } catch (error) {
      this.#environment.logger.error({ error, path: endpoint.path }, 'page failed')
      return plain(500, 'internal error\n')
    }
  }
}
