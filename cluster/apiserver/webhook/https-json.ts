/** JSON requests over HTTPS to one server, each with a deadline and a bound on the answer. */
import { type AgentOptions, Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { Milliseconds } from '#lib/clock.ts'
import type { Credentials } from './kubeconfig.ts'

export interface HttpsJsonOptions {
  /** Where to, unless a request says so itself. */
  readonly url?: string
  /** PEM of the authorities that may sign the server's certificate; undefined: the system's. */
  readonly ca?: string | undefined
  /** How the apiserver shows who it is. */
  readonly credentials?: Credentials | undefined
  readonly serverName?: string | undefined
  /** Whether it does not matter who signed the server's certificate. */
  readonly insecure?: boolean
  /** Default: 10 seconds. */
  readonly timeout?: Milliseconds
  /** Bytes. Default: 1 MiB. */
  readonly maxAnswer?: number
}

export interface SendOptions {
  readonly url?: string
  /** What the server is called, where the URL has an address of it. */
  readonly host?: string
  readonly timeout?: Milliseconds
}

/** Bytes: no answer that is usually asked for is near it. */
const MAX_ANSWER = 1024 * 1024
const TIMEOUT: Milliseconds = 10_000

interface Sending {
  readonly url: string
  readonly host: string | undefined
  readonly text: string | undefined
  readonly signal: AbortSignal
}

/** The server had closed a kept connection before it heard of the request. */
class StaleConnectionError extends Error {}

export class HttpsJson {
  readonly #options: HttpsJsonOptions
  readonly #agent: HttpsAgent

  constructor(options: HttpsJsonOptions) {
    const { ca, credentials, serverName, insecure = false } = options
    this.#options = options
    const tls: AgentOptions = {
      keepAlive: true,
      ...(ca ? { ca } : {}),
      ...(credentials?.certificate ? { cert: credentials.certificate } : {}),
      ...(credentials?.key ? { key: credentials.key } : {}),
      ...(insecure ? { rejectUnauthorized: false } : {}),
      ...(serverName ? { servername: serverName } : {}),
    }
    this.#agent = new HttpsAgent(tls)
  }

  /**
   * The answer's JSON. `body`: a POST; without one a GET. Rejects for whatever is no 2xx with JSON. A kept connection that
   * the server has just closed is tried again on a new one.
   */
  async send(body?: unknown, options: SendOptions = {}): Promise<unknown> {
    const { url = '', host, timeout = TIMEOUT } = { ...this.#options, ...options }
    const text = body === undefined ? undefined : JSON.stringify(body)
    const signal = AbortSignal.timeout(timeout)
    for (;;) {
      try {
        return await this.#once({ url, host, text, signal })
      } catch (error) {
        if (!(error instanceof StaleConnectionError)) throw error
      }
    }
  }

  #once({ url, host, text, signal }: Sending): Promise<unknown> {
    const { credentials, maxAnswer = MAX_ANSWER } = this.#options
    return new Promise((resolve, reject) => {
      const authorization = credentials?.authorization?.()
      const request = httpsRequest(url, {
        method: text === undefined ? 'GET' : 'POST',
        agent: this.#agent,
        signal,
        headers: {
          accept: 'application/json',
          ...(host ? { host } : {}),
          ...(text === undefined ? {} : { 'content-type': 'application/json' }),
          ...(authorization === undefined ? {} : { authorization }),
        },
      })
      let answered = false
      request.on('error', (error: NodeJS.ErrnoException) => {
        const stale = request.reusedSocket && !answered && error.code === 'ECONNRESET'
        reject(stale ? new StaleConnectionError(error.message, { cause: error }) : error)
      })
      request.on('response', response => {
        answered = true
        const chunks: Buffer[] = []
        let size = 0
        response.on('error', reject)
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          if (size > maxAnswer) request.destroy(new Error('the answer is too large'))
          else chunks.push(chunk)
        })
        response.on('end', () => {
          const { statusCode = 0 } = response
          if (statusCode < 200 || statusCode > 299) return reject(new Error(`the server answered ${statusCode}`))
          try {
            resolve(JSON.parse(Buffer.concat(chunks).toString()))
          } catch (error) {
            reject(error)
          }
        })
      })
      request.end(text)
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}
