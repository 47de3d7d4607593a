/**
 * Answers by question. Successes, denials and failures have rooms of their own, so that a flood of names that do not
 * exist cannot push out those that do, and a failure displaces nothing that was known.
 */
import type { Milliseconds } from '#lib/clock.ts'
import type { Query } from '../query.ts'
import { AnswerRoom } from './answer-room.ts'
import type { CacheSettings } from './cache-settings.ts'
import { type Failure, FailureMemory } from './failure-memory.ts'
import type { CacheType } from './lifetime.ts'
import type { PackedAnswer } from './packed-answer.ts'

export interface CachedAnswer {
  /** The answer as a message, see packed-answer.ts. */
  readonly packed: PackedAnswer
  readonly type: CacheType
  /** Whether it has a record of the type that was asked for. */
  readonly positive: boolean
  /** On the monotonic clock. */
  readonly stored: Milliseconds
  /** From `stored`. */
  readonly lifetime: Milliseconds
  /** Queries without a long gap between them, for prefetch. */
  hits: number
  lastHit: Milliseconds
  /** Whether somebody may give it again without asking (resolver/memo.ts), and must hear of its end. */
  memoised: boolean
}

/** What there is to answer a question with. */
export interface Chosen {
  readonly entry: CachedAnswer
  readonly freshness: 'fresh' | 'stale'
  /** Stale, but the upstream's word is known and fresh: there is nothing to ask (`serve_stale_policy`). */
  readonly settled: boolean
}

export type StoreSettings = Pick<CacheSettings, 'capacity' | 'memory' | 'failure' | 'serveStale'>

export class AnswerStore {
  readonly failures: FailureMemory
  readonly #settings: StoreSettings
  readonly #rooms: Readonly<Record<CacheType, AnswerRoom<CachedAnswer>>>
  readonly #failed: AnswerRoom<Failure>
  /** Told of entries that had to give way. Set by the plugin that owns the store now. */
  onEvict: (entry: CachedAnswer, key: string) => void = () => {}

  constructor(settings: StoreSettings) {
    const { capacity, memory, failure } = settings
    // Whatever is kept may fail.
    const failures = Math.max(capacity.success, capacity.denial)
    const share = memory / (capacity.success + capacity.denial + failures)
    const room = (entries: number) => {
      const bytes = Math.floor(share * entries)
      return new AnswerRoom<CachedAnswer>({ capacity: entries, bytes, onEvict: (...gone) => this.onEvict(...gone) })
    }
    this.#settings = settings
    this.#rooms = { success: room(capacity.success), denial: room(capacity.denial) }
    this.#failed = new AnswerRoom({ capacity: failures, bytes: Math.floor(share * failures), onEvict: () => {} })
    this.failures = new FailureMemory(this.#failed, failure)
  }

  find(key: string, now: Milliseconds): Chosen | undefined {
    const success = this.#rooms.success.get(key)
    const denial = this.#rooms.denial.get(key)
    const prefersPositive = this.#settings.serveStale.policy === 'prefer_positive'
    const preferred = prefersPositive && success?.positive ? success : (denial ?? success)
    if (!preferred) return undefined
    if (isFresh(preferred, now)) return { entry: preferred, freshness: 'fresh', settled: false }
    const settled = preferred === success && denial !== undefined && isFresh(denial, now)
    if (this.#isStale(preferred, now)) return { entry: preferred, freshness: 'stale', settled }
    return settled ? { entry: denial, freshness: 'fresh', settled: false } : undefined
  }

  /** What the upstream said: a success or a denial. One ends the other, but for a policy that prefers successes. */
  set(key: string, entry: CachedAnswer): void {
    const keepsSuccess = this.#settings.serveStale.policy === 'prefer_positive'
    if (entry.type === 'success') this.#rooms.denial.delete(key)
    else if (!keepsSuccess) this.#rooms.success.delete(key)
    this.#rooms[entry.type].set(key, entry)
    this.failures.forget(key)
  }

  get(type: CacheType, key: string): CachedAnswer | undefined {
    return this.#rooms[type].get(key)
  }

  /** Whether a success or a denial is kept, fresh or not. */
  has(key: string): boolean {
    return this.#rooms.success.get(key) !== undefined || this.#rooms.denial.get(key) !== undefined
  }

  isMemoised(key: string): boolean {
    return this.#rooms.success.get(key)?.memoised === true || this.#rooms.denial.get(key)?.memoised === true
  }

  /** Failures count as denials, as in CoreDNS. */
  size(type: CacheType): number {
    return this.#rooms[type].size + (type === 'denial' ? this.failures.size : 0)
  }

  /** Of all rooms. */
  get bytes(): number {
    return this.#rooms.success.bytes + this.#rooms.denial.bytes + this.#failed.bytes
  }

  clear(): void {
    for (const room of [this.#rooms.success, this.#rooms.denial, this.#failed]) room.clear()
  }

  /** All but failures. */
  *entries(): Generator<CachedAnswer> {
    yield* this.#rooms.success.values()
    yield* this.#rooms.denial.values()
  }

  #isStale({ stored, lifetime }: CachedAnswer, now: Milliseconds): boolean {
    return stored + lifetime + this.#settings.serveStale.duration > now
  }
}

export const isFresh = ({ stored, lifetime }: CachedAnswer, now: Milliseconds): boolean => stored + lifetime > now

/** DO and CD change what an upstream says (RFC 4035 §3.2), so they are part of the question. */
export const cacheKey = ({ question, edns, checkingDisabled }: Query): string => {
  const bits = (edns?.dnssecOk ? 1 : 0) + (checkingDisabled ? 2 : 0)
  return `${question.type} ${bits} ${question.canonicalName}`
}
