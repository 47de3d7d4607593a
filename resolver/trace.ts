/** How an answer came about, told by those who made it. `query.trace?.add(…)` costs nothing when nobody listens. */
import type { Clock, Milliseconds } from '#lib/clock.ts'

export interface TraceStep {
  /** The plugin or room that speaks. */
  readonly who: string
  /** Constant text, present tense: `service found`, `upstream asked`, `negative answer from cache`. */
  readonly what: string
  readonly fields: Readonly<Record<string, unknown>>
  /** Since the trace began. */
  readonly at: Milliseconds
}

export class Trace {
  readonly steps: TraceStep[] = []
  readonly #clock: Clock
  readonly #began: Milliseconds

  constructor(clock: Clock) {
    this.#clock = clock
    this.#began = clock.monotonic()
  }

  add(who: string, what: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.steps.push({ who, what, fields, at: this.#clock.monotonic() - this.#began })
  }
}
