import type { Clock, Milliseconds, Timer } from './clock.ts'
import type { MaybePromise } from './maybe-promise.ts'

export interface RecurrenceOptions {
  readonly clock: Clock
  /** From the end of one time to the next; 0: never. */
  readonly interval: Milliseconds
  /** Must not throw or reject: what goes wrong is its own to tell, and the next time comes all the same. */
  readonly task: () => MaybePromise<void>
}

/** Something that is done again and again, never twice at once: looking whether a file has changed. */
export class Recurrence {
  readonly #options: RecurrenceOptions
  #timer: Timer | undefined
  #ended = false

  constructor(options: RecurrenceOptions) {
    this.#options = options
  }

  /** True from `end` on: a task that still runs then must not take over what it found. */
  get ended(): boolean {
    return this.#ended
  }

  /** The first time is after one interval. */
  begin(): void {
    const { clock, interval } = this.#options
    if (this.#ended || interval === 0) return
    this.#timer = clock.after(interval, () => void this.#run())
  }

  /** No further time begins. Idempotent. */
  end(): void {
    this.#ended = true
    this.#timer?.cancel()
  }

  async #run(): Promise<void> {
    await this.#options.task()
    this.begin()
  }
}
