/** Which of two values comes first: numbers, texts, bytes, times and durations have an order. */
import { compareNumbers } from './equality.ts'
import { CelError, type CelValue, Duration, Timestamp, Unsigned } from './value.ts'

/** Below, equal or above zero. Throws CelError for what has no order. */
export const order = (a: CelValue, b: CelValue): number => {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  const isTime = (value: CelValue) => value instanceof Timestamp || value instanceof Duration
  if (isTime(a) && isTime(b)) return compareNumbers((a as Duration).nanoseconds, (b as Duration).nanoseconds)
  const isNumber = (value: CelValue) => ['bigint', 'number'].includes(typeof value) || value instanceof Unsigned
  if (isNumber(a) && isNumber(b)) return compareNumbers(a as bigint, b as bigint)
  throw new CelError('no such overload')
}
