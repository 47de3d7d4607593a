/**
 * The expressions of `view` and `template`: expr-lang, the language that CoreDNS has them in, but for maps, dates, nil and
 * what is made of those. They are read and their types checked once, with the Corefile; what comes out asks a question, in
 * bounded time and memory (patterns are RE2).
 */
import { accepted, type Result, refused } from '#lib/result.ts'
import { beginSpending } from './budget.ts'
import { compile } from './compile.ts'
import { EvaluationError, ExpressionError } from './expression-error.ts'
import type { Functions } from './function.ts'
import { expressionFunctions } from './functions.ts'
import { type Node, parseExpression, reservedWords } from './parse.ts'
import { predicateFunctions } from './predicates.ts'
import type { Subject, Typed, Value } from './typed.ts'

export interface Expression {
  readonly typed: Typed
  /** The names of the functions that it calls. */
  readonly calls: ReadonlySet<string>
  /** Its value, or why it has none for this question, in words. */
  readonly evaluate: (subject: Subject) => Result<Value, string>
}

/** An expression that is true or false. */
export interface Condition extends Expression {
  /** False where it has no value, as in CoreDNS. */
  readonly holds: (subject: Subject) => boolean
}

/** What its names mean besides what they mean everywhere. */
export interface Names {
  readonly functions?: Functions
  readonly variables?: ReadonlyMap<string, Typed>
}

/** Long enough for every purpose; evaluation recurses along a chain of operators. In characters. */
export const MAXIMUM_LENGTH = 4096

/** A problem names the column and the text there. */
export const readExpression = (text: string, names: Names = {}): Result<Expression, string> => {
  if (text.length > MAXIMUM_LENGTH) return refused(`the expression is longer than ${MAXIMUM_LENGTH} characters`)
  try {
    const node = parseExpression(text)
    const functions = names.functions ? new Map([...expressionFunctions, ...names.functions]) : expressionFunctions
    const typed = compile(node, { functions, variables: names.variables ?? new Map() })
    return accepted({ typed, calls: new Set(callsOf(node)), evaluate: subject => evaluate(typed, subject) })
  } catch (error) {
    if (error instanceof ExpressionError) return refused(error.message)
    throw error
  }
}

/** The same, of an expression that must be a boolean. */
export const readCondition = (text: string, names?: Names): Result<Condition, string> => {
  const read = readExpression(text, names)
  if (!read.ok) return read
  const { place, type } = read.value.typed
  if (type !== 'boolean')
    return refused(new ExpressionError(place, `the expression wants a boolean, and this is a ${type}`).message)
  const { evaluate: ask } = read.value
  const holds = (subject: Subject): boolean => {
    const value = ask(subject)
    return value.ok && value.value === true
  }
  return accepted({ ...read.value, holds })
}

/** Whether a variable may have the name: it is an identifier that means nothing else. */
export const isFreeName = (name: string, functions?: Functions): boolean =>
  /^[A-Za-z_]\w*$/.test(name) &&
  !reservedWords.has(name) &&
  !predicateFunctions.has(name) &&
  !expressionFunctions.has(name) &&
  !functions?.has(name)

const evaluate = ({ of }: Typed, subject: Subject): Result<Value, string> => {
  beginSpending()
  try {
    return accepted(of(subject))
  } catch (error) {
    if (error instanceof EvaluationError) return refused(error.message)
    throw error
  }
}

const callsOf = (node: Node): string[] => {
  const own = node.kind === 'call' ? [node.place.text] : []
  return [...own, ...partsOf(node).flatMap(callsOf)]
}

const partsOf = (node: Node): readonly Node[] => {
  switch (node.kind) {
    case 'literal':
    case 'variable':
    case 'element':
      return []
    case 'list':
      return node.items
    case 'call':
      return node.arguments
    case 'not':
    case 'minus':
      return [node.operand]
    case 'binary':
      return [node.left, node.right]
    case 'choice':
      return [node.condition, node.then, node.otherwise]
    case 'index':
      return [node.of, node.at]
    case 'slice':
      return [node.of, node.from, node.to].filter(part => part !== undefined)
  }
}
