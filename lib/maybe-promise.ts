/** A promise only where something has to be waited for: what is known comes back at once. */
export type MaybePromise<Value> = Value | Promise<Value>

/** What `next` makes of the value: at once, where that is there. */
export const whenKnown = <Value, Result>(
  value: MaybePromise<Value>,
  next: (value: Value) => MaybePromise<Result>,
): MaybePromise<Result> => (value instanceof Promise ? value.then(next) : next(value))
