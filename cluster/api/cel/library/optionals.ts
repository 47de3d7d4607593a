/** Values that may be absent. `optMap` and its like are the checker's, since they bind a variable. */
import { type CelFunction, globalFunction, method } from '../function.ts'
import { BOOL, listOf, optionalOf, parameter } from '../type.ts'
import { CelError, type CelValue, Dictionary, NONE, OptionalValue, Unsigned } from '../value.ts'

const T = parameter('T')

const isZero = (value: CelValue): boolean => {
  if (value instanceof Dictionary) return value.size === 0
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0
  if (value instanceof Unsigned) return value.value === 0n
  return value === null || value === false || value === 0n || value === 0 || value === ''
}

const present = (optional: CelValue | undefined): CelValue => {
  const { value } = optional as OptionalValue
  if (value === undefined) throw new CelError('optional.none() dereference')
  return value
}

export const OPTIONALS: readonly CelFunction[] = [
  globalFunction('optional.none', [], optionalOf(T), () => NONE),
  globalFunction('optional.of', [T], optionalOf(T), ([value]) => new OptionalValue(value!)),
  globalFunction('optional.ofNonZeroValue', [T], optionalOf(T), ([value]) => {
    return isZero(value!) ? NONE : new OptionalValue(value!)
  }),
  method('hasValue', [optionalOf(T)], BOOL, ([optional]) => (optional as OptionalValue).value !== undefined),
  method('value', [optionalOf(T)], T, ([optional]) => present(optional)),
  method('or', [optionalOf(T), optionalOf(T)], optionalOf(T), ([optional, other]) => {
    return (optional as OptionalValue).value === undefined ? other! : optional!
  }),
  method('orValue', [optionalOf(T), T], T, ([optional, other]) => (optional as OptionalValue).value ?? other!),
  globalFunction('optional.unwrap', [listOf(optionalOf(T))], listOf(T), ([list]) => {
    return (list as readonly OptionalValue[]).flatMap(({ value }) => (value === undefined ? [] : [value]))
  }),
  method('unwrapOpt', [listOf(optionalOf(T))], listOf(T), ([list]) => {
    return (list as readonly OptionalValue[]).flatMap(({ value }) => (value === undefined ? [] : [value]))
  }),
]
