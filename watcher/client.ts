/**
 * A typed REST client of an apiserver: the verbs of Kubernetes over one transport. Refusals are `ApiStatusError`,
 * failures of the connection are SeamarkError API_UNREACHABLE with the cause. It waits and tries again where the
 * server says so (Retry-After) or certainly did not take the request; everything else is the caller's to repeat.
 */

import { type Clock, type Milliseconds, systemClock } from '#lib/clock.ts'
import type { InputLedger } from '#lib/input-ledger.ts'
import { type Logger, silentLogger } from '#lib/log.ts'
import type { ClusterAccess } from './access.ts'
import { JsonList } from './json-list.ts'
import type { ApiList, ApiObject, ListMeta, ObjectName } from './object.ts'
import type { RequestObserver } from './request-observer.ts'
import { actionOf, bodyOf, consume, RequestSender } from './request-sender.ts'
import { type Query, type Resource, resourcePath, withQuery } from './resource.ts'
import { Http1Transport } from './transport/http1.ts'
import { HttpsTransport } from './transport/https.ts'
import { TRANSPORT_TIMES, type TransportTimes } from './transport.ts'
import { type WatchEvent, type WatchOptions, WatchStream } from './watch-stream.ts'

export interface ClientOptions {
  readonly access: ClusterAccess
  readonly clock?: Clock
  readonly logger?: Logger
  /** Default `seamark`. */
  readonly userAgent?: string
  readonly observer?: RequestObserver
  /** For a whole call, waiting and repeating included. Default 60 s, the apiserver's own limit for what is no watch. */
  readonly timeout?: Milliseconds
  readonly times?: Partial<TransportTimes>
  /** Told of the connections, and when something has come on them. */
  readonly inputs?: InputLedger | undefined
}

export interface CallOptions {
  readonly signal?: AbortSignal
  readonly timeout?: Milliseconds
  /** Further query parameters: `dryRun`, `fieldManager`, `fieldValidation`, `force` … */
  readonly query?: Query
  /** `status`, `scale`, `eviction` … */
  readonly subresource?: string
}

export interface ListOptions extends CallOptions {
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly limit?: number
  readonly continue?: string | undefined
  readonly resourceVersion?: string | undefined
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan'
}

export interface DeleteOptions extends CallOptions {
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground'
  readonly gracePeriodSeconds?: number
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
}

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply'

const PATCH_CONTENT_TYPES: Readonly<Record<PatchType, string>> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  // JSON is YAML: server-side apply takes either.
  apply: 'application/apply-patch+yaml',
}

export class RestClient {
  /** `HOST:PORT` of the server. */
  readonly host: string
  /** The namespace of the kubeconfig's context. */
  readonly namespace: string
  readonly clock: Clock
  readonly #sender: RequestSender

