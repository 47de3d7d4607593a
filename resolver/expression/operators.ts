/** What the operators do, once the types of both sides are known. */
import { compilePattern } from '../corefile/pattern.ts'
import { spend, spendLength } from './budget.ts'
import { EvaluationError, ExpressionError, type Place } from './expression-error.ts'
import type { Arithmetic, Comparison, StringOperator } from './parse.ts'
import {
  booleanOf,
  checkedNumber,
  LONGEST_STRING,
  listOf,
  numberOf,
  type Scalar,
  type Subject,
  scalarOf,
  stringOf,
  type Typed,
  type TypedList,
  type TypedString,
  typedAs,
  wrongType,
} from './typed.ts'

type Holds = (subject: Subject) => boolean

export const logical = (operator: 'or' | 'and', left: Typed, right: Typed): Holds => {
  const { of: first } = booleanOf(left, `"${operator}"`)
  const { of: second } = booleanOf(right, `"${operator}"`)
  return operator === 'or' ? subject => first(subject) || second(subject) : subject => first(subject) && second(subject)
}

export const membership = (left: Typed, right: Typed): Holds => {
  if (right.type !== 'list') throw new ExpressionError(right.place, "\"in\" wants a list (like ['A', 'AAAA'])")
  const value = scalarOf(left, '"in"')
  if (right.items && right.items !== value.type)
    throw new ExpressionError(right.place, `"in" after ${left.place.text} wants a list of ${value.type}s`)
  return subject => spendLength(right.of(subject)).includes(value.of(subject))
}

export const comparison = (operator: Comparison, one: Typed, other: Typed): Holds => {
  const left = compared(one, operator)
  const right = compared(other, operator)
  if (left.type !== right.type) throw wrongType(right, `"${operator}" after ${left.place.text}`, left.type)
  if (operator === '==') return subject => left.of(subject) === right.of(subject)
  if (operator === '!=') return subject => left.of(subject) !== right.of(subject)
  if (left.type === 'boolean') throw new ExpressionError(left.place, `"${operator}" wants numbers or strings`)
  const less: readonly [of: (subject: Subject) => Scalar, (subject: Subject) => Scalar] = [left.of, right.of]
  const [first, second] = less
  switch (operator) {
    case '<':
      return subject => first(subject) < second(subject)
    case '<=':
      return subject => first(subject) <= second(subject)
    case '>':
      return subject => first(subject) > second(subject)
    case '>=':
      return subject => first(subject) >= second(subject)
  }
}

const compared = (typed: Typed, operator: Comparison): Exclude<Typed, TypedList> => {
  const scalar = scalarOf(typed, `"${operator}"`)
  return scalar.type === 'string' ? { ...scalar, of: subject => spendLength(scalar.of(subject)) } : scalar
}

export const textual = (operator: StringOperator, one: Typed, other: Typed): Holds => {
  const left = stringOf(one, `"${operator}"`)
  const right = stringOf(other, `"${operator}"`)
  switch (operator) {
    case 'contains':
      return subject => spendLength(left.of(subject)).includes(right.of(subject))
    case 'startsWith':
      return subject => spendLength(left.of(subject)).startsWith(right.of(subject))
    case 'endsWith':
      return subject => spendLength(left.of(subject)).endsWith(right.of(subject))
    case 'matches': {
      const find = patternsOf(right)
      return subject => {
        spend(MATCH)
        const text = spendLength(left.of(subject))
        return find(right.of(subject)).matcher(text).find()
      }
    }
  }
}

/** Steps that a pattern takes before it has looked at a character. */
const MATCH = 40

const patternsOf = ({ place, among }: TypedString) => {
  if (!among) throw new ExpressionError(place, '"matches" wants its pattern in quotes')
  const patterns = new Map(
    among.map(text => {
      const pattern = compilePattern(text)
      if (!pattern.ok) throw new ExpressionError(place, pattern.problem)
      return [text, pattern.value] as const
    }),
  )
  return (text: string) => patterns.get(text)!
}

/** `+` puts strings together, too. */
export const arithmetic = (place: Place, operator: Arithmetic, one: Typed, other: Typed): Typed => {
  if (operator === '+' && one.type === 'string') {
    const right = stringOf(other, '"+" after a string')
    return { place, type: 'string', of: subject => together(one.of(subject), right.of(subject)) }
  }
  const left = numberOf(one, `"${operator}"`)
  const right = numberOf(other, `"${operator}"`)
  const reckon = operations[operator]
  return {
    place,
    type: 'number',
    of: subject => checkedNumber(reckon(left.of(subject), right.of(subject)), `"${operator}"`),
  }
}

const together = (left: string, right: string): string => {
  if (left.length + right.length <= LONGEST_STRING) return spendLength(left + right)
  throw new EvaluationError(`"+": longer than ${LONGEST_STRING} characters`)
}

const divisor = (value: number): number => {
  if (value !== 0) return value
  throw new EvaluationError('a division by zero')
}

const operations: Readonly<Record<Arithmetic, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / divisor(right),
  '%': (left, right) => left % divisor(right),
  '**': (left, right) => left ** right,
}

/** `x[1]`; from the end: `x[-1]`. */
export const indexed = (place: Place, whole: Typed, at: Typed): Typed => {
  const { items, of, among } = listOf(whole, '"[…]"')
  const { of: index } = numberOf(at, '"[…]"')
  if (!items) throw new ExpressionError(place, 'an empty list has no element')
  const element = (subject: Subject): Scalar => {
    const list = of(subject)
    const position = index(subject)
    const found = Number.isSafeInteger(position) ? list.at(position) : undefined
    if (found === undefined) throw new EvaluationError(`a list of ${list.length} has no element ${position}`)
    return found
  }
  return typedAs(place, items, element, among)
}

/** `x[1:3]` of a list or a string; what lies outside is left out, as in expr-lang. */
export const sliced = (place: Place, whole: Typed, from: Typed | undefined, to: Typed | undefined): Typed => {
  const start = from && numberOf(from, '"[…:…]"').of
  const end = to && numberOf(to, '"[…:…]"').of
  const bounds = (subject: Subject) => [start?.(subject) ?? 0, end?.(subject)] as const
  if (whole.type === 'string')
    return { place, type: 'string', of: subject => spendLength(whole.of(subject)).slice(...bounds(subject)) }
  const list = listOf(whole, '"[…:…]"')
  return { ...list, place, of: subject => spendLength(list.of(subject)).slice(...bounds(subject)) }
}
