/**
 * cache: keeps what other servers said, for as long as they said.
 *
 * Promised: an entry is never served after its time, except by `serve_stale`. Data of our own is never kept, and plugins
 * that have some (kubernetes, hosts) are asked before an entry is served, so a change in the cluster shows in the next
 * answer even where the name was another server's before.
 */
import { type Clock, type Milliseconds, sleep } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { AnswerStore, type CachedAnswer, cacheKey } from '../cache/answer-store.ts'
import { type CacheSettings, cacheOptions, readCacheSettings } from '../cache/cache-settings.ts'
import { clampTtl, lifetimeOf, withTtls } from '../cache/lifetime.ts'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import type { MaybePromise } from '../listener.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import type { BlockContext, CacheCounters, Environment, Next, Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { respell } from '../respell.ts'
import { type Answer, answered, type Verdict } from '../verdict.ts'
import { extendedErrorCodes, rcodes } from '../wire/codes.ts'
import { isSubdomain } from '../wire/name.ts'
import { pluginOrder } from './order.ts'

const labels = ['server', 'zones', 'view'] as const
const typedLabels = ['server', 'type', 'zones', 'view'] as const

const metrics = {
  entries: { kind: 'gauge', name: 'coredns_cache_entries', help: 'Answers that are kept.', labels: typedLabels },
  hits: {
    kind: 'counter',
    name: 'coredns_cache_hits_total',
    help: 'Queries answered from the cache.',
    labels: typedLabels,
  },
  evictions: {
    kind: 'counter',
    name: 'coredns_cache_evictions_total',
    help: 'Answers that gave way to others.',
    labels: typedLabels,
  },
  requests: {
    kind: 'counter',
    name: 'coredns_cache_requests_total',
    help: 'Queries that the cache looked up.',
    labels,
  },
  misses: {
    kind: 'counter',
    name: 'coredns_cache_misses_total',
    help: 'Queries that the cache could not answer.',
    labels,
  },
  prefetches: {
    kind: 'counter',
    name: 'coredns_cache_prefetch_total',
    help: 'Popular answers that were asked for anew before their end.',
    labels,
  },
  drops: {
    kind: 'counter',
    name: 'coredns_cache_drops_total',
    help: 'Answers that were not kept because they do not answer the question.',
    labels,
  },
  stale: {
    kind: 'counter',
    name: 'coredns_cache_served_stale_total',
    help: 'Queries answered with what had ended.',
    labels,
  },
} as const satisfies MetricTable

export const cachePlugin: PluginModule = {
  name: 'cache',
  options: cacheOptions,
  metrics,
  setup(directive, block, environment) {
    const reader = new DirectiveReader(directive)
    const settings = readCacheSettings(reader, directive, block.zones)
    return reader.finish((): Plugin => new Cache(settings, block, environment))
  },
}

/** Those that may have data of their own, and stand where an entry of the cache would hide it. */
const pluginsBehind = new Set(pluginOrder.slice(pluginOrder.indexOf('cache') + 1, pluginOrder.indexOf('loop')))

type Labels = Record<(typeof labels)[number], string>
type Freshness = 'fresh' | 'stale' | 'ended'

class Cache implements Plugin {
  readonly name = 'cache'
  readonly #settings: CacheSettings
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #metrics: Metrics<typeof metrics>
  /** The cache is one, whichever of the block's listeners a query came in by; what is in it is counted at the first. */
  readonly #owner: Labels
  /** Whether the block has plugins with data of their own between the cache and `forward`. */
  readonly #hasOwnData: boolean
  #store: AnswerStore
  /** As the metrics, for all listeners together; what was served after its time is a hit, too. */
  readonly #counted = { insertions: 0, evictions: 0, misses: 0, hits: 0 }
  /** Questions that are being asked anew behind an answer. */
  readonly #refreshing = new Set<string>()

  constructor(
    settings: CacheSettings,
    { servers, directives, view }: BlockContext,
    { clock, logger, registry }: Environment,
  ) {
    this.#settings = settings
    this.#clock = clock
    this.#logger = logger
    this.#metrics = registerMetrics(registry, metrics)
    this.#owner = { server: servers[0] ?? '', zones: settings.zones.join(','), view }
    this.#hasOwnData = directives.some(({ name }) => pluginsBehind.has(name.text))
    this.#store = this.#own(new AnswerStore(settings))
  }

