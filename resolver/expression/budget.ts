/**
 * What the evaluation of one expression may take, whatever a client asks: lists in lists' predicates multiply. One
 * expression is evaluated at a time, from the beginning to the end.
 */
import { EvaluationError } from './expression-error.ts'

/** Characters that are read or made, and elements that are asked about: some milliseconds where they are held against patterns. */
const MOST = 50_000

let left = MOST

export const beginSpending = (): void => {
  left = MOST
}

/** @throws EvaluationError where nothing is left */
export const spend = (amount: number): void => {
  left -= amount
  if (left < 0) throw new EvaluationError(`takes more than ${MOST} steps`)
}

/** The same value, whose length is spent. */
export const spendLength = <Value extends { readonly length: number }>(value: Value): Value => {
  spend(1 + value.length)
  return value
}
