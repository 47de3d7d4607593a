/** Parts of an expression whose types are known. */
import type { Query } from '../query.ts'
import { EvaluationError, ExpressionError, type Place } from './expression-error.ts'

/** What an expression is about. */
export interface Subject {
  readonly query: Query
  /** What the block's plugins know of the question. */
  readonly metadata: () => ReadonlyMap<string, string>
  /** Of what a pattern found in the name, by number or name; `''`: nothing. Of `template` alone. */
  readonly group?: (name: string) => string
  /** What was worked out before. Of `template` alone. */
  readonly variables?: ReadonlyMap<string, Value>
}

export type Scalar = string | number | boolean
/** Lists have no lists in them. */
export type Value = Scalar | readonly Scalar[]

export type ScalarType = 'string' | 'number' | 'boolean'
export type Type = ScalarType | 'list'

interface Of<Result> {
  /** @throws EvaluationError where the question's values do not do */
  readonly of: (subject: Subject) => Result
}

/** What is known of a string before any question comes: the values that it may have. */
interface Known {
  readonly among?: readonly string[] | undefined
}

export type Typed = { readonly place: Place } & (
  | ({ readonly type: 'string' } & Of<string> & Known)
  | ({ readonly type: 'number' } & Of<number>)
  | ({ readonly type: 'boolean' } & Of<boolean>)
  /** `items`: the type of its elements; undefined: there are none. `among`: of strings. */
  | ({ readonly type: 'list'; readonly items: ScalarType | undefined } & Of<readonly Scalar[]> & Known)
)
export type TypedString = Extract<Typed, { readonly type: 'string' }>
export type TypedNumber = Extract<Typed, { readonly type: 'number' }>
export type TypedBoolean = Extract<Typed, { readonly type: 'boolean' }>
export type TypedList = Extract<Typed, { readonly type: 'list' }>

export const wrongType = ({ place, type }: Typed, who: string, wanted: Type): ExpressionError =>
  new ExpressionError(place, `${who} wants a ${wanted}, and this is a ${type}`)

export const stringOf = (typed: Typed, who: string): TypedString => {
  if (typed.type !== 'string') throw wrongType(typed, who, 'string')
  return typed
}
export const numberOf = (typed: Typed, who: string): TypedNumber => {
  if (typed.type !== 'number') throw wrongType(typed, who, 'number')
  return typed
}
export const booleanOf = (typed: Typed, who: string): TypedBoolean => {
  if (typed.type !== 'boolean') throw wrongType(typed, who, 'boolean')
  return typed
}
export const listOf = (typed: Typed, who: string): TypedList => {
  if (typed.type !== 'list') throw wrongType(typed, who, 'list')
  return typed
}

export const scalarOf = (typed: Typed, who: string): Exclude<Typed, TypedList> => {
  if (typed.type === 'list') throw new ExpressionError(typed.place, `${who} wants no list`)
  return typed
}

/** A value of a type that is known only when the program runs; `among` of strings. */
export const typedAs = (
  place: Place,
  type: ScalarType,
  of: (subject: Subject) => Scalar,
  among?: readonly string[],
): Typed => {
  switch (type) {
    case 'string':
      return { place, type, of: of as (subject: Subject) => string, among }
    case 'number':
      return { place, type, of: of as (subject: Subject) => number }
    case 'boolean':
      return { place, type, of: of as (subject: Subject) => boolean }
  }
}

/** Beyond, a number is not the one that was meant. */
export const checkedNumber = (value: number, what: string): number => {
  if (Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value
  throw new EvaluationError(`${what}: no number up to 2⁵³`)
}

export const wholeNumber = (value: number, what: string): number => {
  if (Number.isSafeInteger(value)) return value
  throw new EvaluationError(`${what}: ${value} is no whole number`)
}

/** No name is longer than 255 bytes, no record than this. */
export const LONGEST_STRING = 65_535
