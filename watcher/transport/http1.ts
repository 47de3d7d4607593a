import type { IncomingMessage, RequestOptions } from 'node:http'
import type { ConnectionOptions } from 'node:tls'
import { Agent, request } from '#lib/node-http.ts'
import { https } from '#lib/node-tls.ts'
import type { Transport, TransportEnvironment, TransportRequest, TransportResponse } from '../transport.ts'

/**
 * TCP probes after this long without traffic. Node then probes each second and gives up after ten, so a host that is
 * gone is noticed in 20 s. A peer whose kernel answers for a frozen program is not: watches bound their own life.
 */
const KEEP_ALIVE_DELAY = 10_000

type Http1Environment = Pick<TransportEnvironment, 'clock' | 'inputs'>

/** One request a connection at a time, connections kept for the next. With `tls` undefined, plain http. */
export class Http1Transport implements Transport {
  readonly #server: URL
  readonly #environment: Http1Environment
  readonly #agent: InstanceType<typeof Agent>
  readonly #tls: ConnectionOptions | undefined

  constructor(server: URL, environment: Http1Environment, tls?: ConnectionOptions) {
    this.#server = server
    this.#environment = environment
    this.#tls = tls
    const options = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_DELAY, scheduling: 'lifo' as const }
    this.#agent = tls ? new (https().Agent)({ ...options, ...tls }) : new Agent(options)
  }

  async protocol(): Promise<'http/1.1'> {
    return 'http/1.1'
  }

  send({ method, path, headers, body, signal }: TransportRequest): Promise<TransportResponse> {
    const options: RequestOptions = {
      agent: this.#agent,
      hostname: this.#server.hostname.replace(/^\[|\]$/g, ''),
      port: this.#server.port || (this.#tls ? 443 : 80),
      method,
      path: this.#server.pathname.replace(/\/+$/, '') + path,
      headers: { ...(headers as Record<string, string | string[]>), ...(body !== undefined && length(body)) },
      signal,
    }
    return new Promise((resolve, reject) => {
      const sent = this.#tls ? https().request(options) : request(options)
      sent.on('socket', socket => {
        socket.setKeepAlive(true, KEEP_ALIVE_DELAY)
        if (socket.connecting)
          socket.once(this.#tls ? 'secureConnect' : 'connect', () => this.#environment.inputs?.follow(socket))
      })
      sent.on('response', message => resolve(this.#response(message)))
      sent.on('error', reject)
      sent.end(body)
    })
  }

  #response(message: IncomingMessage): TransportResponse {
    const { clock, inputs } = this.#environment
    let heard = clock.monotonic()
    inputs?.publishSoon()
    const { socket } = message
    socket.on('data', note)
    // Node would tell of it a turn of the loop later, and what is asked in between be answered as if changes still came.
    const ended = () => message.complete || message.destroy(new Error('the server ended the connection'))
    socket.once('end', ended)
    message.on('close', () => socket.off('data', note).off('end', ended))
    function note() {
      heard = clock.monotonic()
      inputs?.publishSoon()
    }
    return {
      status: message.statusCode ?? 0,
      header: name => String(message.headers[name] ?? '') || undefined,
      body: message,
      heard: () => heard,
    }
  }

  /** Ends requests in flight too: the agent's sockets are all that they have. */
  async close(): Promise<void> {
    this.#agent.destroy()
  }

  /** Keeps requests in flight, drops idle connections as they become idle. For when the certificate has changed. */
  retire(): void {
    for (const sockets of Object.values(this.#agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy()
    this.#agent.maxFreeSockets = 0
  }
}

const length = (body: string) => ({ 'content-length': String(Buffer.byteLength(body)) })
