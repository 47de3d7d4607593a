/**
 * The keys that are counted most, in bounded memory, whatever clients send (Space-Saving, Metwally et al. 2005, in
 * batches): up to twice `capacity` keys are held, and when they are full the lesser half goes. A key that comes later
 * starts from the greatest count that went.
 *
 * Promised: no key that makes up more than 1/`capacity` of all counts is missing; a count is too high by at most `error`
 * and never too low. Counting is a map lookup; making room costs O(log capacity) a new key.
 */
export interface Hitter {
  readonly key: string
  count: number
  /** By how much `count` may be too high. */
  readonly error: number
}

export class HeavyHitters<Entry extends Hitter> {
  readonly #capacity: number
  readonly #make: (hitter: Hitter) => Entry
  readonly #entries = new Map<string, Entry>()
  /** The greatest count that went. */
  #gone = 0

  /** `make` adds what else is kept of a key. */
  constructor(capacity: number, make: (hitter: Hitter) => Entry) {
    this.#capacity = capacity
    this.#make = make
  }

  /** Counts `key` so many times more. */
  count(key: string, times = 1): Entry {
    const known = this.#entries.get(key)
    if (known) {
      known.count += times
      return known
    }
    if (this.#entries.size >= 2 * this.#capacity) this.#makeRoom()
    const made = this.#make({ key, count: this.#gone + times, error: this.#gone })
    this.#entries.set(key, made)
    return made
  }

  /** At most `limit` (and `capacity`) entries, those with the greatest counts first. */
  top(limit = this.#capacity): readonly Entry[] {
    return this.#sorted().slice(0, Math.min(limit, this.#capacity))
  }

  clear(): void {
    this.#entries.clear()
    this.#gone = 0
  }

  #sorted(): Entry[] {
    return [...this.#entries.values()].sort((one, other) => other.count - one.count)
  }

  /** By the counts alone: of a flood of new keys, for whose sake it happens most, nothing is made or sorted but numbers. */
  #makeRoom(): void {
    const counts = Float64Array.from(this.#entries.values(), ({ count }) => count).sort()
    const gone = counts[counts.length - this.#capacity - 1]!
    // Of those that are alike, some have to go.
    let alike = this.#capacity - (counts.length - 1 - counts.lastIndexOf(gone))
    for (const { key, count } of this.#entries.values())
      if (count < gone || (count === gone && --alike < 0)) this.#entries.delete(key)
    this.#gone = gone
  }
}
