/**
 * The expressions of `view`: a part of expr-lang, the language that CoreDNS has them in. They are read and their types
 * checked once, with the Corefile; what comes out asks a question, never throws, and takes time in proportion to the
 * question's size (patterns are RE2). What is left out (arithmetic, closures, `?:`) is a problem in words.
 */
import { RE2JS } from 're2js'
import { accepted, type Result, refused } from '#lib/result.ts'
import { suggestion } from '../corefile/nearest.ts'
import { ExpressionError, type Place } from './expression-error.ts'
import { type Subject, type Type, type Typed, type TypedString, viewFunctions } from './functions.ts'
import {
  type Comparison,
  comparisons,
  type Node,
  type Operator,
  parseExpression,
  type StringOperator,
} from './parse.ts'

export interface Expression {
  readonly holds: (subject: Subject) => boolean
  /** Whether it asks for metadata. */
  readonly usesMetadata: boolean
}

/** Long enough for every purpose; evaluation recurses along a chain of operators. In characters. */
export const MAXIMUM_LENGTH = 4096

/** A problem names the column and the text there. */
export const readExpression = (text: string): Result<Expression, string> => {
  if (text.length > MAXIMUM_LENGTH) return refused(`the expression is longer than ${MAXIMUM_LENGTH} characters`)
  try {
    const node = parseExpression(text)
    return accepted({ holds: compileBoolean(node, 'the expression'), usesMetadata: callsMetadata(node) })
  } catch (error) {
    if (error instanceof ExpressionError) return refused(error.message)
    throw error
  }
}

const callsMetadata = (node: Node): boolean => {
  switch (node.kind) {
    case 'literal':
      return false
    case 'list':
      return node.items.some(callsMetadata)
    case 'call':
      return node.place.text === 'metadata' || node.arguments.some(callsMetadata)
    case 'not':
      return callsMetadata(node.operand)
    case 'binary':
      return callsMetadata(node.left) || callsMetadata(node.right)
  }
}

const compile = (node: Node): Typed => {
  switch (node.kind) {
    case 'literal':
      return compileLiteral(node.place, node.value)
    case 'list':
      throw new ExpressionError(node.place, 'a list stands only on the right of "in"')
    case 'call':
      return compileCall(node.place, node.arguments)
    case 'not': {
      const operand = compileBoolean(node.operand, `"${node.place.text}"`)
      return { place: node.place, type: 'boolean', of: subject => !operand(subject) }
    }
    case 'binary':
      return { place: node.place, type: 'boolean', of: compileBinary(node.operator, node) }
  }
}

const compileLiteral = (place: Place, value: string | number | boolean): Typed => {
  if (typeof value === 'string') return { place, type: 'string', of: () => value, literal: value }
  if (typeof value === 'number') return { place, type: 'number', of: () => value }
  return { place, type: 'boolean', of: () => value }
}

const compileCall = (place: Place, nodes: readonly Node[]): Typed => {
  const called = viewFunctions.get(place.text)
  if (!called) throw new ExpressionError(place, `unknown function${suggestion(place.text, viewFunctions.keys())}`)
  if (nodes.length !== called.parameters.length)
    throw new ExpressionError(place, `is written ${place.text}(${called.parameters.join(', ')})`)
  return called.make(
    place,
    nodes.map(node => compileString(node, place.text)),
  )
}

const wrongType = ({ place, type }: Typed, who: string, wanted: Type): ExpressionError =>
  new ExpressionError(place, `${who} wants a ${wanted}, and this is a ${type}`)

const compileBoolean = (node: Node, who: string): ((subject: Subject) => boolean) => {
  const typed = compile(node)
  if (typed.type !== 'boolean') throw wrongType(typed, who, 'boolean')
  return typed.of
}

const compileString = (node: Node, who: string): TypedString => {
  const typed = compile(node)
  if (typed.type !== 'string') throw wrongType(typed, who, 'string')
  return typed
}

interface Sides {
  readonly left: Node
  readonly right: Node
}

const compileBinary = (operator: Operator, { left, right }: Sides): ((subject: Subject) => boolean) => {
  if (operator === 'or' || operator === 'and') {
    const first = compileBoolean(left, `"${operator}"`)
    const second = compileBoolean(right, `"${operator}"`)
    return operator === 'or'
      ? subject => first(subject) || second(subject)
      : subject => first(subject) && second(subject)
  }
  if (operator === 'in') return compileIn(compile(left), right)
  if (operator === 'not in') {
    const isIn = compileIn(compile(left), right)
    return subject => !isIn(subject)
  }
  if (isComparison(operator)) return compileComparison(operator, compile(left), compile(right))
  return compileStringOperator(operator, compileString(left, `"${operator}"`), compileString(right, `"${operator}"`))
}

const isComparison = (operator: Operator): operator is Comparison => comparisons.some(known => known === operator)

const compileIn = (left: Typed, list: Node): ((subject: Subject) => boolean) => {
  if (list.kind !== 'list') throw new ExpressionError(list.place, "\"in\" wants a list (like ['A', 'AAAA'])")
  const items = list.items.map(compile)
  const stranger = items.find(({ type }) => type !== left.type)
  if (stranger) throw wrongType(stranger, `"in" after ${left.place.text}`, left.type)
  return subject => {
    const value = left.of(subject)
    return items.some(item => item.of(subject) === value)
  }
}

const compileComparison = (operator: Comparison, left: Typed, right: Typed): ((subject: Subject) => boolean) => {
  if (left.type !== right.type) throw wrongType(right, `"${operator}" after ${left.place.text}`, left.type)
  if (operator === '==') return subject => left.of(subject) === right.of(subject)
  if (operator === '!=') return subject => left.of(subject) !== right.of(subject)
  if (left.type === 'boolean') throw new ExpressionError(left.place, `"${operator}" wants numbers or strings`)
  switch (operator) {
    case '<':
      return subject => left.of(subject) < right.of(subject)
    case '<=':
      return subject => left.of(subject) <= right.of(subject)
    case '>':
      return subject => left.of(subject) > right.of(subject)
    case '>=':
      return subject => left.of(subject) >= right.of(subject)
  }
}

const compileStringOperator = (
  operator: StringOperator,
  left: TypedString,
  right: TypedString,
): ((subject: Subject) => boolean) => {
  switch (operator) {
    case 'contains':
      return subject => left.of(subject).includes(right.of(subject))
    case 'startsWith':
      return subject => left.of(subject).startsWith(right.of(subject))
    case 'endsWith':
      return subject => left.of(subject).endsWith(right.of(subject))
    case 'matches': {
      const pattern = compilePattern(right)
      return subject => pattern.matcher(left.of(subject)).find()
    }
  }
}

const compilePattern = ({ place, literal }: TypedString): RE2JS => {
  if (literal === undefined) throw new ExpressionError(place, '"matches" wants its pattern in quotes')
  try {
    return RE2JS.compile(literal)
  } catch (error) {
    throw new ExpressionError(place, `is no regular expression: ${error instanceof Error ? error.message : error}`)
  }
}