  /** The directive did not change: neither do the entries, nor what was counted. */
  adopt(previous: Plugin): void {
    if (!(previous instanceof Cache)) return
    this.#store = this.#own(previous.#store)
    Object.assign(this.#counted, previous.#counted)
  }

  cacheCounters(): CacheCounters {
    const { success, denial } = this.#settings.capacity
    return { cachesize: success + denial, ...this.#counted }
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const { zones, serveStale } = this.#settings
    if (!zones.some(zone => isSubdomain(query.question.canonicalName, zone))) return next(query)
    const own = this.#labels(query)
    this.#metrics.requests.inc(own)
    const key = cacheKey(query)
    const entry = this.#find(key)
    const freshness = entry ? this.#freshnessOf(entry) : 'ended'
    if (!entry || freshness === 'ended') {
      this.#countMiss(own)
      return this.#askAndKeep(query, key, next)
    }
    if (freshness === 'stale') {
      if (serveStale.mode === 'verify') return this.#verify(query, key, next, entry)
      if (!this.#failedLately(key)) this.#refresh(query, key, next)
      return this.#give(query, next, this.#stale(entry), () => this.#countStale(own))
    }
    if (this.#isPopularAndEnding(entry)) {
      this.#metrics.prefetches.inc(own)
      this.#refresh(query, key, next)
    }
    query.trace?.add('cache', 'answer is kept', { type: entry.type, age: this.#clock.monotonic() - entry.stored })
    return this.#give(query, next, this.#aged(entry), () => this.#countHit(own, entry))
  }

  /** Serves what is kept, after plugins with data of their own had their say. `count`: it was served. */
  #give(query: Query, next: Next, kept: Answer, count: () => void): MaybePromise<Verdict> {
    const answer = respell(kept, query.question)
    const counted = (verdict: Verdict): Verdict => {
      if (verdict.verdict === 'answered' && verdict.by === 'cache') count()
      else this.#countMiss(this.#labels(query))
      return verdict
    }
    if (!this.#hasOwnData) return counted(answered('cache', answer))
    const verdict = next({ ...query, kept: { question: query.question, answer } })
    return verdict instanceof Promise ? verdict.then(counted) : counted(verdict)
  }

  /** The fresh one of what is kept; a stale word of the upstream before its fresh failure. */
  #find(key: string): CachedAnswer | undefined {
    const success = this.#store.get('success', key)
    const denial = this.#store.get('denial', key)
    if (!success || !denial) return success ?? denial
    if (this.#freshnessOf(success) === 'fresh') return success
    if (this.#freshnessOf(denial) === 'fresh' && !denial.failure) return denial
    return this.#freshnessOf(success) === 'stale' ? success : denial
  }

  #freshnessOf({ stored, lifetime, failure }: CachedAnswer): Freshness {
    const left = stored + lifetime - this.#clock.monotonic()
    if (left > 0) return 'fresh'
    return !failure && left + this.#settings.serveStale.duration > 0 ? 'stale' : 'ended'
  }

  /** RFC 8767 §5: an upstream that failed is not asked again for each query. */
  #failedLately(key: string): boolean {
    const denial = this.#store.get('denial', key)
    return denial?.failure === true && this.#freshnessOf(denial) === 'fresh'
  }

  #askAndKeep(query: Query, key: string, next: Next): MaybePromise<Verdict> {
    const verdict = next(query)
    if (!(verdict instanceof Promise)) return this.#keep(query, key, verdict)
    return verdict.then(value => this.#keep(query, key, value))
  }

  /** Keeps the answer if it may be kept; gives it on with the TTLs that it will have from the cache. */
  #keep(query: Query, key: string, verdict: Verdict): Verdict {
    // What was asked without RD is what the upstream happened to know, not what it can find out.
    if (verdict.verdict !== 'answered' || !query.recursionDesired) return verdict
    const { answer, by } = verdict
    // Only `forward` brings what others said; a failure of our own is of the moment, too.
    if (by !== 'forward') return verdict
    const lifetime = lifetimeOf(answer, query.question, this.#settings.rules)
    if (!lifetime.keep) {
      if (lifetime.mismatch) this.#metrics.drops.inc(this.#labels(query))
      return verdict
    }
    const { type, seconds, failure } = lifetime
    const { canonicalName } = query.question
    if (this.#settings.disabled[type].some(zone => isSubdomain(canonicalName, zone))) return verdict
    const stored = this.#clock.monotonic()
    const before = this.#store.get(type, key)
    const entry: CachedAnswer = {
      // AA is for those who have the data at first hand (RFC 1034 §6.2.1).
      answer: { ...answer, authoritative: false },
      type,
      failure,
      stored,
      lifetime: seconds * 1000,
      hits: before?.hits ?? 0,
      lastHit: before?.lastHit ?? stored,
    }
    this.#store.set(key, entry)
    this.#counted.insertions++
    this.#countEntries()
    return failure ? verdict : answered(by, { ...this.#aged(entry), authoritative: answer.authoritative })
  }

  /** What is left of each TTL, by whole seconds. */
  #aged({ answer, type, failure, stored }: CachedAnswer): Answer {
    // RFC 8914 §4.14: the failure is not of this moment.
    if (failure) return { ...answer, extendedErrors: [...(answer.extendedErrors ?? []), cachedError] }
    if (this.#settings.keepTtl) return answer
    const elapsed = Math.floor((this.#clock.monotonic() - stored) / 1000)
    const bounds = this.#settings.rules[type]
    return withTtls(answer, ttl => Math.max(0, clampTtl(ttl, bounds) - elapsed))
  }

  #stale({ answer }: CachedAnswer): Answer {
    // RFC 8914 §4.4, §4.20.
    const code = answer.rcode === rcodes.NXDOMAIN ? extendedErrorCodes.STALE_NXDOMAIN : extendedErrorCodes.STALE_ANSWER
    return { ...withTtls(answer, () => 0), extendedErrors: [{ code, text: '' }] }
  }

  /** Asks first; what has ended is served only when no word of an upstream comes in time. */
  async #verify(query: Query, key: string, next: Next, entry: CachedAnswer): Promise<Verdict> {
    const asked = Promise.resolve(this.#askAndKeep(query, key, next))
    const { timeout } = this.#settings.serveStale
    const late = new AbortController()
    const verdict = await Promise.race([asked, sleep(this.#clock, timeout, late.signal)])
    late.abort()
    if (verdict && !isFailure(verdict)) return verdict
    asked.catch(error => this.#refreshFailed(error))
    return this.#give(query, next, this.#stale(entry), () => this.#countStale(this.#labels(query)))
  }

  #refresh(query: Query, key: string, next: Next): void {
    if (this.#refreshing.has(key)) return
    this.#refreshing.add(key)
    // The client's trace ends with its answer.
    const again = { ...query, trace: undefined }
    void Promise.resolve()
      .then(() => this.#askAndKeep(again, key, next))
      .catch(error => this.#refreshFailed(error))
      .finally(() => this.#refreshing.delete(key))
  }

  #refreshFailed(error: unknown): void {
    this.#logger.error({ error }, 'refreshing a cached answer failed by a bug')
  }

  #isPopularAndEnding(entry: CachedAnswer): boolean {
    const { amount, gap, share } = this.#settings.prefetch
    if (amount === 0) return false
    const now: Milliseconds = this.#clock.monotonic()
    entry.hits = now - entry.lastHit < gap ? entry.hits + 1 : 1
    entry.lastHit = now
    const left = entry.stored + entry.lifetime - now
    return entry.hits >= amount && left <= Math.max(1000, entry.lifetime * share)
  }

  #countMiss(own: Labels): void {
    this.#counted.misses++
    this.#metrics.misses.inc(own)
  }

  #countHit(own: Labels, { type }: CachedAnswer): void {
    this.#counted.hits++
    this.#metrics.hits.inc({ ...own, type })
  }

  #countStale(own: Labels): void {
    this.#counted.hits++
    this.#metrics.stale.inc(own)
  }

  #labels({ server }: Query): Labels {
    return { ...this.#owner, server }
  }

  #own(store: AnswerStore): AnswerStore {
    store.onEvict = type => {
      this.#counted.evictions++
      this.#metrics.evictions.inc({ ...this.#owner, type })
    }
    return store
  }

  #countEntries(): void {
    for (const type of ['success', 'denial'] as const)
      this.#metrics.entries.set({ ...this.#owner, type }, this.#store.size(type))
  }
}

const cachedError = { code: extendedErrorCodes.CACHED_ERROR, text: '' }

const isFailure = (verdict: Verdict): boolean =>
  verdict.verdict !== 'answered' ||
  verdict.answer.rcode === rcodes.SERVFAIL ||
  verdict.answer.rcode === rcodes.REFUSED ||
  verdict.answer.rcode === rcodes.NOTIMP
