/** Rules for numbers that many kinds share, in Kubernetes's words. */
import { type FieldError, fieldInvalid } from './field-error.ts'
import { parseQuantity } from './quantity.ts'

/** An absent number is nobody's mistake. */
export const notNegative = (field: string, value: unknown): FieldError[] =>
  typeof value === 'number' && value < 0 ? [fieldInvalid(field, value, 'must be greater than or equal to 0')] : []

/** The same for several fields of one object. */
export const noneNegative = (object: object, at: string, names: readonly string[]): FieldError[] =>
  names.flatMap(name => notNegative(`${at}.${name}`, (object as Record<string, unknown>)[name]))

const PERCENT = /^[0-9]+%$/
const PERCENT_SYNTAX =
  "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"

export type IntOrString = number | string

/** A number of things, or a share of them. */
export const validateNumberOrPercent = (field: string, value: IntOrString): FieldError[] => {
  if (typeof value === 'number') return notNegative(field, value)
  return PERCENT.test(value) ? [] : [fieldInvalid(field, value, PERCENT_SYNTAX)]
}

const percentOf = (value: IntOrString): number | undefined =>
  typeof value === 'string' && PERCENT.test(value) ? Number(value.slice(0, -1)) : undefined

/** A share of more than all. */
export const notOverAll = (field: string, value: IntOrString): FieldError[] =>
  (percentOf(value) ?? 0) > 100 ? [fieldInvalid(field, value, 'must not be greater than 100%')] : []

export const isZero = (value: IntOrString): boolean => value === 0 || percentOf(value) === 0

/** A size of nothing, or less. `value`: a quantity. */
export const validatePositiveQuantity = (field: string, value: string): FieldError[] =>
  (parseQuantity(value)?.nano ?? 0n) > 0n ? [] : [fieldInvalid(field, value, 'must be greater than zero')]
