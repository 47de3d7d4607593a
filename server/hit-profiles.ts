/** Numbers for those who are told of hits, by which a memo counts: they fit in its entries, and in memory of threads. */
import type { HitListener } from '#resolver/memo.ts'

/** Kinds of hits that are counted apart; beyond that many, numbers are given anew. */
export const PROFILES = 16_384

export class HitProfiles {
  readonly #numbers = new Map<HitListener, number>()
  readonly #listeners: HitListener[] = []
  readonly #beforeReuse: () => void

  constructor(beforeReuse: () => void) {
    this.#beforeReuse = beforeReuse
  }

  of(listener: HitListener): number {
    const known = this.#numbers.get(listener)
    if (known !== undefined) return known
    if (this.#numbers.size === PROFILES) {
      this.#beforeReuse()
      this.#numbers.clear()
      this.#listeners.length = 0
    }
    this.#numbers.set(listener, this.#listeners.length)
    return this.#listeners.push(listener) - 1
  }

  listener(number: number): HitListener | undefined {
    return this.#listeners[number]
  }

  entries(): Iterable<[HitListener, number]> {
    return this.#numbers
  }
}
