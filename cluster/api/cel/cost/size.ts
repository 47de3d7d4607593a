/** Sizes that a value may have, from and to: 64-bit integers without a sign that stop at the end, as cel-go counts them. */

export interface Size {
  readonly min: number
  readonly max: number
}

/** Where counting stops. Beyond 2 ** 53 numbers are not exact, and far beyond every limit. */
export const MOST = 2 ** 64

export const UNKNOWN: Size = { min: 0, max: MOST }
export const fixed = (size: number): Size => ({ min: size, max: size })

const capped = (value: number): number => Math.min(value, MOST)

export const plus = (a: Size, b: Size): Size => ({ min: capped(a.min + b.min), max: capped(a.max + b.max) })
export const times = (a: Size, b: Size): Size => ({ min: capped(a.min * b.min), max: capped(a.max * b.max) })
/** What holds both. */
export const either = (a: Size, b: Size): Size => ({ min: Math.min(a.min, b.min), max: Math.max(a.max, b.max) })

/** A cost of so much for each of `count`. */
export const scaled = (count: number, factor: number): number => capped(Math.ceil(count * factor))
export const sum = (...costs: readonly number[]): number => capped(costs.reduce((total, cost) => total + cost, 0))
export const product = (a: number, b: number): number => capped(a * b)
