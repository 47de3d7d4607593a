/** A tree made into a function of a question; its types are checked on the way. */
import { suggestion } from '../corefile/nearest.ts'
import { spendLength } from './budget.ts'
import { ExpressionError, type Place } from './expression-error.ts'
import { callFunction, type Functions } from './function.ts'
import { arithmetic, comparison, indexed, logical, membership, sliced, textual } from './operators.ts'
import {
  type Arithmetic,
  type Comparison,
  comparisons,
  type Node,
  type Operator,
  type StringOperator,
} from './parse.ts'
import { predicateFunctions } from './predicates.ts'
import { booleanOf, listOf, numberOf, type Scalar, type Typed, typedAs } from './typed.ts'

/** What the names in an expression mean. */
export interface Scope {
  readonly functions: Functions
  readonly variables: ReadonlyMap<string, Typed>
  /** What `#` is; undefined: there is none here. */
  readonly element?: Typed
}

/** Throws an `ExpressionError`. */
export const compile = (node: Node, scope: Scope): Typed => {
  const { place } = node
  switch (node.kind) {
    case 'literal':
      return compileLiteral(place, node.value)
    case 'list':
      return compileList(place, node.items, scope)
    case 'call':
      return compileCall(place, node.arguments, scope)
    case 'variable':
      return compileVariable(place, scope)
    case 'element':
      if (!scope.element) throw new ExpressionError(place, `stands only where a list's elements are asked (like "any")`)
      return { ...scope.element, place }
    case 'not': {
      const { of } = booleanOf(compile(node.operand, scope), `"${place.text}"`)
      return { place, type: 'boolean', of: subject => !of(subject) }
    }
    case 'minus': {
      const { of } = numberOf(compile(node.operand, scope), '"-"')
      return { place, type: 'number', of: subject => -of(subject) }
    }
    case 'binary':
      return compileBinary(place, node.operator, compile(node.left, scope), compile(node.right, scope))
    case 'choice':
      return compileChoice(place, node, scope)
    case 'index':
      return indexed(place, compile(node.of, scope), compile(node.at, scope))
    case 'slice': {
      const { from, to } = node
      return sliced(place, compile(node.of, scope), from && compile(from, scope), to && compile(to, scope))
    }
  }
}

const compileLiteral = (place: Place, value: Scalar): Typed => {
  if (typeof value === 'string') return { place, type: 'string', of: () => value, among: [value] }
  if (typeof value === 'number') return { place, type: 'number', of: () => value }
  return { place, type: 'boolean', of: () => value }
}

const compileList = (place: Place, nodes: readonly Node[], scope: Scope): Typed => {
  const elements = nodes.map(node => compile(node, scope))
  const [first] = elements
  if (first?.type === 'list') throw new ExpressionError(first.place, 'is a list, and lists have none in them')
  const items = first?.type
  const stranger = elements.find(({ type }) => type !== items)
  if (stranger) throw new ExpressionError(stranger.place, `is a ${stranger.type} in a list of ${items}s`)
  const values = elements as readonly Exclude<Typed, { readonly type: 'list' }>[]
  const known = values.flatMap(value => (value.type === 'string' ? [value.among] : []))
  return {
    place,
    type: 'list',
    items,
    of: subject => spendLength(values.map(value => value.of(subject))),
    among: items === 'string' && known.every(among => among !== undefined) ? known.flat() : undefined,
  }
}

const compileVariable = (place: Place, { variables }: Scope): Typed => {
  const known = variables.get(place.text)
  if (known) return { ...known, place }
  const hint = variables.size > 0 ? ` or a variable${suggestion(place.text, variables.keys())}` : ''
  throw new ExpressionError(
    place,
    `is neither a call (like "name()") nor a string (they stand in single quotes)${hint}`,
  )
}

const compileCall = (place: Place, nodes: readonly Node[], scope: Scope): Typed => {
  if (predicateFunctions.has(place.text)) return compilePredicate(place, nodes, scope)
  const called = scope.functions.get(place.text)
  const known = [...scope.functions.keys(), ...predicateFunctions.keys()]
  if (!called) throw new ExpressionError(place, `unknown function${suggestion(place.text, known)}`)
  return callFunction(
    called,
    place,
    nodes.map(node => compile(node, scope)),
  )
}

/** `any(LIST, PREDICATE)`: the predicate is asked of each element, which is `#` there. */
const compilePredicate = (place: Place, nodes: readonly Node[], scope: Scope): Typed => {
  const [listNode, predicateNode, surplus] = nodes
  if (!listNode || !predicateNode || surplus)
    throw new ExpressionError(place, `is written ${place.text}(LIST, PREDICATE)`)
  const list = listOf(compile(listNode, scope), place.text)
  // The elements come one after the other: a place for one does for all.
  const current: { value: Scalar } = { value: '' }
  const element = typedAs(listNode.place, list.items ?? 'string', () => current.value, list.among)
  const asked = compile(predicateNode, { ...scope, element })
  return predicateFunctions.get(place.text)!(place, list, {
    asked,
    take: value => {
      current.value = value
    },
  })
}

const compileBinary = (place: Place, operator: Operator, left: Typed, right: Typed): Typed => {
  if (operator === 'or' || operator === 'and') return { place, type: 'boolean', of: logical(operator, left, right) }
  if (operator === 'in') return { place, type: 'boolean', of: membership(left, right) }
  if (isComparison(operator)) return { place, type: 'boolean', of: comparison(operator, left, right) }
  if (isArithmetic(operator)) return arithmetic(place, operator, left, right)
  return { place, type: 'boolean', of: textual(operator as StringOperator, left, right) }
}

const isComparison = (operator: Operator): operator is Comparison => comparisons.some(known => known === operator)
const isArithmetic = (operator: Operator): operator is Arithmetic => !/\w/.test(operator)

const compileChoice = (place: Place, node: Extract<Node, { readonly kind: 'choice' }>, scope: Scope): Typed => {
  const { of: holds } = booleanOf(compile(node.condition, scope), '"?"')
  const then = compile(node.then, scope)
  const otherwise = compile(node.otherwise, scope)
  const isAlike =
    then.type === otherwise.type &&
    (then.type !== 'list' ||
      otherwise.type !== 'list' ||
      !then.items ||
      !otherwise.items ||
      then.items === otherwise.items)
  if (!isAlike) throw new ExpressionError(place, `has a ${then.type} on one side and a ${otherwise.type} on the other`)
  const either = (subject: Parameters<typeof holds>[0]) => (holds(subject) ? then.of(subject) : otherwise.of(subject))
  const among =
    'among' in then && 'among' in otherwise && then.among && otherwise.among
      ? [...then.among, ...otherwise.among]
      : undefined
  if (then.type !== 'list') return typedAs(place, then.type, subject => either(subject) as Scalar, among)
  const items = then.items ?? (otherwise.type === 'list' ? otherwise.items : undefined)
  return { place, type: 'list', items, of: subject => either(subject) as readonly Scalar[], among }
}
