import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'

export interface SilenceOptions {
  readonly clock: Clock
  /** How long nothing must be heard. */
  readonly silence: Milliseconds
  /** From the first sound on, it ends after this long whatever is heard. Default: never. */
  readonly atMost?: Milliseconds
  readonly onEnd: () => void
}

/** Waits for silence, from the first sound on. One timer for many sounds: it looks how long ago the last one was. */
export class SilenceTimer {
  readonly #options: SilenceOptions
  #end = Number.POSITIVE_INFINITY
  #lastHeard: Milliseconds = 0
  #timer: Timer | undefined
  #over = false

  constructor(options: SilenceOptions) {
    this.#options = options
  }

  heard(): void {
    if (this.#over) return
    const { clock, atMost = Number.POSITIVE_INFINITY } = this.#options
    this.#lastHeard = clock.monotonic()
    if (this.#timer) return
    this.#end = this.#lastHeard + atMost
    this.#look()
  }

  /** It will not end any more. Idempotent. */
  stop(): void {
    this.#over = true
    this.#timer?.cancel()
  }

  #look(): void {
    const { clock, silence, onEnd } = this.#options
    const left = Math.min(this.#lastHeard + silence, this.#end) - clock.monotonic()
    if (left > 0) {
      this.#timer = clock.after(left, () => this.#look())
      return
    }
    this.#over = true
    onEnd()
  }
}
