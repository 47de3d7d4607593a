/**
 * What a template works out before its records are made: variables, each of which may use those before it, and conditions
 * that must hold. In the language of `view`'s expressions, which knows here what the pattern found as well.
 */
import { accepted, type Result, refused } from '#lib/result.ts'
import type { DirectiveReader } from '../corefile/directive-reader.ts'
import { suggestion } from '../corefile/nearest.ts'
import type { Property } from '../corefile/syntax.ts'
import {
  type Condition,
  type Expression,
  isFreeName,
  type Names,
  readCondition,
  readExpression,
} from '../expression/expression.ts'
import { ExpressionError } from '../expression/expression-error.ts'
import type { ExpressionFunction, Functions } from '../expression/function.ts'
import { messageFunctions } from '../expression/question-functions.ts'
import { readExpressionLine } from '../expression/read-line.ts'
import {
  type Scalar,
  type Subject,
  scalarOf,
  type Typed,
  type Value as Worked,
  wrongType,
} from '../expression/typed.ts'
import type { BlockContext } from '../plugin.ts'
import type { Query } from '../query.ts'
import type { Match } from './data.ts'
import type { Value } from './value.ts'

export interface Variable {
  readonly name: string
  readonly expression: Expression
}

export interface Workings {
  readonly variables: readonly Variable[]
  readonly conditions: readonly Condition[]
}

/** `groups`: those that the patterns name. */
export const readWorkings = (
  reader: DirectiveReader,
  lines: { readonly var: readonly Property[]; readonly expr: readonly Property[] },
  groups: readonly string[],
  block: BlockContext,
): Workings => {
  const functions: Functions = new Map([['group', groupFunction(groups)]])
  const known = new Map<string, Typed>()
  const names: Names = { functions, variables: known }
  const variables: Variable[] = []
  for (const { name, arguments: words } of lines.var) {
    const [called, ...rest] = words
    const problem = problemOfName(called!.text, known, functions)
    if (problem) {
      reader.refuse(called!, problem)
      continue
    }
    const expression = readExpressionLine(reader, { name, words: rest }, block, text => readExpression(text, names))
    if (!expression) continue
    variables.push({ name: called!.text, expression })
    known.set(called!.text, variableOf(called!.text, expression.typed))
  }
  const conditions = lines.expr.flatMap(
    ({ name, arguments: words }) =>
      readExpressionLine(reader, { name, words }, block, text => readCondition(text, names)) ?? [],
  )
  return { variables, conditions }
}

const problemOfName = (name: string, known: ReadonlyMap<string, unknown>, functions: Functions): string | undefined => {
  if (known.has(name)) return `there is a variable "${name}" already`
  return isFreeName(name, functions) ? undefined : `"${name}" is no name for a variable`
}

/** What was worked out for this question, with the type that it always has. */
const variableOf = (name: string, typed: Typed): Typed =>
  ({ ...typed, of: ({ variables }: Subject) => variables!.get(name)! }) as Typed

/** `group('host')`, `group(1)`: what the pattern found; `''` where there is nothing. */
const groupFunction = (groups: readonly string[]): ExpressionFunction => ({
  parameters: ['VALUE'],
  make: (place, [value]) => {
    const key = scalarOf(value!, 'group')
    if (key.type === 'boolean') throw wrongType(key, 'group', 'string')
    const among = key.type === 'string' ? (key.among ?? []) : []
    const unknown = among.find(group => !groups.includes(group) && !/^\d+$/.test(group))
    if (unknown !== undefined)
      throw new ExpressionError(key.place, `no pattern has a group "${unknown}"${suggestion(unknown, groups)}`)
    return { place, type: 'string', of: subject => subject.group!(String(key.of(subject))) }
  },
})

/** Whether it is the same for each question of this name, type and class. */
export const restsOnQuestion = ({ variables, conditions }: Workings): boolean =>
  [...variables.map(({ expression }) => expression), ...conditions].every(({ calls }) =>
    [...calls].every(name => !messageFunctions.has(name)),
  )

/** The variables for this question; undefined: a condition does not hold; a problem: there is no value. */
export const workOut = (
  { variables, conditions }: Workings,
  query: Query,
  { named }: Match,
): Result<ReadonlyMap<string, Worked> | undefined, string> => {
  const values = new Map<string, Worked>()
  const subject: Subject = {
    query,
    metadata: () => query.metadata ?? new Map(),
    group: name => named.get(name) ?? '',
    variables: values,
  }
  for (const { name, expression } of variables) {
    const value = expression.evaluate(subject)
    if (!value.ok) return refused(`var ${name}: ${value.problem}`)
    values.set(name, value.value)
  }
  for (const condition of conditions) {
    const holds = condition.evaluate(subject)
    if (!holds.ok) return refused(`expr: ${holds.problem}`)
    if (holds.value !== true) return accepted(undefined)
  }
  return accepted(values)
}

/** As templates have them. */
export const templateValues = (worked: ReadonlyMap<string, Worked>): ReadonlyMap<string, Value> =>
  new Map([...worked].map(([name, value]) => [name, templateValue(value)]))

const templateValue = (value: Worked): Value =>
  typeof value === 'object' ? value.map(item => scalarValue(item)) : scalarValue(value)

/** Templates have whole numbers alone: a fraction is the text that Go shows of it. */
const scalarValue = (value: Scalar): Value => {
  if (typeof value !== 'number') return value
  return Number.isSafeInteger(value) ? BigInt(value) : String(value)
}
