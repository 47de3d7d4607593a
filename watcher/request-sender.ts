/**
 * One call = credentials, sending, waiting where the server asks for it, judging the answer. The client's verbs and
 * the watch stand on this.
 */
import type { Readable } from 'node:stream'
import { type Clock, type Milliseconds, sleep } from '#lib/clock.ts'
import { SeamarkError, systemCode } from '#lib/errors.ts'
import type { Logger } from '#lib/log.ts'
import type { ClusterAccess } from './access.ts'
import { type ApiStatus, ApiStatusError } from './api-status-error.ts'
import { Recovery } from './recovery.ts'
import type { RequestObserver } from './request-observer.ts'
import { type HttpProtocol, NotProcessedError, type Transport, type TransportResponse } from './transport.ts'

/** As often as client-go: ten answers that say "later" are an answer. */
const MAXIMUM_TRIES = 10
/** Status bodies are small; a proxy's error page may not be. Bytes. */
const MAXIMUM_REFUSAL = 1024 * 1024

export interface SenderOptions {
  readonly access: ClusterAccess
  readonly transport: Transport
  readonly clock: Clock
  readonly logger: Logger
  readonly userAgent: string
  readonly timeout: Milliseconds
  readonly observer: RequestObserver | undefined
}

export interface Call {
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly contentType?: string
  readonly signal?: AbortSignal
  /** Until the consumer is done. */
  readonly timeout?: Milliseconds
}

/** Reads the body; its promise ends the call. `signal` aborts with the call. */
export type Consumer<Answer> = (response: TransportResponse, signal: AbortSignal) => Promise<Answer>

export class RequestSender {
  readonly host: string
  readonly clock: Clock
  readonly recovery: Recovery
  readonly #options: SenderOptions

  constructor(options: SenderOptions) {
    this.#options = options
    this.clock = options.clock
    this.recovery = new Recovery(options.clock)
    const { host, port, protocol } = options.access.server
    this.host = port === '' ? `${host}:${protocol === 'http:' ? 80 : 443}` : host
  }

  /** Connects, and says what the next call will run on. */
  async connect(signal: AbortSignal): Promise<HttpProtocol> {
    try {
      return await this.#options.transport.protocol(signal)
    } catch (error) {
      signal.throwIfAborted()
      throw this.told('CONNECT', '', error)
    }
  }

  async call<Answer>(call: Call, consumer: Consumer<Answer>): Promise<Answer> {
    const { clock, timeout: defaultTimeout } = this.#options
    const limit = new AbortController()
    const timeout = call.timeout ?? defaultTimeout
    const stop = () => limit.abort(call.signal?.reason)
    if (call.signal?.aborted) throw call.signal.reason
    call.signal?.addEventListener('abort', stop, { once: true })
    const timer =
      timeout === Number.POSITIVE_INFINITY
        ? undefined
        : clock.after(timeout, () => limit.abort(new Error(`no whole answer within ${timeout / 1000} s`)))
    try {
      const response = await this.#answer(call, limit.signal)
      return await consumer(response, limit.signal)
    } catch (error) {
      if (call.signal?.aborted) throw call.signal.reason
      throw this.told(call.method, call.path, limit.signal.aborted ? limit.signal.reason : error)
    } finally {
      timer?.cancel()
      call.signal?.removeEventListener('abort', stop)
    }
  }

  /** Decodes what the server sent; when it is no JSON, something else answers there. */
  trusted<Answer>(action: string, decode: () => Answer): Answer {
    try {
      return decode()
    } catch (cause) {
      throw new SeamarkError('API_UNREACHABLE', `${action} at ${this.host}: the answer is no Kubernetes object`, {
        cause,
      })
    }
  }

  /** What callers see of a failure: refusals as they are, everything else as API_UNREACHABLE. */
  told(method: string, path: string, error: unknown): unknown {
    if (error instanceof ApiStatusError || error instanceof SeamarkError) return error
    const why = error instanceof Error ? error.message || systemCode(error) || error.name : String(error)
    return new SeamarkError('API_UNREACHABLE', `${actionOf(method, path)} at ${this.host}: ${why}`, { cause: error })
  }

  close(): Promise<void> {
    return this.#options.transport.close()
  }

