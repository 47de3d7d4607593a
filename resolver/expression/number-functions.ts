/** expr-lang's functions of numbers. They are Go's int and float64 in one: whole up to 2⁵³, and fractions. */
import { EvaluationError } from './expression-error.ts'
import type { ExpressionFunction, Functions, Parameter } from './function.ts'
import { checkedNumber, type Subject, scalarOf, type TypedNumber, wholeNumber, wrongType } from './typed.ts'

/** A number made of numbers. */
const numeric = (
  parameters: readonly Parameter[],
  reckon: (...values: readonly number[]) => number,
): ExpressionFunction => ({
  parameters,
  make: (place, values) => {
    const parts = values as readonly TypedNumber[]
    return {
      place,
      type: 'number',
      of: subject => checkedNumber(reckon(...parts.map(part => part.of(subject))), place.text),
    }
  },
})

/** Go's: on 64 bits with a sign. */
const bits = (reckon: (value: bigint, by: bigint) => bigint): ExpressionFunction =>
  numeric(['NUMBER', 'BITS'], (value, by) => {
    const [left, right] = [wholeNumber(value, 'bits'), wholeNumber(by, 'bits')]
    return Number(BigInt.asIntN(64, reckon(BigInt(left), BigInt(right))))
  })

const shift = (by: bigint): bigint => {
  if (by < 0n || by > 63n) throw new EvaluationError(`a shift by ${by} bits`)
  return by
}

const toNumber = (parse: (value: string | number) => number): ExpressionFunction => ({
  parameters: ['VALUE'],
  make: (place, [value]) => {
    const { type, of } = scalarOf(value!, place.text)
    if (type === 'boolean') throw wrongType(value!, place.text, 'number')
    const read = of as (subject: Subject) => string | number
    return { place, type: 'number', of: subject => checkedNumber(parse(read(subject)), place.text) }
  },
})

const integerOf = (value: string | number): number => {
  if (typeof value === 'number') return Math.trunc(value)
  if (/^[+-]?\d+$/.test(value)) return Number(value)
  throw new EvaluationError(`int: "${value}" is no whole number`)
}

const floatOf = (value: string | number): number => {
  if (typeof value === 'number') return value
  if (/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(value)) return Number(value)
  throw new EvaluationError(`float: "${value}" is no number`)
}

/** Go's: halves away from zero. */
const roundOf = (value: number): number => Math.sign(value) * Math.round(Math.abs(value))

const shown: ExpressionFunction = {
  parameters: ['VALUE'],
  make: (place, [value]) => {
    const { of } = scalarOf(value!, place.text)
    return { place, type: 'string', of: subject => String(of(subject)) }
  },
}

export const numberFunctions: Functions = new Map<string, ExpressionFunction>([
  ['int', toNumber(integerOf)],
  ['float', toNumber(floatOf)],
  ['string', shown],
  ['abs', numeric(['NUMBER'], Math.abs)],
  ['ceil', numeric(['NUMBER'], Math.ceil)],
  ['floor', numeric(['NUMBER'], Math.floor)],
  ['round', numeric(['NUMBER'], value => roundOf(value!))],
  ['bitand', bits((value, by) => value & by)],
  ['bitor', bits((value, by) => value | by)],
  ['bitxor', bits((value, by) => value ^ by)],
  ['bitshl', bits((value, by) => value << shift(by))],
  ['bitshr', bits((value, by) => value >> shift(by))],
])
