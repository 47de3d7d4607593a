/**
 * A hash table of numbers that stand for records kept elsewhere: four bytes a slot, no tombstones, several records of one
 * key. Numbers are at least 1 and fit into 32 bits.
 */

/** Of 32 bits. */
type Hash = number

const FULL = 0.8
const GROWTH = 1.3
const SMALLEST = 16

export class SlotIndex {
  readonly #hashOf: (value: number) => Hash
  /** Open addressing, linear probing; 0: free. */
  #slots = new Uint32Array(SMALLEST)
  #size = 0

  constructor(hashOf: (value: number) => Hash) {
    this.#hashOf = hashOf
  }

  get size(): number {
    return this.#size
  }

  get byteLength(): number {
    return this.#slots.byteLength
  }

  /** Calls `visit` for all that may have this hash, until it returns true; the value for which it did, 0: for none. */
  visit(hash: Hash, visit: (value: number) => boolean): number {
    const slots = this.#slots
    let at = this.#home(hash)
    while (slots[at] !== 0 && !visit(slots[at]!)) at = this.#after(at)
    return slots[at]!
  }

  insert(value: number): void {
    if (this.#size + 1 > this.#slots.length * FULL) this.#resize(Math.ceil(this.#slots.length * GROWTH))
    this.#put(value)
    this.#size++
  }

  /** `value` must be there. */
  delete(value: number): void {
    let hole = this.#find(value)
    const slots = this.#slots
    // What probed past the hole moves into it, so that no search ends too early.
    for (let at = this.#after(hole); slots[at] !== 0; at = this.#after(at)) {
      const home = this.#home(this.#hashOf(slots[at]!))
      const stays = hole <= at ? hole < home && home <= at : hole < home || home <= at
      if (stays) continue
      slots[hole] = slots[at]!
      hole = at
    }
    slots[hole] = 0
    this.#size--
    const { length } = slots
    if (length > SMALLEST && this.#size < length / 4) this.#resize(Math.max(SMALLEST, Math.ceil(length / 2)))
  }

  /** The record of `before` has become `after`; both have the same hash. */
  replace(before: number, after: number): void {
    this.#slots[this.#find(before)] = after
  }

  /** Once around the table at most: the caller knows that the value is in it. */
  #find(value: number): number {
    let at = this.#home(this.#hashOf(value))
    while (this.#slots[at] !== value) at = this.#after(at)
    return at
  }

  #put(value: number): void {
    let at = this.#home(this.#hashOf(value))
    while (this.#slots[at] !== 0) at = this.#after(at)
    this.#slots[at] = value
  }

  #resize(capacity: number): void {
    const before = this.#slots
    this.#slots = new Uint32Array(capacity)
    for (const value of before) {
      if (value !== 0) this.#put(value)
    }
  }

  /** By the upper bits, so that any capacity will do. */
  #home(hash: Hash): number {
    return Math.floor((hash / 2 ** 32) * this.#slots.length)
  }

  #after(at: number): number {
    return at + 1 === this.#slots.length ? 0 : at + 1
  }
}
