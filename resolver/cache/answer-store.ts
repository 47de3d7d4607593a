/**
 * Answers by question, bounded in number, oldest use evicted first. Successes and denials have rooms of their own, so
 * that a flood of names that do not exist cannot push out those that do.
 */
import { LRUCache } from 'lru-cache'
import type { Milliseconds } from '#lib/clock.ts'
import type { Query } from '../query.ts'
import type { Answer } from '../verdict.ts'
import type { ResourceRecord } from '../wire/record.ts'
import type { CacheType } from './lifetime.ts'

export interface CachedAnswer {
  readonly answer: Answer
  readonly type: CacheType
  /** An upstream's failure, not its word. */
  readonly failure: boolean
  /** On the monotonic clock. */
  readonly stored: Milliseconds
  /** From `stored`. */
  readonly lifetime: Milliseconds
  /** Queries without a long gap between them, for prefetch. */
  hits: number
  lastHit: Milliseconds
}

export interface StoreOptions {
  /** Entries. */
  readonly capacity: Readonly<Record<CacheType, number>>
}

export class AnswerStore {
  readonly #rooms: Readonly<Record<CacheType, LRUCache<string, CachedAnswer>>>
  /** Told of entries that had to give way. Set by the plugin that owns the store now. */
  onEvict: (type: CacheType) => void = () => {}

  constructor({ capacity }: StoreOptions) {
    const room = (type: CacheType) =>
      new LRUCache<string, CachedAnswer>({
        max: capacity[type],
        dispose: (_value, _key, reason) => {
          if (reason === 'evict') this.onEvict(type)
        },
      })
    this.#rooms = { success: room('success'), denial: room('denial') }
  }

  get(type: CacheType, key: string): CachedAnswer | undefined {
    return this.#rooms[type].get(key)
  }

  /** What is known of a question is either a success or a denial; a failure proves neither, so it displaces nothing. */
  set(key: string, entry: CachedAnswer): void {
    if (entry.type === 'success') this.#rooms.denial.delete(key)
    else if (!entry.failure) this.#rooms.success.delete(key)
    this.#rooms[entry.type].set(key, { ...entry, answer: withOwnData(entry.answer) })
  }

  size(type: CacheType): number {
    return this.#rooms[type].size
  }
}

/**
 * The answer with its RDATA in memory of its own. Small buffers are slices of a slab that they share (`Buffer.poolSize`,
 * 8 KiB), and four bytes of an address that are kept for an hour would keep the whole slab.
 */
const withOwnData = (answer: Answer): Answer => {
  const sections = [answer.answers, answer.authority, answer.additional]
  const size = sections.flat().reduce((sum, { data }) => sum + data.length, 0)
  const memory = Buffer.allocUnsafeSlow(size)
  let end = 0
  const copied = (records: readonly ResourceRecord[]) =>
    records.map(record => {
      const start = end
      end += record.data.copy(memory, start)
      return { ...record, data: memory.subarray(start, end) }
    })
  return {
    ...answer,
    answers: copied(answer.answers),
    authority: copied(answer.authority),
    additional: copied(answer.additional),
  }
}

/** DO and CD change what an upstream says (RFC 4035 §3.2), so they are part of the question. */
export const cacheKey = ({ question, edns, checkingDisabled }: Query): string => {
  const bits = (edns?.dnssecOk ? 1 : 0) + (checkingDisabled ? 2 : 0)
  return `${question.type} ${bits} ${question.canonicalName}`
}
