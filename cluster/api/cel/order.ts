/** Which of two values comes first: numbers, texts, bytes, times and durations have an order. */
import { traversal } from './cost/call-cost.ts'
import { type Charge, compareNumbers } from './equality.ts'
import { CelError, type CelValue, Duration, Timestamp, Unsigned } from './value.ts'

/** Characters: of shorter ones, a comparison costs what cel-go asks for the item. */
const LONG = 256

type Sized = { readonly length: number }

const pay = (a: Sized, b: Sized, charge: Charge): void => {
  const shorter = Math.min(a.length, b.length)
  if (shorter > LONG) charge(traversal(shorter))
}

/** By code points. Of the longer one no more is read than decides: half a pair behind the shorter one's end does no harm. */
const compareTexts = (a: string, b: string): number => {
  const end = Math.min(a.length, b.length) + 1
  return Buffer.compare(Buffer.from(a.slice(0, end)), Buffer.from(b.slice(0, end)))
}

/** Below, equal or above zero; long texts and bytes are paid for. Throws CelError for what has no order. */
export const order = (a: CelValue, b: CelValue, charge: Charge): number => {
  if (typeof a === 'string' && typeof b === 'string') {
    pay(a, b, charge)
    return compareTexts(a, b)
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    pay(a, b, charge)
    return Buffer.compare(a, b)
  }
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  const isTime = (value: CelValue) => value instanceof Timestamp || value instanceof Duration
  if (isTime(a) && isTime(b)) return compareNumbers((a as Duration).nanoseconds, (b as Duration).nanoseconds)
  const isNumber = (value: CelValue) => ['bigint', 'number'].includes(typeof value) || value instanceof Unsigned
  if (isNumber(a) && isNumber(b)) return compareNumbers(a as bigint, b as bigint)
  throw new CelError('no such overload')
}
