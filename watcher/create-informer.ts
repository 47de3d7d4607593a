/** An informer that a reflector fills: the one way to hold a resource in memory. See `informer.ts` for its promises. */
import { strict as assert } from 'node:assert'
import { type Clock, type Milliseconds, systemClock } from '#lib/clock.ts'
import type { Component } from '#lib/lifecycle.ts'
import { type Logger, silentLogger } from '#lib/log.ts'
import type { Registry } from '#lib/metrics.ts'
import { type Random, systemRandom } from '#lib/random.ts'
import type { RestClient } from './client.ts'
import type { Following } from './following.ts'
import { type Change, type Informer, type Listener, type ObjectKey, objectKey } from './informer.ts'
import { type InformerMetrics, informerMetrics } from './informer-metrics.ts'
import type { ApiObject } from './object.ts'
import { Reflector, type ReflectorTarget } from './reflector.ts'
import type { View } from './view.ts'

export interface InformerOptions {
  /** Default: every namespace. */
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
  readonly registry?: Registry
  /** Freezes every object deeply, so that a reader who writes to it fails. For tests: it costs time on each change. */
  readonly freeze?: boolean
}

/** `start` begins to fill it and resolves at once: the first list may take as long as the apiserver is away. */
export interface RunningInformer<Object> extends Informer<Object>, Component {
  /** When the server last showed that it is there (monotonic), undefined before that: how old the data may be. */
  readonly lastHeard: Milliseconds | undefined
  /** What keeps it from following the server right now, `''` when nothing does. */
  readonly problem: string
  /**
   * Before `start`: puts an object that was known in an earlier life. It is told as `added`; the first list confirms,
   * replaces or removes it, and until then the informer is not synced.
   */
  seed(key: ObjectKey, object: Object): void
  /** Removes what was seeded and no list has confirmed yet. */
  forgetSeeds(): void
  start(signal?: AbortSignal): Promise<void>
}

export const createInformer = <Object>(
  client: RestClient,
  view: View<Object>,
  options: InformerOptions = {},
): RunningInformer<Object> => new ReflectedInformer(client, view, options)

interface Entry<Object> {
  object: Object
  resourceVersion: string
  /** The list that last saw it. */
  list: number
}

interface Subscription<Object> {
  readonly listener: Listener<Object>
  active: boolean
}

class ReflectedInformer<Object> implements RunningInformer<Object>, ReflectorTarget {
  readonly name: string
  readonly #view: View<Object>
  readonly #freeze: boolean
  readonly #logger: Logger
  readonly #metrics: InformerMetrics | undefined
  readonly #reflector: Reflector
  readonly #entries = new Map<ObjectKey, Entry<Object>>()
  readonly #abort = new AbortController()
  /** Copied on write: whoever is being told of a change is not disturbed by a new subscriber. */
  #subscriptions: readonly Subscription<Object>[] = []
  #waiting: (() => void)[] = []
  #running: Promise<void> | undefined
  #synced = false
  #list = 0

  constructor(client: RestClient, view: View<Object>, options: InformerOptions) {
    const { clock = systemClock, random = systemRandom, logger = silentLogger, registry, freeze = false } = options
    this.name = `informer ${view.resource.resource}`
    this.#view = view
    this.#freeze = freeze
    this.#logger = logger
    this.#metrics = registry && informerMetrics(registry, view.resource)
    const { namespace, labelSelector, fieldSelector } = options
    const { resource } = view
    const observers = {
      onList: (way: 'stream' | 'pages') => this.#metrics?.list(way),
      onFailure: () => this.#metrics?.failure(),
    }
    const selection = { namespace, labelSelector, fieldSelector }
    this.#reflector = new Reflector({ client, resource, ...selection, clock, random, logger, ...observers }, this)
  }

  get synced(): boolean {
    return this.#synced
  }

  get resourceVersion(): string {
    return this.#reflector.resourceVersion
  }

  get following(): Following {
    return this.#reflector
  }

  get size(): number {
    return this.#entries.size
  }

  get lastHeard(): Milliseconds | undefined {
    return this.#reflector.lastHeard
  }

  get problem(): string {
    return this.#reflector.problem
  }

