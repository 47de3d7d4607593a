import type { HitListener } from '#resolver/memo.ts'
import { PROFILES } from './control-block.ts'

/** Numbers for those who are told of hits. */
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
