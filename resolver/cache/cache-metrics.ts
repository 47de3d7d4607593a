/** What a cache counts: CoreDNS's metrics, a series for each listener that a query came in by, and dnsmasq's counters. */
import type { CounterSeries, GaugeSeries, Registry } from '#lib/metrics.ts'
import type { HitCount } from '../memo-terms.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import type { CacheCounters } from '../plugin.ts'
import type { CacheType } from './lifetime.ts'

const labels = ['server', 'zones', 'view'] as const
const typedLabels = ['server', 'type', 'zones', 'view'] as const

export const cacheMetrics = {
  entries: {
    kind: 'gauge',
    name: 'coredns_cache_entries',
    help: 'Answers that are kept; failures that are remembered count as denials.',
    labels: typedLabels,
  },
  bytes: {
    kind: 'gauge',
    name: 'seamark_cache_bytes',
    help: 'Memory that the kept answers take.',
    labels,
  },
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

export type OwnerLabels = Readonly<Record<(typeof labels)[number], string>>
type Counted = 'requests' | 'misses' | 'prefetches' | 'drops' | 'stale'

/** What became of a question that is asked again in the memo. */
type Outcome = CacheType | 'missed'

interface ListenerSeries extends Readonly<Record<Counted, CounterSeries>> {
  readonly hits: Readonly<Record<CacheType, CounterSeries>>
  /** For replies that are given again (resolver/memo.ts). */
  readonly again: Readonly<Record<Outcome, HitCount>>
}

export class CacheCounts {
  readonly #metrics: Metrics<typeof cacheMetrics>
  /** The cache is one, whichever of the block's listeners a query came in by; what is in it is counted at the first. */
  readonly #owner: OwnerLabels
  readonly #series = new Map<string, ListenerSeries>()
  /** What is in the cache; made when there is something to say of it. */
  #held: Readonly<Record<CacheType | 'bytes', GaugeSeries>> | undefined
  /** What gave way, by type; made with the first. */
  readonly #evictions: { success: CounterSeries | undefined; denial: CounterSeries | undefined } = {
    success: undefined,
    denial: undefined,
  }
  readonly #own = { insertions: 0, evictions: 0, misses: 0, hits: 0, stale: 0 }

  constructor(registry: Registry, owner: OwnerLabels) {
    this.#metrics = registerMetrics(registry, cacheMetrics)
    this.#owner = owner
  }

  /** Since the program began, for all listeners together; what was served after its time is a hit, too. */
  get counters(): Omit<CacheCounters, 'cachesize'> {
    const { stale: _stale, ...counters } = this.#own
    return counters
  }

  get served(): { readonly stale: number } {
    return { stale: this.#own.stale }
  }

  adopt(previous: CacheCounts): void {
    Object.assign(this.#own, previous.#own)
  }

  count(what: Exclude<Counted, 'stale' | 'misses'>, server: string): void {
    this.#of(server)[what].inc()
  }

  miss(server: string, times = 1): void {
    this.#own.misses += times
    this.#of(server).misses.inc(times)
  }

  hit(type: CacheType, server: string, times = 1): void {
    this.#own.hits += times
    this.#of(server).hits[type].inc(times)
  }

  /** Counts questions that had this outcome before, and are answered without asking the cache. */
  again(outcome: Outcome, server: string): HitCount {
    return this.#of(server).again[outcome]
  }

  staleHit(server: string): void {
    this.#own.hits++
    this.#own.stale++
    this.#of(server).stale.inc()
  }

  inserted(): void {
    this.#own.insertions++
  }

  /** `live`: it had not ended, which alone dnsmasq counts: the sign that the cache is too small. */
  evicted(type: CacheType, live: boolean): void {
    if (live) this.#own.evictions++
    const series = (this.#evictions[type] ??= this.#metrics.evictions.child({ ...this.#owner, type }))
    series.inc()
  }

  hold(sizes: Readonly<Record<CacheType, number>>, bytes: number): void {
    const held = (this.#held ??= this.#newHeld())
    held.success.set(sizes.success)
    held.denial.set(sizes.denial)
    held.bytes.set(bytes)
  }

  #newHeld(): Readonly<Record<CacheType | 'bytes', GaugeSeries>> {
    const { entries, bytes } = this.#metrics
    const of = (type: CacheType) => entries.child({ ...this.#owner, type })
    return { success: of('success'), denial: of('denial'), bytes: bytes.child(this.#owner) }
  }

  #of(server: string): ListenerSeries {
    const known = this.#series.get(server)
    if (known) return known
    const at = { ...this.#owner, server }
    const { hits, requests, misses, prefetches, drops, stale } = this.#metrics
    const series = {
      requests: requests.child(at),
      misses: misses.child(at),
      prefetches: prefetches.child(at),
      drops: drops.child(at),
      stale: stale.child(at),
      hits: { success: hits.child({ ...at, type: 'success' }), denial: hits.child({ ...at, type: 'denial' }) },
      again: {
        success: this.#listener(server, times => this.hit('success', server, times)),
        denial: this.#listener(server, times => this.hit('denial', server, times)),
        missed: this.#listener(server, times => this.miss(server, times)),
      },
    }
    this.#series.set(server, series)
    return series
  }

  #listener(server: string, conclude: (times: number) => void): HitCount {
    return {
      add: hits => {
        this.#of(server).requests.inc(hits)
        conclude(hits)
      },
    }
  }
}
