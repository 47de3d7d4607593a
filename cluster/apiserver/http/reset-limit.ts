/**
 * Bounds the requests that a client takes back before they are answered: they cost the server work, and leave the bound
 * on concurrent streams untouched (rapid reset, CVE-2023-44487). Watches that end are answered long before.
 */
import type { Clock, Milliseconds } from '#lib/clock.ts'

/** Many times what a client with time-outs of its own comes to. */
export const MAX_RESETS = 1_000
export const RESET_PERIOD: Milliseconds = 10_000

/** nghttp2's own bound, on resets of every kind; it ends the session with INTERNAL_ERROR, so it stands behind ours. */
export const NATIVE_RESET_LIMITS = { streamResetBurst: 10 * MAX_RESETS, streamResetRate: MAX_RESETS }

export class ResetLimit {
  readonly #clock: Clock
  #start: Milliseconds
  #count = 0

  constructor(clock: Clock) {
    this.#clock = clock
    this.#start = clock.monotonic()
  }

  /** Counts one more; `exceeded` is said once a period. */
  add(): 'within' | 'exceeded' {
    const now = this.#clock.monotonic()
    if (now - this.#start >= RESET_PERIOD) {
      this.#start = now
      this.#count = 0
    }
    this.#count++
    return this.#count === MAX_RESETS + 1 ? 'exceeded' : 'within'
  }
}