  /** Sends until there is an answer that counts: a good one, or a refusal, which throws. */
  async #answer(call: Call, signal: AbortSignal): Promise<TransportResponse> {
    let reauthenticated = false
    let wait = 0
    for (let attempt = 1; ; attempt++) {
      if (wait > 0) await sleep(this.clock, wait, signal)
      signal.throwIfAborted()
      this.#options.observer?.held({ method: call.method, host: this.host, duration: wait })
      const response = await this.#once(call, signal, attempt)
      if (response === 'again') {
        wait = 0
        continue
      }
      if (response.status < 400) return response
      const refusal = await this.#refusal(call, response, signal)
      wait = attempt < MAXIMUM_TRIES ? retryAfter(response) : 0
      if (wait > 0) continue
      if (refusal.isUnauthorized && !reauthenticated && this.#options.access.credentials.refused()) {
        reauthenticated = true
        continue
      }
      throw refusal
    }
  }

  async #once(call: Call, signal: AbortSignal, attempt: number): Promise<TransportResponse | 'again'> {
    const { access, transport, userAgent, observer } = this.#options
    const credentials = await access.credentials.headers()
    const headers = {
      accept: 'application/json',
      'user-agent': userAgent,
      ...(call.contentType && { 'content-type': call.contentType }),
      ...credentials,
    }
    const startedAt = this.clock.monotonic()
    const answered = (code: string) =>
      observer?.answered({ method: call.method, host: this.host, code, duration: this.clock.monotonic() - startedAt })
    const { method, path, body } = call
    try {
      const response = await transport.send({ method, path, headers, signal, ...(body !== undefined && { body }) })
      answered(String(response.status))
      this.recovery.answered(response.status)
      return response
    } catch (error) {
      answered('<error>')
      if (error instanceof NotProcessedError && attempt < MAXIMUM_TRIES && !signal.aborted) return 'again'
      throw error
    }
  }

  async #refusal(call: Call, response: TransportResponse, signal: AbortSignal): Promise<ApiStatusError> {
    const text = await bodyOf(response, signal, MAXIMUM_REFUSAL)
    let status: ApiStatus = {}
    try {
      const body = JSON.parse(text)
      if (body?.kind === 'Status') status = body
    } catch {}
    if (status.message === undefined) status = { ...status, message: `HTTP ${response.status} ${text.slice(0, 200)}` }
    return new ApiStatusError(status, actionOf(call.method, call.path), response.status)
  }
}

/** What was tried, without the query: it differs from try to try, and what is the same should read the same. */
export const actionOf = (method: string, path: string): string => `${method} ${path.replace(/\?.*/, '')}`.trimEnd()

/** RFC 9110 §10.2.3, seconds only, as Kubernetes writes it; 429 and 5xx carry it. Milliseconds, 0 when there is none. */
const retryAfter = (response: TransportResponse): Milliseconds => {
  if (response.status !== 429 && response.status < 500) return 0
  const seconds = Number(response.header('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0
}

/**
 * Hands every chunk of the body to `onChunk` in the turn in which it arrived. Resolves at the body's end; rejects when
 * the body is cut off, when `signal` aborts, or with what `onChunk` throws (the rest is then not read).
 */
export const consume = (body: Readable, onChunk: (chunk: Buffer) => void, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    let settled = false
    const settle = (verdict: () => void) => {
      if (settled) return
      settled = true
      signal.removeEventListener('abort', abort)
      body.off('data', take)
      verdict()
    }
    const fail = (error: unknown) =>
      settle(() => {
        reject(error)
        body.destroy()
      })
    const abort = () => fail(signal.reason)
    const take = (chunk: Buffer) => {
      try {
        onChunk(chunk)
      } catch (error) {
        fail(error)
      }
    }
    const cutOff = () => fail(new Error('the connection was lost in the middle of the answer'))
    // Stays for good: a destroyed body may still report an error, which nobody needs any more.
    body.on('error', fail)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    body.on('data', take)
    body.on('end', () => (isCutOff(body) ? cutOff() : settle(resolve)))
    body.on('close', cutOff)
    body.resume()
  })

/** A stream that was reset also "ends"; it is whole only when the other side said so. */
const isCutOff = (body: Readable & { readonly aborted?: boolean; readonly rstCode?: number }): boolean =>
  body.aborted === true || (body.rstCode ?? 0) !== 0

export const bodyOf = async (
  { body }: TransportResponse,
  signal: AbortSignal,
  maximum = Number.POSITIVE_INFINITY,
): Promise<string> => {
  const chunks: Buffer[] = []
  let length = 0
  const take = (chunk: Buffer) => {
    length += chunk.length
    if (length > maximum) throw new Error(`the answer is longer than ${maximum} bytes`)
    chunks.push(chunk)
  }
  await consume(body, take, signal)
  return Buffer.concat(chunks).toString('utf8')
}
