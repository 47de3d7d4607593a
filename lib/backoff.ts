import type { Milliseconds } from './clock.ts'
import type { Random } from './random.ts'

export interface BackoffOptions {
  /** The first delay. */
  readonly initial: Milliseconds
  /** No delay is longer. */
  readonly maximum: Milliseconds
  /** Growth from one delay to the next. Default 2. */
  readonly factor?: number
  readonly random: Random
}

/**
 * Delays between tries: exponential, with jitter over the upper half of each step, so that many clients that failed
 * together do not come back together, and no delay is ever close to zero.
 */
export class Backoff {
  readonly #options: BackoffOptions
  #step: Milliseconds

  constructor(options: BackoffOptions) {
    this.#options = options
    this.#step = options.initial
  }

  next(): Milliseconds {
    const { maximum, factor = 2, random } = this.#options
    const step = Math.min(this.#step, maximum)
    this.#step = Math.min(step * factor, maximum)
    return step / 2 + (random.unit() * step) / 2
  }

  /** After a success: the next failure waits `initial` again. */
  reset(): void {
    this.#step = this.#options.initial
  }
}
