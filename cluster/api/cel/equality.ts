/** When two values are the same: numbers by value whatever their type, lists that are sets or maps in any order. */
import {
  type CelValue,
  Dictionary,
  Duration,
  Foreign,
  meaningOf,
  OptionalValue,
  Timestamp,
  TypeName,
  Unsigned,
} from './value.ts'

/** Told of each comparison, so that large ones are paid for. */
export type Charge = (cost: number) => void

/** A comparison of two parts, in the unit of cost: cel-go charges a tenth a character. */
const PART_COST = 0.1

const isNumber = (value: CelValue): value is bigint | number | Unsigned =>
  typeof value === 'bigint' || typeof value === 'number' || value instanceof Unsigned

/** Below, equal or above zero as `a` is below, equal to or above `b`; NaN where they do not compare. */
export const compareNumbers = (a: bigint | number | Unsigned, b: bigint | number | Unsigned): number => {
  const left = a instanceof Unsigned ? a.value : a
  const right = b instanceof Unsigned ? b.value : b
  // A bigint and a number compare by their mathematical values.
  if (left < right) return -1
  if (left > right) return 1
  return Number.isNaN(left) || Number.isNaN(right) ? Number.NaN : 0
}

const equalBytes = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

const keysOf = (item: CelValue, keys: readonly string[]): readonly (CelValue | undefined)[] =>
  item instanceof Dictionary ? keys.map(key => item.get(key)) : []

/** Whether two items of a list that is a map have the same keys. */
export const sameItem = (a: CelValue, b: CelValue, keys: readonly string[], charge: Charge): boolean => {
  const theirs = keysOf(b, keys)
  return keysOf(a, keys).every((key, index) => {
    const other = theirs[index]
    return key === undefined || other === undefined ? key === other : isEqual(key, other, charge)
  })
}

const equalLists = (a: readonly CelValue[], b: readonly CelValue[], charge: Charge): boolean => {
  if (a.length !== b.length) return false
  if (meaningOf(a)) return a.every(item => b.some(other => isEqual(item, other, charge)))
  return a.every((item, index) => isEqual(item, b[index]!, charge))
}

const equalDictionaries = (a: Dictionary, b: Dictionary, charge: Charge): boolean =>
  a.size === b.size &&
  a.keys().every(key => {
    const [mine, theirs] = [a.get(key), b.get(key)]
    // Properties that the type does not have are none for either.
    return mine === undefined || theirs === undefined ? mine === theirs : isEqual(mine, theirs, charge)
  })

const equalOptionals = (a: OptionalValue, b: OptionalValue, charge: Charge): boolean =>
  a.value === undefined || b.value === undefined ? a.value === b.value : isEqual(a.value, b.value, charge)

export const isEqual = (a: CelValue, b: CelValue, charge: Charge): boolean => {
  charge(PART_COST)
  if (a === b) return true
  if (isNumber(a)) return isNumber(b) && compareNumbers(a, b) === 0
  if (Array.isArray(a)) return Array.isArray(b) && equalLists(a, b, charge)
  if (a instanceof Dictionary) return b instanceof Dictionary && equalDictionaries(a, b, charge)
  if (a instanceof Uint8Array) return b instanceof Uint8Array && equalBytes(a, b)
  if (a instanceof Timestamp) return b instanceof Timestamp && a.nanoseconds === b.nanoseconds
  if (a instanceof Duration) return b instanceof Duration && a.nanoseconds === b.nanoseconds
  if (a instanceof TypeName) return b instanceof TypeName && a.name === b.name
  if (a instanceof OptionalValue) return b instanceof OptionalValue && equalOptionals(a, b, charge)
  if (a instanceof Foreign) return b instanceof Foreign && a.typeName === b.typeName && a.equals(b)
  return false
}
