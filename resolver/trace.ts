/** How an answer came about, told by those who made it. `query.trace?.add(…)` costs nothing when nobody listens. */
export interface TraceStep {
  /** The plugin or room that speaks. */
  readonly who: string
  /** Constant text, present tense: `service found`, `upstream asked`, `negative answer from cache`. */
  readonly what: string
  readonly fields: Readonly<Record<string, unknown>>
}

export class Trace {
  readonly steps: TraceStep[] = []

  add(who: string, what: string, fields: Readonly<Record<string, unknown>> = {}): void {
    this.steps.push({ who, what, fields })
  }
}