  constructor(options: ClientOptions) {
    const { access, clock = systemClock, logger = silentLogger, userAgent = 'seamark', timeout = 60_000 } = options
    const times = { ...TRANSPORT_TIMES, ...options.times }
    const { inputs } = options
    const plain = access.server.protocol === 'http:'
    this.clock = clock
    this.namespace = access.namespace
    this.#sender = new RequestSender({
      access,
      clock,
      logger,
      userAgent,
      timeout,
      observer: options.observer,
      transport: plain
        ? new Http1Transport(access.server, { clock, inputs })
        : new HttpsTransport(access, { clock, times, inputs }),
    })
    this.host = this.#sender.host
  }

  /** Any path (`/version`, `/readyz?verbose`): the body as text. */
  raw(path: string, options: CallOptions = {}): Promise<string> {
    return this.#text('GET', path, options)
  }

  get<Object extends ApiObject>(resource: Resource, name: ObjectName, options: CallOptions = {}): Promise<Object> {
    return this.#json('GET', objectPath(resource, name, options), options)
  }

  list<Object extends ApiObject>(resource: Resource, options: ListOptions = {}): Promise<ApiList<Object>> {
    return this.#json('GET', resourcePath(resource, options.namespace), { ...options, query: listQuery(options) })
  }

  /**
   * One page of a list, item by item as it arrives: `onItem` is called synchronously and the page is never held as a
   * whole. Resolves with the list's metadata, after the last item. Rejects as `list` does; items that were told stay told.
   */
  async listItems<Object extends ApiObject>(
    resource: Resource,
    options: ListOptions,
    onItem: (item: Object) => void,
  ): Promise<ListMeta> {
    const items = new JsonList(item => onItem(item as Object))
    const path = withQuery(resourcePath(resource, options.namespace), listQuery(options))
    await this.#sender.call({ method: 'GET', path, ...callLimits(options) }, async (response, call) => {
      await consume(response.body, chunk => items.push(chunk), call)
    })
    const { metadata } = this.#sender.trusted(actionOf('GET', path), () => items.end() as { metadata?: ListMeta })
    return metadata ?? {}
  }

  /** `metadata.namespace` of the object says where. */
  create<Object extends ApiObject>(resource: Resource, object: Object, options: CallOptions = {}): Promise<Object> {
    const { name, namespace } = object.metadata
    const path = options.subresource
      ? objectPath(resource, { ...(namespace !== undefined && { namespace }), name: name ?? '' }, options)
      : resourcePath(resource, namespace)
    return this.#json('POST', path, options, object)
  }

  /** Replaces the object of that name; with `metadata.resourceVersion`, only that revision (else: isConflict). */
  update<Object extends ApiObject>(resource: Resource, object: Object, options: CallOptions = {}): Promise<Object> {
    const { name = '', namespace } = object.metadata
    const path = objectPath(resource, { name, ...(namespace !== undefined && { namespace }) }, options)
    return this.#json('PUT', path, options, object)
  }

  updateStatus<Object extends ApiObject>(resource: Resource, object: Object, options: CallOptions = {}) {
    return this.update(resource, object, { ...options, subresource: 'status' })
  }

  patch<Object extends ApiObject>(
    resource: Resource,
    name: ObjectName,
    patch: { readonly type: PatchType; readonly body: unknown },
    options: CallOptions = {},
  ): Promise<Object> {
    const contentType = PATCH_CONTENT_TYPES[patch.type]
    return this.#json('PATCH', objectPath(resource, name, options), options, patch.body, contentType)
  }

  /** Resolves with what the server answers: a Status, or the object that waits for its finalizers. */
  delete(resource: Resource, name: ObjectName, options: DeleteOptions = {}): Promise<unknown> {
    return this.#json('DELETE', objectPath(resource, name, options), options, deleteBody(options))
  }

  deleteCollection(resource: Resource, options: ListOptions & DeleteOptions = {}): Promise<unknown> {
    const path = resourcePath(resource, options.namespace)
    return this.#json('DELETE', path, { ...options, query: listQuery(options) }, deleteBody(options))
  }

  /**
   * Follows a resource until the server ends the stream (resolves), the connection fails or `signal` aborts (rejects).
   * `onEvent` is called in the turn of the event loop in which the event's last byte arrived. An ERROR event rejects
   * with its ApiStatusError. On HTTP/1.1, where nothing else would tell that the other side has gone silent, the server
   * is asked to end the stream after at most 20 s and 5 s more are allowed.
   */
  watch<Object>(
    resource: Resource,
    options: WatchOptions,
    onEvent: (event: WatchEvent<Object>) => void,
  ): Promise<void> {
    return new WatchStream(this.#sender, resource, options).run(event => onEvent(event as WatchEvent<Object>))
  }

  /**
   * Waits out the failure of a call: `delay`, or less when another call of this client is answered meanwhile (not with a
   * 5xx). Says whether one was. Resolves also when `signal` aborts.
   */
  untilAnswered(delay: Milliseconds, signal: AbortSignal): Promise<boolean> {
    return this.#sender.recovery.sleep(delay, signal)
  }

  /** Ends all that is in flight. Idempotent. */
  close(): Promise<void> {
    return this.#sender.close()
  }

  async #json<Answer>(method: string, path: string, options: CallOptions, body?: unknown, contentType?: string) {
    const text = await this.#text(method, path, options, body, contentType)
    return this.#sender.trusted(actionOf(method, path), () => JSON.parse(text) as Answer)
  }

  #text(method: string, path: string, options: CallOptions, body?: unknown, contentType = 'application/json') {
    return this.#sender.call(
      {
        method,
        path: withQuery(path, options.query ?? {}),
        ...(body !== undefined && { body: JSON.stringify(body), contentType }),
        ...callLimits(options),
      },
      bodyOf,
    )
  }
}

const callLimits = ({ signal, timeout }: CallOptions) => ({
  ...(signal && { signal }),
  ...(timeout !== undefined && { timeout }),
})

const objectPath = (resource: Resource, { namespace, name }: ObjectName, { subresource }: CallOptions): string => {
  const path = `${resourcePath(resource, namespace)}/${encodeURIComponent(name)}`
  return subresource === undefined ? path : `${path}/${subresource}`
}

const listQuery = (options: ListOptions) => ({
  ...options.query,
  labelSelector: options.labelSelector,
  fieldSelector: options.fieldSelector,
  limit: options.limit,
  continue: options.continue,
  resourceVersion: options.resourceVersion,
  resourceVersionMatch: options.resourceVersionMatch,
})

const deleteBody = ({ propagationPolicy, gracePeriodSeconds, preconditions }: DeleteOptions) => ({
  kind: 'DeleteOptions',
  apiVersion: 'v1',
  ...(propagationPolicy && { propagationPolicy }),
  ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
  ...(preconditions && { preconditions }),
})
