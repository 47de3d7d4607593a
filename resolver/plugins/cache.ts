/**
 * cache: keeps what other servers said, for as long as they said, and beyond that for when they say nothing (RFC 8767).
 *
 * Promised: an entry is never served after its time, except by `serve_stale`; a failure never displaces what was known;
 * no more memory than the settings say. Data of our own is never kept, and plugins that have some (kubernetes, hosts) are
 * asked before an entry is served, so a change in the cluster shows in the next answer even where the name was another
 * server's before.
 *
 * A fresh answer may be given again without asking here (resolver/memo.ts) until it is replaced, gives way or ends, and
 * for some seconds at a time: so what is asked for often is seen often, and neither gives way to what is not nor stops
 * being popular.
 */
import { type ChangeBoard, outside } from '#lib/change-board.ts'
import { type Clock, type Milliseconds, sleep } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import { AnswerStore, type CachedAnswer, type Chosen, cacheKey, isFresh } from '../cache/answer-store.ts'
import { CacheCounts, cacheMetrics } from '../cache/cache-metrics.ts'
import { type CacheSettings, cacheOptions, readCacheSettings } from '../cache/cache-settings.ts'
import { dumpEntry } from '../cache/dump-entry.ts'
import type { Failure } from '../cache/failure-memory.ts'
import { clampTtl, isPositive, lifetimeOf, withTtls } from '../cache/lifetime.ts'
import { packAnswer, unpackAnswer } from '../cache/packed-answer.ts'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import { countedBy, EVERYTHING } from '../memo.ts'
import type { MemoTerms } from '../memo-terms.ts'
import type { Next } from '../next.ts'
import type { BlockContext, CacheCounters, CacheDumpEntry, Environment, Plugin, PluginModule } from '../plugin.ts'
import type { KeptAnswer, Query } from '../query.ts'
import { respell } from '../respell.ts'
import { type Answer, answered, type Verdict } from '../verdict.ts'
import { extendedErrorCodes, rcodes } from '../wire/codes.ts'
import { isInSome } from '../wire/name.ts'
import { pluginOrder } from './order.ts'

export const cachePlugin: PluginModule = {
  name: 'cache',
  options: cacheOptions,
  metrics: cacheMetrics,
  setup(directive, block, environment) {
    const reader = new DirectiveReader(directive)
    const settings = readCacheSettings(reader, directive, {
      zones: block.zones,
      memoryLimit: environment.memoryLimit,
    })
    return reader.finish((): Plugin => new Cache(settings, block, environment))
  },
}

/** An answer that is in use is looked up at least as often: in this time nobody fills a room with others. */
const LONGEST_MEMO: Milliseconds = 10_000
/** Share of the gap that ends popularity: questions that are not seen for so long are not taken for a gap. */
const UNSEEN_GAP = 0.1

/** An answer that is fresh at this moment. */
interface Found {
  readonly entry: CachedAnswer
  readonly now: Milliseconds
}

type Given = Pick<KeptAnswer, 'answer' | 'memo'>

const factOf = (key: string): string => outside(`cached ${key}`)

/** Those that may have data of their own, and stand where an entry of the cache would hide it. */
const pluginsBehind = new Set(pluginOrder.slice(pluginOrder.indexOf('cache') + 1, pluginOrder.indexOf('loop')))

class Cache implements Plugin {
  readonly name = 'cache'
  readonly steady = true
  readonly transparent = true
  readonly #settings: CacheSettings
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #counts: CacheCounts
  readonly #board: ChangeBoard
  /** Whether the block has plugins with data of their own between the cache and `forward`. */
  readonly #hasOwnData: boolean
  #store: AnswerStore
  /** Questions to upstreams that are under way for something that is kept, and since when. */
  readonly #underWay = new Map<string, Milliseconds>()

  constructor(
    settings: CacheSettings,
    { servers, directives, view }: BlockContext,
    { clock, logger, registry, board }: Environment,
  ) {
    this.#settings = settings
    this.#board = board
    this.#clock = clock
    this.#logger = logger
    this.#counts = new CacheCounts(registry, { server: servers[0] ?? '', zones: settings.zones.join(','), view })
    this.#hasOwnData = directives.some(({ name }) => pluginsBehind.has(name.text))
    this.#store = this.#own(new AnswerStore(settings))
  }

