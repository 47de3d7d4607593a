/**
 * A watch: newline-delimited events (Kubernetes API concepts, "Efficient detection of changes"), decoded one by one as
 * bytes arrive and told in the same turn of the event loop, so that whoever answers questions after the poll phase
 * answers with every change whose bytes had come.
 */
import type { Milliseconds } from '#lib/clock.ts'
import { type ApiStatus, ApiStatusError } from './api-status-error.ts'
import { JsonLines } from './json-lines.ts'
import { actionOf, consume, type RequestSender } from './request-sender.ts'
import { type Resource, resourcePath, withQuery } from './resource.ts'
import type { TransportResponse } from './transport.ts'

export interface WatchEvent<Object = Readonly<Record<string, unknown>>> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: Object
}

export interface WatchOptions {
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  /** Events after this revision. `''`: from a state that the server chooses, told as ADDED first. */
  readonly resourceVersion?: string
  readonly resourceVersionMatch?: 'NotOlderThan'
  readonly allowWatchBookmarks?: boolean
  /** KEP-3157: the state as ADDED events, then a bookmark annotated `k8s.io/initial-events-end`, then changes. */
  readonly sendInitialEvents?: boolean
  /** The server ends the stream after this. */
  readonly timeoutSeconds: number
  readonly signal: AbortSignal
  /** Gets the way to ask when the connection last showed life (monotonic), once there is one. */
  readonly onOpen?: (heard: () => Milliseconds) => void
}

/** How long the head of the answer may take: the apiserver may wait for its cache, or queue the request. */
const HEAD_TIMEOUT: Milliseconds = 25_000
/**
 * HTTP/1.1 has no PING. TCP keepalive notices a host that is gone, not a frozen proxy; so the server is asked to end
 * each stream after 20 s (it sends a bookmark just before) and a stream that has not ended 5 s later is dead: less
 * than 30 s in all. Resuming costs one request on a kept connection.
 */
const HTTP1_LIFE_SECONDS = 20
const HTTP1_GRACE: Milliseconds = 5_000
/** On HTTP/2, PING notices silence; this bounds a server that ignores timeoutSeconds. */
const HTTP2_GRACE: Milliseconds = 60_000

export class WatchStream {
  readonly #sender: RequestSender
  readonly #resource: Resource
  readonly #options: WatchOptions

  constructor(sender: RequestSender, resource: Resource, options: WatchOptions) {
    this.#sender = sender
    this.#resource = resource
    this.#options = options
  }

  async run(onEvent: (event: WatchEvent) => void): Promise<void> {
    const { signal, timeoutSeconds } = this.#options
    const life = new AbortController()
    const stop = () => life.abort(signal.reason)
    if (signal.aborted) throw signal.reason
    signal.addEventListener('abort', stop, { once: true })
    try {
      const http1 = (await this.#sender.connect(life.signal)) === 'http/1.1'
      const seconds = http1 ? Math.min(timeoutSeconds, HTTP1_LIFE_SECONDS) : timeoutSeconds
      await this.#follow(seconds, http1 ? HTTP1_GRACE : HTTP2_GRACE, life, onEvent)
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  async #follow(seconds: number, grace: Milliseconds, life: AbortController, onEvent: (event: WatchEvent) => void) {
    const path = this.#path(seconds)
    const { clock } = this.#sender
    const late = (what: string) => () => life.abort(new Error(`the watch is silent: ${what}`))
    let timer = clock.after(HEAD_TIMEOUT, late(`no answer within ${HEAD_TIMEOUT / 1000} s`))
    const lines = new JsonLines(value => onEvent(this.#event(value, path)))
    const read = async (response: TransportResponse, signal: AbortSignal) => {
      timer.cancel()
      timer = clock.after(seconds * 1000 + grace, late(`not ended ${grace / 1000} s after its ${seconds} s`))
      this.#options.onOpen?.(response.heard)
      await consume(response.body, chunk => lines.push(chunk), signal)
      lines.end()
    }
    try {
      const call = { method: 'GET', path, signal: life.signal, timeout: Number.POSITIVE_INFINITY }
      await this.#sender.call(call, read)
    } catch (error) {
      if (this.#options.signal.aborted) throw this.#options.signal.reason
      throw this.#sender.told('GET', path, error)
    } finally {
      timer.cancel()
    }
  }

  #event(value: unknown, path: string): WatchEvent {
    const { type, object } = value as { type?: string; object?: Record<string, unknown> }
    if (type === 'ERROR') throw new ApiStatusError((object ?? {}) as ApiStatus, actionOf('GET', path))
    if (!object || (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED' && type !== 'BOOKMARK')) {
      throw new Error(`unknown event type ${String(type).slice(0, 40)}`)
    }
    return { type, object }
  }

  #path(timeoutSeconds: number): string {
    const options = this.#options
    return withQuery(resourcePath(this.#resource, options.namespace), {
      watch: true,
      labelSelector: options.labelSelector,
      fieldSelector: options.fieldSelector,
      resourceVersion: options.resourceVersion,
      resourceVersionMatch: options.resourceVersionMatch,
      allowWatchBookmarks: options.allowWatchBookmarks,
      sendInitialEvents: options.sendInitialEvents,
      timeoutSeconds,
    })
  }
}