  seed(key: ObjectKey, object: Object): void {
    assert(!this.#running, 'seeds come before the start')
    // Without a revision: another cluster's object may have the same one.
    this.#entries.set(key, { object, resourceVersion: '', list: this.#list })
    this.#metrics?.change('added', this.#entries.size)
    this.#notify({ type: 'added', key, object })
  }

  forgetSeeds(): void {
    for (const [key, entry] of this.#entries) {
      if (entry.list === 0) this.#delete(key, entry)
    }
  }

  async start(): Promise<void> {
    assert(!this.#running, 'an informer starts once')
    this.#running = this.#reflector.run(this.#abort.signal)
  }

  async close(): Promise<void> {
    this.#abort.abort()
    await this.#running
  }

  get(key: ObjectKey): Object | undefined {
    return this.#entries.get(key)?.object
  }

  *entries(): IterableIterator<readonly [ObjectKey, Object]> {
    for (const [key, { object }] of this.#entries) yield [key, object]
  }

  subscribe(listener: Listener<Object>): () => void {
    const subscription = { listener, active: true }
    for (const [key, { object }] of this.#entries) this.#tell(subscription, { type: 'added', key, object })
    this.#subscriptions = [...this.#subscriptions, subscription]
    return () => {
      subscription.active = false
      this.#subscriptions = this.#subscriptions.filter(other => other !== subscription)
    }
  }

  whenSynced(signal?: AbortSignal): Promise<void> {
    if (this.#synced) return Promise.resolve()
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const refuse = () => {
        this.#waiting = this.#waiting.filter(other => other !== wake)
        reject(signal?.reason)
      }
      const wake = () => {
        signal?.removeEventListener('abort', refuse)
        resolve()
      }
      signal?.addEventListener('abort', refuse, { once: true })
      this.#waiting.push(wake)
    })
  }

  listBegins(): void {
    this.#list++
  }

  listEnds(): void {
    for (const [key, entry] of this.#entries) {
      if (entry.list !== this.#list) this.#delete(key, entry)
    }
    if (this.#synced) return
    this.#synced = true
    for (const wake of this.#waiting) wake()
    this.#waiting = []
  }

  put(raw: ApiObject): void {
    const key = objectKey(raw.metadata.namespace, raw.metadata.name ?? '')
    const resourceVersion = raw.metadata.resourceVersion ?? ''
    const entry = this.#entries.get(key)
    if (entry && entry.resourceVersion === resourceVersion && resourceVersion !== '') {
      entry.list = this.#list
      return
    }
    const object = this.#strip(raw)
    if (object === undefined) return
    if (!entry) {
      this.#entries.set(key, { object, resourceVersion, list: this.#list })
      this.#metrics?.change('added', this.#entries.size)
      this.#notify({ type: 'added', key, object })
      return
    }
    const previous = entry.object
    entry.object = object
    entry.resourceVersion = resourceVersion
    entry.list = this.#list
    this.#metrics?.change('modified', this.#entries.size)
    this.#notify({ type: 'modified', key, object, previous })
  }

  remove(raw: ApiObject): void {
    const key = objectKey(raw.metadata.namespace, raw.metadata.name ?? '')
    const entry = this.#entries.get(key)
    if (entry) this.#delete(key, entry)
  }

  #delete(key: ObjectKey, entry: Entry<Object>): void {
    this.#entries.delete(key)
    this.#metrics?.change('deleted', this.#entries.size)
    this.#notify({ type: 'deleted', key, previous: entry.object })
  }

  /** A view that trips over one odd object must not cost all the others. */
  #strip(raw: ApiObject): Object | undefined {
    try {
      const object = this.#view.strip(raw as unknown as Readonly<Record<string, unknown>>)
      return this.#freeze ? deepFreeze(object) : object
    } catch (error) {
      const { namespace, name } = raw.metadata
      this.#logger.error({ informer: this.name, namespace, object: name, error }, 'object left out: the view failed')
      this.#metrics?.listenerError()
      return undefined
    }
  }

  #notify(change: Change<Object>): void {
    for (const subscription of this.#subscriptions) this.#tell(subscription, change)
  }

  #tell(subscription: Subscription<Object>, change: Change<Object>): void {
    if (!subscription.active) return
    try {
      subscription.listener(change)
    } catch (error) {
      this.#metrics?.listenerError()
      this.#logger.error({ informer: this.name, key: change.key, error }, 'listener failed')
    }
  }
}

const deepFreeze = <Value>(value: Value): Value => {
  if (typeof value === 'object' && value !== null && !globalThis.Object.isFrozen(value)) {
    globalThis.Object.freeze(value)
    for (const part of globalThis.Object.values(value)) deepFreeze(part)
  }
  return value
}
