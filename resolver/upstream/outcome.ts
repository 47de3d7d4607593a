/**
 * Told what becomes of a question, once, by one of the two. Not a promise: a question to another server passes through
 * four hands, and what each of them would make for it is most of the garbage that it leaves.
 */
export interface Outcome<Value> {
  readonly replied: (value: Value) => void
  readonly failed: (error: unknown) => void
}

/** The same as a promise, for those who ask seldom. */
export const promised = <Value>(ask: (outcome: Outcome<Value>) => void): Promise<Value> =>
  new Promise((replied, failed) => ask({ replied, failed }))
