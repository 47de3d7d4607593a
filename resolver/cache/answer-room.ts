/** What is kept by question, bounded in number and in bytes: what was not used for longest gives way. */
import { LRUCache } from 'lru-cache'
import type { PackedAnswer } from './packed-answer.ts'

export interface RoomOptions<Kept> {
  /** Entries. */
  readonly capacity: number
  readonly bytes: number
  /** Told of what had to give way, and its question. */
  readonly onEvict: (kept: Kept, key: string) => void
}

/**
 * What an entry takes in memory besides its key and message, bytes: the value, its numbers, and its places in the map and
 * the lists. Measured with 10,000 to 33,000 entries (Node 24): 293 to 309; the rest is for what a map and arrays that have
 * just grown hold in reserve.
 */
const ENTRY_OVERHEAD = 384

export class AnswerRoom<Kept extends { readonly packed: PackedAnswer | undefined }> {
  readonly #kept: LRUCache<string, Kept>
  readonly #capacity: number

  constructor({ capacity, bytes, onEvict }: RoomOptions<Kept>) {
    this.#capacity = capacity
    this.#kept = new LRUCache<string, Kept>({
      // Without `max`: it would have room made for all entries at the start, however few come.
      maxSize: bytes,
      sizeCalculation: bytesOf,
      dispose(kept, key, reason) {
        if (reason === 'evict') onEvict(kept, key)
      },
    })
  }

  get size(): number {
    return this.#kept.size
  }

  get bytes(): number {
    return this.#kept.calculatedSize
  }

  get(key: string): Kept | undefined {
    return this.#kept.size === 0 ? undefined : this.#kept.get(key)
  }

  set(key: string, kept: Kept): void {
    this.#kept.set(key, kept)
    if (this.#kept.size > this.#capacity) this.#kept.pop()
  }

  delete(key: string): void {
    if (this.#kept.size > 0) this.#kept.delete(key)
  }

  clear(): void {
    this.#kept.clear()
  }

  /** The last used first; what is set or deleted meanwhile may be missed. */
  values(): Iterable<Kept> {
    return this.#kept.values()
  }
}

/** Names are ASCII: a byte for a character. */
const bytesOf = ({ packed }: { readonly packed: PackedAnswer | undefined }, key: string): number =>
  ENTRY_OVERHEAD + key.length + (packed?.length ?? 0)
