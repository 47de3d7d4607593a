/** What is said about several rounds. */

/** Of values in rising order; `share` from 0 to 1. NaN: there are none. */
export const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

export interface Summary {
  readonly median: number
  readonly least: number
  readonly greatest: number
  /** How many rounds it is of. */
  readonly rounds: number
}

/** Undefined: no round has a value. The median of an even number is the mean of the two in the middle. */
export const summarise = (values: readonly (number | undefined)[]): Summary | undefined => {
  const sorted = values.filter(value => value !== undefined && Number.isFinite(value)).toSorted((a, b) => a! - b!)
  const known = sorted as readonly number[]
  const half = known.length / 2
  if (known.length === 0) return undefined
  return {
    median: (known[Math.ceil(half) - 1]! + known[Math.floor(half)]!) / 2,
    least: known[0]!,
    greatest: known.at(-1)!,
    rounds: known.length,
  }
}

/** Three digits that mean something: more than that these machines do not repeat. */
export const rounded = (value: number): number => Number(value.toPrecision(3))

/** `1.23 (1.2 to 1.31)`, the median with the least and the greatest. */
export const formatSummary = ({ median, least, greatest }: Summary): string =>
  `${rounded(median)} (${rounded(least)} to ${rounded(greatest)})`
