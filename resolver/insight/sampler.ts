/**
 * Which of many to look at, so that each that is stands for those that were not: all of them, where few come; of many, one in
 * eight or so, at random, lest what comes in a rhythm be always missed or never.
 */
import type { Milliseconds } from '#lib/clock.ts'

/** In a second. */
export const MANY = 1000
const COUNTED: Milliseconds = 1000
/** A power of two: one to so many come between two that are looked at. */
const LONGEST = 16

export class Sampler {
  #since = Number.NEGATIVE_INFINITY
  #count = 0
  #areMany = false
  /** That no look stands for yet. */
  #unseen = 0
  #left = 0
  #state = 0x9e3779b9

  /** One more has come: for how many it stands if it is looked at; 0: it is not. `now`: on a monotonic scale. */
  weight(now: Milliseconds): number {
    this.#count++
    if (now - this.#since >= COUNTED) {
      this.#areMany = (1000 * this.#count) / (now - this.#since) > MANY
      this.#count = 0
      this.#since = now
    }
    this.#unseen++
    if (this.#areMany && --this.#left > 0) return 0
    this.#left = 1 + (this.#next() & (LONGEST - 1))
    const weight = this.#unseen
    this.#unseen = 0
    return weight
  }

  /** Marsaglia's xorshift: nobody gains by guessing it. */
  #next(): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return this.#state
  }
}
