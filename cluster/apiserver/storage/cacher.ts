/**
 * The store in memory: one watch over everything under `/registry/` feeds one cache per kind, so that all kinds share
 * one revision, as they do in the store.
 *
 * Promised: by the time a write's promise resolves, its events have been handed to every subscriber (the store delivers
 * before it acknowledges); `revision` is that of the last transaction taken in, whole.
 */

import type { Kind } from '#cluster/api/kind.ts'
import {
  type ChangeSet,
  continueKey,
  prefixRange,
  type RangeResult,
  type Revision,
  type Store,
  StoreRevisionError,
  type StoreWatch,
} from '#cluster/store/kv.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { kindPrefix, prefixOfKey, REGISTRY_PREFIX } from './keys.ts'
import { type ObjectEvent, WatchCache } from './watch-cache.ts'

export interface CacherOptions {
  readonly store: Store
  readonly kinds: readonly Kind[]
  readonly clock: Clock
  readonly logger: Logger
  /** Changes that each kind remembers for watches that resume. Default 4096. */
  readonly historySize?: number
}

/** Keys read at once: some megabytes on their way from the store's thread. */
const PAGE = 4_000

interface Waiter {
  readonly revision: Revision
  readonly resolve: () => void
}

export class Cacher {
  readonly #options: CacherOptions
  readonly #caches = new Map<Kind, WatchCache>()
  readonly #byPrefix = new Map<string, WatchCache[]>()
  #revision: Revision = 0
  #waiters: Waiter[] = []
  #watch: StoreWatch | undefined
  /** Changes for kinds that are being taken in, until what was there before them is. */
  readonly #joining = new Map<WatchCache, ChangeSet[]>()
  #failed = false

  constructor(options: CacherOptions) {
    this.#options = options
    for (const kind of options.kinds) this.#open(kind)
  }

  #open(kind: Kind): WatchCache {
    const cache = new WatchCache(kind, this.#options.historySize ?? 4096)
    const prefix = kindPrefix(kind)
    this.#caches.set(kind, cache)
    this.#byPrefix.set(prefix, [...(this.#byPrefix.get(prefix) ?? []), cache])
    return cache
  }

  /** Takes kinds in while it runs: all that is stored of them, and every change from then on. */
  async add(kinds: readonly Kind[]): Promise<void> {
    for (const kind of kinds) {
      const cache = this.#open(kind)
      this.#joining.set(cache, [])
      const { keyValues, revision } = await this.#options.store.range(prefixRange(kindPrefix(kind)))
      cache.load(keyValues, revision)
      const missed = this.#joining.get(cache) ?? []
      this.#joining.delete(cache)
      for (const { changes } of missed) for (const change of changes) takeIn(cache, change)
      await this.waitFor(revision)
    }
  }

  /** Whoever watches such a kind is told that it ends. */
  remove(kinds: readonly Kind[]): void {
    for (const kind of kinds) {
      const cache = this.#caches.get(kind)
      if (!cache) continue
      const prefix = kindPrefix(kind)
      this.#caches.delete(kind)
      this.#byPrefix.set(
        prefix,
        (this.#byPrefix.get(prefix) ?? []).filter(other => other !== cache),
      )
      cache.end()
    }
  }

  /** The revision that the memory is of. */
  get revision(): Revision {
    return this.#revision
  }

  /** False once the store's watch has ended: what is in memory grows old. */
  get healthy(): boolean {
    return this.#watch !== undefined && !this.#failed
  }

  cache(kind: Kind): WatchCache {
    const cache = this.#caches.get(kind)
    if (!cache) throw new TypeError(`no cache for ${kind.resource}.${kind.group}`)
    return cache
  }

  /** Reads the past that the store still has, then everything since, so that watches resume over a restart. */
  async start(): Promise<void> {
    const { store, historySize = 4096 } = this.#options
    const current = await store.revision()
    const revision = current === 0 ? 0 : await this.#loadPast(Math.max(1, current - historySize))
    for (const cache of this.#caches.values()) cache.load([], revision)
    this.#revision = revision
    this.#watch = store.watch(prefixRange(REGISTRY_PREFIX), {
      from: revision + 1,
      deliver: set => this.#deliver(set),
      ended: problem => {
        this.#failed = true
        if (problem.problem !== 'closed') this.#options.logger.error({ problem }, 'the watch on the store has ended')
      },
    })
    await this.waitFor(current)
  }

  close(): void {
    this.#watch?.close()
    this.#watch = undefined
    for (const { resolve } of this.#waiters.splice(0)) resolve()
  }

  /** Resolves once the memory is at least of the store's revision at the time of the call. */
  async fresh(): Promise<void> {
    const revision = await this.#options.store.revision()
    if (revision > this.#revision) await this.waitFor(revision)
  }

  /** Resolves true once the memory has reached `revision`, false when it has not within `timeout`. */
  waitFor(revision: Revision, timeout: Milliseconds = 10_000): Promise<boolean> {
    if (this.#revision >= revision) return Promise.resolve(true)
    return new Promise(resolve => {
      const waiter: Waiter = {
        revision,
        resolve: () => {
          timer.cancel()
          resolve(this.#revision >= revision)
        },
      }
      const timer = this.#options.clock.after(timeout, () => {
        this.#waiters = this.#waiters.filter(other => other !== waiter)
        resolve(false)
      })
      this.#waiters.push(waiter)
    })
  }

  /** Loads the state at `wanted`, or at the oldest revision above it that the store has: the one that it returns. */
  async #loadPast(wanted: Revision): Promise<Revision> {
    try {
      return await this.#loadPages(wanted)
    } catch (error) {
      if (!(error instanceof StoreRevisionError) || error.problem.problem !== 'compacted') throw error
      return await this.#loadPages(Math.max(error.problem.compacted, 1))
    }
  }

  /** The store reads a page while the one before it is taken in. */
  async #loadPages(revision: Revision): Promise<Revision> {
    const { end, start } = prefixRange(REGISTRY_PREFIX)
    const page = { revision, limit: PAGE, counted: false }
    const read = (from: string) => this.#options.store.range({ start: from, end }, page)
    for (let reading: Promise<RangeResult> | undefined = read(start); reading; ) {
      const { keyValues, more }: RangeResult = await reading
      reading = more ? read(continueKey(keyValues.at(-1)!.key)) : undefined
      for (const [prefix, found] of Map.groupBy(keyValues, ({ key }) => prefixOfKey(key)))
        for (const cache of this.#byPrefix.get(prefix) ?? []) cache.load(found, revision)
    }
    return revision
  }

  #deliver({ revision, changes }: ChangeSet): void {
    const events: [WatchCache, ObjectEvent][] = []
    for (const change of changes) {
      for (const cache of this.#byPrefix.get(prefixOfKey(change.keyValue.key)) ?? []) {
        const missed = this.#joining.get(cache)
        const event = missed ? void missed.push({ revision, changes: [change] }) : takeIn(cache, change)
        if (event) events.push([cache, event])
      }
    }
    this.#revision = revision
    for (const [cache, event] of events) cache.publish(event)
    if (this.#waiters.length > 0) this.#wake()
  }

  #wake(): void {
    const due = this.#waiters.filter(waiter => waiter.revision <= this.#revision)
    if (due.length === 0) return
    this.#waiters = this.#waiters.filter(waiter => waiter.revision > this.#revision)
    for (const { resolve } of due) resolve()
  }
}

/** What was loaded has in it all up to its revision. */
const takeIn = (cache: WatchCache, change: ChangeSet['changes'][number]): ObjectEvent | undefined =>
  change.keyValue.modRevision <= cache.floor ? undefined : cache.apply(change)