  /** The directive did not change: neither do the entries, nor what was counted. */
  adopt(previous: Plugin): void {
    if (!(previous instanceof Cache)) return
    this.#store = this.#own(previous.#store)
    this.#counts.adopt(previous.#counts)
  }

  cacheCounters(): CacheCounters {
    const { success, denial } = this.#settings.capacity
    return { cachesize: success + denial, ...this.#counts.counters }
  }

  statistics(): Readonly<Record<string, unknown>> {
    const { memory } = this.#settings
    const sizes = { successes: this.#store.size('success'), denials: this.#store.size('denial') }
    const bytes = { bytes: this.#store.bytes, memory }
    return { ...sizes, ...bytes, ...this.cacheCounters(), ...this.#counts.served }
  }

  *cacheDump(): Generator<CacheDumpEntry> {
    for (const entry of this.#store.entries()) yield dumpEntry(entry, this.#clock.monotonic())
  }

  clear(): void {
    this.#store.clear()
    this.#board.changed(EVERYTHING)
    this.#holding()
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const { zones } = this.#settings
    if (!isInSome(query.question.canonicalName, zones)) return next(query)
    this.#counts.count('requests', query.server)
    const key = cacheKey(query)
    const now = this.#clock.monotonic()
    const chosen = this.#store.find(key, now)
    if (chosen?.freshness === 'fresh') return this.#giveFresh(query, key, next, { entry: chosen.entry, now })
    if (chosen) return this.#giveStale(query, key, next, chosen)
    const failure = this.#store.failures.current(key, now)
    if (failure) return this.#giveFailure(query, next, failure)
    this.#counts.miss(query.server)
    const verdict = this.#ask(query, key, next)
    return verdict instanceof Promise ? verdict : this.#missedAgain(query, verdict)
  }

  /** If it is given again, it was not found here that often. */
  #missedAgain({ server }: Query, verdict: Verdict): Verdict {
    return countedBy(verdict, this.#counts.again('missed', server))
  }

  #giveFresh(query: Query, key: string, next: Next, { entry, now }: Found): MaybePromise<Verdict> {
    if (this.#isPopularAndEnding(entry, now) && !this.#failedLately(key)) this.#refresh(query, key, next, 'prefetch')
    const { type, stored } = entry
    query.trace?.add('cache', 'answer is kept', { type, age: now - stored })
    const answer = this.#withLife(unpackAnswer(entry.packed), entry, now)
    const memo = (): MemoTerms | undefined => {
      const terms = this.#memoTerms(answer, key, { entry, now })
      return terms && { ...terms, counted: [this.#counts.again(type, query.server)] }
    }
    return this.#give(query, next, { answer, memo }, () => this.#counts.hit(type, query.server))
  }

  /** Until the cache would do anything else than give the same answer. */
  #memoTerms({ authority, additional }: Answer, key: string, { entry, now }: Found): MemoTerms | undefined {
    const { stored, lifetime, hits } = entry
    const { amount, gap } = this.#settings.prefetch
    // Until it is popular each question counts.
    if (amount > 0 && hits < amount) return undefined
    entry.memoised = true
    const longest = amount > 0 ? Math.min(LONGEST_MEMO, gap * UNSEEN_GAP) : LONGEST_MEMO
    return {
      facts: [factOf(key)],
      until: Math.min(now + longest, stored + lifetime - this.#prefetchWindow(entry)),
      ...(!this.#settings.keepTtl && { agedAt: stored + 1000 * secondsSince(stored, now) }),
      // Only the answer's owners are spelled as the question is.
      echoesCase: authority.length === 0 && additional.length === 0,
    }
  }

  #giveStale(query: Query, key: string, next: Next, { entry, settled }: Chosen): MaybePromise<Verdict> {
    // RFC 8767 §5: an upstream that failed is not asked again for each query.
    if (settled || this.#failedLately(key)) return this.#serveStale(query, next, entry)
    if (this.#settings.serveStale.mode === 'verify') return this.#verify(query, key, next, entry)
    this.#refresh(query, key, next, 'stale')
    return this.#serveStale(query, next, entry)
  }

  #giveFailure(query: Query, next: Next, failure: Failure): MaybePromise<Verdict> {
    const answer = unpackAnswer(failure.packed!)
    query.trace?.add('cache', 'failure is remembered', { failures: failure.count })
    // RFC 8914 §4.14: the failure is not of this moment.
    const extendedErrors = [...(answer.extendedErrors ?? []), cachedError]
    const told = { answer: { ...answer, extendedErrors } }
    return this.#give(query, next, told, () => this.#counts.hit('denial', query.server))
  }

  /** Serves what is kept, after plugins with data of their own had their say. `count`: it was served. */
  #give(query: Query, next: Next, kept: Given, count: () => void): MaybePromise<Verdict> {
    const { memo } = kept
    const answer = respell(kept.answer, query.question)
    const counted = (verdict: Verdict): Verdict => {
      const isHit = verdict.verdict === 'answered' && verdict.by === 'cache'
      if (isHit) count()
      else this.#counts.miss(query.server)
      return isHit ? verdict : this.#missedAgain(query, verdict)
    }
    if (!this.#hasOwnData) return counted(answered('cache', answer, memo))
    return whenKnown(next({ ...query, kept: { question: query.question, answer, memo } }), counted)
  }

  #serveStale(query: Query, next: Next, entry: CachedAnswer): MaybePromise<Verdict> {
    const { stored, lifetime } = entry
    query.trace?.add('cache', 'answer has ended', { since: this.#clock.monotonic() - stored - lifetime })
    return this.#give(query, next, { answer: this.#stale(entry) }, () => this.#counts.staleHit(query.server))
  }

  /**
   * Asks first; what has ended is served when the upstream fails, or when its word takes longer than a client waits
   * (RFC 8767 §5). The time runs from the question that is under way already, if there is one.
   */
  async #verify(query: Query, key: string, next: Next, entry: CachedAnswer): Promise<Verdict> {
    const { timeout } = this.#settings.serveStale
    const since = this.#underWay.get(key)
    const left = since === undefined ? timeout : since + timeout - this.#clock.monotonic()
    if (left <= 0) return this.#serveStale(query, next, entry)
    const asked = Promise.resolve(this.#track(query, key, next))
    const late = new AbortController()
    const limit = Number.isFinite(left) ? [sleep(this.#clock, left, late.signal)] : []
    const verdict = await Promise.race([asked, ...limit])
    late.abort()
    if (verdict && this.#isWord(verdict, query, entry)) return verdict
    asked.catch(error => this.#refreshFailed(error))
    return this.#serveStale(query, next, entry)
  }

  /** Whether the verdict takes the place of what is stale: data of our own, a success, a denial. */
  #isWord(verdict: Verdict, { question }: Query, { positive }: CachedAnswer): boolean {
    if (verdict.verdict !== 'answered') return false
    if (verdict.by !== 'forward') return true
    const lifetime = lifetimeOf(verdict.answer, question, this.#settings.rules)
    if (lifetime.verdict !== 'kept' && lifetime.verdict !== 'passed') return false
    const prefersPositive = this.#settings.serveStale.policy === 'prefer_positive' && positive
    return !prefersPositive || isPositive(verdict.answer, question)
  }

  /** Asks behind an answer. */
  #refresh(query: Query, key: string, next: Next, reason: 'prefetch' | 'stale'): void {
    if (this.#underWay.has(key)) return
    if (reason === 'prefetch') this.#counts.count('prefetches', query.server)
    // The client's trace ends with its answer.
    const again = { ...query, trace: undefined }
    this.#underWay.set(key, this.#clock.monotonic())
    void Promise.resolve()
      .then(() => this.#ask(again, key, next))
      .catch(error => this.#refreshFailed(error))
      .finally(() => this.#underWay.delete(key))
  }

  /** Asks, and remembers since when. */
  #track(query: Query, key: string, next: Next): MaybePromise<Verdict> {
    const verdict = this.#ask(query, key, next)
    if (!(verdict instanceof Promise) || this.#underWay.has(key)) return verdict
    this.#underWay.set(key, this.#clock.monotonic())
    return verdict.finally(() => this.#underWay.delete(key))
  }

  #ask(query: Query, key: string, next: Next): MaybePromise<Verdict> {
    return whenKnown(next(query), verdict => this.#keep(query, key, verdict))
  }

  /** Keeps the answer if it may be kept; gives it on with the TTLs that it will have from the cache. */
  #keep(query: Query, key: string, verdict: Verdict): Verdict {
    // What was asked without RD is what the upstream happened to know, not what it can find out.
    if (verdict.verdict !== 'answered' || !query.recursionDesired) return verdict
    const { answer, by } = verdict
    // Only `forward` brings what others said; a failure of our own is of the moment, too.
    if (by !== 'forward') return verdict
    const lifetime = lifetimeOf(answer, query.question, this.#settings.rules)
    const now = this.#clock.monotonic()
    if (lifetime.verdict === 'mismatched') this.#counts.count('drops', query.server)
    // Under overload most questions are not asked: only what is stale has anything of it.
    const hasFailed = lifetime.verdict === 'failed' || (lifetime.verdict === 'unasked' && this.#store.has(key))
    if (hasFailed && !this.#isDisabled('denial', query)) {
      const isTold = lifetime.verdict === 'failed' && lifetime.told
      this.#store.failures.note(key, isTold ? packAnswer(answer, query.question) : undefined, now)
      this.#holding()
    }
    if (lifetime.verdict !== 'kept' || this.#isDisabled(lifetime.type, query)) return verdict
    const packed = packAnswer(answer, query.question)
    if (!packed) return verdict
    const { type, seconds, positive } = lifetime
    const before = this.#store.get(type, key)
    const hits = before?.hits ?? 0
    const lastHit = before?.lastHit ?? now
    const wasMemoised = this.#store.isMemoised(key)
    const entry = { packed, type, positive, stored: now, lifetime: seconds * 1000, hits, lastHit, memoised: false }
    this.#store.set(key, entry)
    if (wasMemoised) this.#board.changed(factOf(key))
    this.#counts.inserted()
    this.#holding()
    return answered(by, this.#withLife(answer, entry, now))
  }

  #isDisabled(type: 'success' | 'denial', { question }: Query): boolean {
    return isInSome(question.canonicalName, this.#settings.disabled[type])
  }

  /** What is left of each TTL, by whole seconds. */
  #withLife(answer: Answer, { type, stored, lifetime }: CachedAnswer, now: Milliseconds): Answer {
    if (this.#settings.keepTtl) return answer
    const elapsed = secondsSince(stored, now)
    const rules = this.#settings.rules[type]
    // RFC 2308 §5: the TTL of the SOA is the least of its own and MINIMUM.
    const bounds = type === 'denial' ? { ...rules, maximum: lifetime / 1000 } : rules
    return withTtls(answer, ttl => Math.max(0, clampTtl(ttl, bounds) - elapsed))
  }

  #stale({ packed }: CachedAnswer): Answer {
    const answer = unpackAnswer(packed)
    // RFC 8914 §4.4, §4.20.
    const code = answer.rcode === rcodes.NXDOMAIN ? extendedErrorCodes.STALE_NXDOMAIN : extendedErrorCodes.STALE_ANSWER
    const { ttl } = this.#settings.serveStale
    return { ...withTtls(answer, () => ttl), extendedErrors: [{ code, text: '' }] }
  }

  #failedLately(key: string): boolean {
    return this.#store.failures.failedWithin(key, this.#settings.serveStale.recheck, this.#clock.monotonic())
  }

  #refreshFailed(error: unknown): void {
    this.#logger.error({ error }, 'refreshing a cached answer failed by a bug')
  }

  #isPopularAndEnding(entry: CachedAnswer, now: Milliseconds): boolean {
    const { amount, gap } = this.#settings.prefetch
    if (amount === 0) return false
    entry.hits = now - entry.lastHit < gap ? entry.hits + 1 : 1
    entry.lastHit = now
    const left = entry.stored + entry.lifetime - now
    return entry.hits >= amount && left <= this.#prefetchWindow(entry)
  }

  /** So long before its end a popular answer is asked for anew. */
  #prefetchWindow({ lifetime }: CachedAnswer): Milliseconds {
    const { amount, share } = this.#settings.prefetch
    return amount === 0 ? 0 : Math.max(1000, lifetime * share)
  }

  #own(store: AnswerStore): AnswerStore {
    store.onEvict = (entry, key) => {
      if (entry.memoised) this.#board.changed(factOf(key))
      this.#counts.evicted(entry.type, isFresh(entry, this.#clock.monotonic()))
    }
    return store
  }

  #holding(): void {
    const store = this.#store
    this.#counts.hold({ success: store.size('success'), denial: store.size('denial') }, store.bytes)
  }
}

/** Whole ones. */
const secondsSince = (stored: Milliseconds, now: Milliseconds): number => Math.floor((now - stored) / 1000)

const cachedError = { code: extendedErrorCodes.CACHED_ERROR, text: '' }
