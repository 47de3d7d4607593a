/**
 * From an expression as it is written to one that runs: names found, types checked, functions chosen. The problems are in
 * cel-go's words, with the place that they are about. What no type knows (`dyn`) is looked at when it is there.
 */
import type { ASTNode } from '@marcbachmann/cel-js'
import { access, entryType, optionalEntry } from './access.ts'
import { type Element, makeList, makeMap } from './aggregates.ts'
import type { CelProblem, Checked, Checks } from './checked.ts'
import { walksShorter } from './cost/call-cost.ts'
import type { Findings } from './cost/estimator.ts'
import { isEqual } from './equality.ts'
import { checkFormat } from './format-clauses.ts'
import { Frame, type Run } from './frame.ts'
import type { CelFunction } from './function.ts'
import { isGoodLiteral, literalOf } from './literals.ts'
import { decide, truth } from './logic.ts'
import { type Fold, findMacro } from './macros.ts'
import { callOf, dispatchOf, type Functions } from './overloads.ts'
import { isMarked } from './parse.ts'
import { operatorPosition } from './position.ts'
import type { Scope } from './scope.ts'
import {
  type Bindings,
  BOOL,
  type CelType,
  DYN,
  describeType,
  fits,
  isExact,
  joinTypes,
  listOf,
  mapOf,
  OPEN,
  optionalOf,
  substitute,
  TYPE,
} from './type.ts'
import { qualifiedType, TYPE_NAMES } from './type-names.ts'
import { CelError, type OptionalValue, TypeName } from './value.ts'

const OPERATOR_NAMES: Readonly<Record<string, string>> = { in: '@in', '!_': '!_', '-_': '-_' }

const SELECT_COST = 1
const selecting =
  (run: Run): Run =>
  frame => {
    frame.charge(SELECT_COST)
    return run(frame)
  }

/** What is worked out at once if its argument is a constant, as cel-go's planner does. */
const CONVERSIONS: ReadonlySet<string> = new Set(
  'bool bytes double duration dyn int string timestamp type uint'.split(' '),
)

export class Checker implements Checks, Findings {
  readonly problems: CelProblem[] = []
  readonly types = new Map<ASTNode, CelType>()
  readonly calls = new Map<ASTNode, readonly CelFunction[]>()
  /** Of expressions that are right otherwise. */
  readonly warnings: CelProblem[] = []
  /** Why a constant cannot be worked out. */
  failure: string | undefined
  readonly #functions: Functions
  readonly #optionals: ReadonlySet<number>

  /** `optionals`: the positions of the question marks before optional elements. */
  constructor(functions: Functions, optionals: ReadonlySet<number>) {
    this.#functions = functions
    this.#optionals = optionals
  }

  check(node: ASTNode, scope: Scope): Checked {
    const checked = this.#check(node, scope)
    this.types.set(node, checked.type)
    return checked
  }

  #check(node: ASTNode, scope: Scope): Checked {
    switch (node.op) {
      case 'value':
        return this.#literal(node, node.args)
      case 'id':
        return this.#name(node, node.args, scope)
      case '.':
      case '.?':
        return this.#select(node, node.op === '.?', scope)
      case '[]':
      case '[?]':
        return this.#index(node, node.op === '[?]', scope)
      case 'call':
        return this.#call(node, node.args[0], node.args[1], scope)
      case 'rcall':
        return this.#methodCall(node, scope)
      case 'list':
        return this.#list(node, scope)
      case 'map':
        return this.#map(node, scope)
      case '?:':
        return this.#choice(node, node.args, scope)
      case '||':
      case '&&':
        return this.#logic(node, node.op, scope)
      case '==':
      case '!=':
        return this.#equality(node, node.op, scope)
      case '!_':
      case '-_':
        return this.#sign(node, scope)
      default:
        return this.apply(node, OPERATOR_NAMES[node.op] ?? `_${node.op}_`, [
          this.check(node.args[0], scope),
          this.check(node.args[1], scope),
        ])
    }
  }

  problem(node: ASTNode, text: string, position = operatorPosition(node)): Checked {
    this.problems.push({ position, text })
    return { type: DYN, run: () => null }
  }

  mismatch(node: ASTNode, name: string, types: string): Checked {
    return this.problem(node, `found no matching overload for '${name}' applied to '${types}'`)
  }

  /** A function or an operator on arguments that are checked. */
  apply(node: ASTNode, name: string, args: readonly Checked[], isMethod = false): Checked {
    const overloads = this.#functions.overloads(name, isMethod, args.length)
    const matching = overloads.flatMap(fn => {
      const bindings: Bindings = new Map()
      const isMatch = fn.parameters.every((wanted, index) => fits(wanted, args[index]!.type, bindings))
      return isMatch ? [{ fn, result: substitute(fn.result, bindings) }] : []
    })
    const [first] = matching
    if (!first) {
      const types = args.map(({ type }) => describeType(type))
      const shown = isMethod ? `${types[0]}.(${types.slice(1).join(', ')})` : `(${types.join(', ')})`
      return this.mismatch(node, name, shown)
    }
    const isCertain = matching.length === 1 && args.every(({ type }) => isExact(type))
    const isOneType = matching.every(({ result }) => describeType(result) === describeType(first.result))
    const runs = args.map(({ run }) => run)
    const functions = matching.map(({ fn }) => fn)
    this.calls.set(node, functions)
    const run = isCertain ? callOf(first.fn, runs) : dispatchOf(functions, runs)
    const type = isOneType ? first.result : DYN
    return CONVERSIONS.has(name) && args.length === 1 && args[0]!.isConstant ? this.#fold(type, run) : { type, run }
  }

  /** The first constant that fails is told. */
  #fold(type: CelType, run: Run): Checked {
    try {
      const value = run(new Frame([], Number.POSITIVE_INFINITY))
      return { type, run: () => value, isConstant: true }
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      this.failure ??= error.message
      return { type, run }
    }
  }

  /** A number below nothing is a constant. */
  #sign(node: ASTNode & { readonly op: '!_' | '-_' }, scope: Scope): Checked {
    const value: unknown = node.op === '-_' && node.args.op === 'value' ? node.args.args : undefined
    if (typeof value === 'bigint' || typeof value === 'number') return this.#literal(node, -value)
    return this.apply(node, node.op, [this.check(node.args, scope)])
  }

  #literal(node: ASTNode, value: unknown): Checked {
    return literalOf(value) ?? this.problem(node, 'invalid int literal')
  }

  #name(node: ASTNode, name: string, scope: Scope): Checked {
    const variable = scope.find(name)
    if (variable) {
      const { slot, type } = variable
      return {
        type,
        run: frame => {
          frame.charge(SELECT_COST)
          const value = frame.variable(slot)
          if (value === undefined) throw new CelError(`no such attribute(s): ${name}`)
          return value
        },
      }
    }
    if (TYPE_NAMES.has(name)) {
      const value = new TypeName(name)
      return { type: TYPE, run: () => value }
    }
    return this.problem(node, `undeclared reference to '${name}' (in container '')`)
  }

  /** The type of a field; undefined: it cannot be selected, which has been noted. */
  #fieldType(node: ASTNode, container: CelType, name: string): CelType | undefined {
    switch (container.form) {
      case 'dyn':
      case 'parameter':
        return DYN
      case 'map':
        return container.value
      case 'object': {
        const field = container.field(name)
        if (!field) this.problem(node, `undefined field '${name}'`)
        return field?.type
      }
      default:
        this.problem(node, `type '${describeType(container)}' does not support field selection`)
        return undefined
    }
  }

  #select(node: ASTNode, isOptional: boolean, scope: Scope): Checked {
    const [operand, name] = node.args as [ASTNode, string]
    const known = qualifiedType(node)
    if (known) return { type: TYPE, run: () => known }
    const { type: container, run } = this.check(operand, scope)
    const within = container.form === 'optional' ? container.item : container
    const type = this.#fieldType(node, within, name) ?? DYN
    if (isOptional || container.form === 'optional') {
      return { type: optionalOf(type), run: selecting(frame => optionalEntry(run(frame), name)) }
    }
    return { type, run: selecting(frame => access(run(frame), name)) }
  }

  /** `has(a.b)`: whether `b` is there; `a` must be. */
  has(node: ASTNode, argument: ASTNode | undefined, scope: Scope): Checked {
    if (argument?.op !== '.' && argument?.op !== '.?') return this.problem(node, 'invalid argument to has() macro')
    const [operand, name] = argument.args
    const { type: container, run } = this.check(operand, scope)
    this.#fieldType(argument, container.form === 'optional' ? container.item : container, name)
    return {
      type: BOOL,
      run: frame => {
        const value = run(frame)
        return (optionalEntry(value, name) as OptionalValue).value !== undefined
      },
    }
  }

  #index(node: ASTNode, isOptional: boolean, scope: Scope): Checked {
    const [operand, key] = node.args as [ASTNode, ASTNode]
    const container = this.check(operand, scope)
    const index = this.check(key, scope)
    const within = container.type.form === 'optional' ? container.type.item : container.type
    const type = entryType(within, index.type)
    if (!type) {
      const name = isOptional ? '_[?_]' : '_[_]'
      return this.mismatch(node, name, `(${describeType(container.type)}, ${describeType(index.type)})`)
    }
    const [get, at] = [container.run, index.run]
    if (isOptional || container.type.form === 'optional') {
      return { type: optionalOf(type), run: selecting(frame => optionalEntry(get(frame), at(frame))) }
    }
    return { type, run: selecting(frame => access(get(frame), at(frame))) }
  }

  #call(node: ASTNode, name: string, args: readonly ASTNode[], scope: Scope): Checked {
    if (name === 'has' && args.length === 1) return this.has(node, args[0], scope)
    if (!this.#functions.has(name)) return this.problem(node, `undeclared reference to '${name}' (in container '')`)
    this.#checkLiteral(name, args.at(-1))
    return this.apply(
      node,
      name,
      args.map(arg => this.check(arg, scope)),
    )
  }

  #checkLiteral(name: string, argument: ASTNode | undefined): void {
    if (argument && !isGoodLiteral(name, argument)) this.#warn(argument, `invalid ${name} argument`)
  }

  /** What is formatted is of any types, as cel-go's validator has it. */
  #methodCall(node: ASTNode, scope: Scope): Checked {
    const [name, receiver, args] = node.args as [string, ASTNode, ASTNode[]]
    const qualified = receiver.op === 'id' ? `${receiver.args}.${name}` : name
    if (receiver.op === 'id' && this.#functions.has(qualified)) return this.#call(node, qualified, args, scope)
    const macro: Fold | undefined = findMacro(name, args)
    if (macro) return macro(this, { node, receiver: this.check(receiver, scope), range: receiver, args, scope })
    if (!this.#functions.has(name, true)) {
      this.check(receiver, scope)
      return this.problem(node, `undeclared reference to '${name}' (in container '')`)
    }
    this.#checkLiteral(name, args.at(-1))
    const isFormat = name === 'format'
    const checked = args.map(arg =>
      isFormat && arg.op === 'list' ? this.#list(arg, scope, true) : this.check(arg, scope),
    )
    if (isFormat) this.#checkFormat(node, receiver, args)
    return this.apply(node, name, [this.check(receiver, scope), ...checked], true)
  }

  #warn(node: ASTNode, text: string): void {
    this.warnings.push({ position: operatorPosition(node), text })
  }

  #checkFormat(node: ASTNode, pattern: ASTNode, [values]: readonly ASTNode[]): void {
    if (pattern.op !== 'value' || typeof pattern.args !== 'string' || values?.op !== 'list') return
    const problem = checkFormat(pattern.args, values.args, part => this.types.get(part) ?? DYN)
    if (problem) this.#warn(problem.node ?? node, problem.text)
  }

  /** The type of them all. cel-go's validator wants one type in a literal. */
  #commonType(nodes: readonly ASTNode[], parts: readonly Checked[]): CelType {
    let type: CelType = OPEN
    for (const [index, part] of parts.entries()) {
      const joined = joinTypes(type, part.type)
      if (joined) type = joined
      else this.problem(nodes[index]!, `expected type '${describeType(type)}' but found '${describeType(part.type)}'`)
    }
    return type
  }

  /** An element of a literal. Of an optional one, what it holds. */
  #element(node: ASTNode, isOptional: boolean, scope: Scope): Checked & Element {
    const { type, run, isConstant = false } = this.check(node, scope)
    if (!isOptional) return { type, run, isConstant, isOptional }
    if (type.form === 'optional') return { type: type.item, run, isOptional }
    if (type.form === 'dyn') return { type, run, isOptional }
    const text = `expected type '${describeType(optionalOf(type))}' but found '${describeType(type)}'`
    return { ...this.problem(node, text), isOptional }
  }

  #list(node: ASTNode & { readonly op: 'list' }, scope: Scope, mixed = false): Checked {
    const items = node.args
    const elements = items.map((item, index) =>
      this.#element(item, isMarked(this.#optionals, items[index - 1]?.end ?? node.start, item), scope),
    )
    const type = listOf(mixed ? DYN : this.#commonType(items, elements))
    return { type, run: makeList(elements), isConstant: elements.every(({ isConstant }) => isConstant) }
  }

  #map(node: ASTNode & { readonly op: 'map' }, scope: Scope): Checked {
    const entries = node.args
    const keys = entries.map(([key]) => this.check(key, scope))
    const values = entries.map(([key, value], index) =>
      this.#element(value, isMarked(this.#optionals, entries[index - 1]?.[1].end ?? node.start, key), scope),
    )
    const key = this.#commonType(
      entries.map(([key]) => key),
      keys,
    )
    const value = this.#commonType(
      entries.map(([, value]) => value),
      values,
    )
    const run = makeMap(keys.map((key, index) => ({ key: key.run, value: values[index]! })))
    return { type: mapOf(key, value), run, isConstant: [...keys, ...values].every(({ isConstant }) => isConstant) }
  }

  #choice(node: ASTNode, parts: readonly ASTNode[], scope: Scope): Checked {
    const [condition, yes, no] = parts.map(part => this.check(part, scope)) as [Checked, Checked, Checked]
    const type = joinTypes(yes.type, no.type)
    if (!type || !fits(BOOL, condition.type)) {
      return this.mismatch(node, '_?_:_', `(${[condition, yes, no].map(part => describeType(part.type)).join(', ')})`)
    }
    return { type, run: frame => (truth(condition.run(frame)) ? yes.run(frame) : no.run(frame)) }
  }

  #logic(node: ASTNode, op: '||' | '&&', scope: Scope): Checked {
    const [left, right] = (node.args as [ASTNode, ASTNode]).map(part => this.check(part, scope)) as [Checked, Checked]
    if (!fits(BOOL, left.type) || !fits(BOOL, right.type)) {
      return this.mismatch(node, `_${op}_`, `(${describeType(left.type)}, ${describeType(right.type)})`)
    }
    return { type: BOOL, run: decide(left.run, right.run, op === '||') }
  }

  #equality(node: ASTNode, op: '==' | '!=', scope: Scope): Checked {
    const [left, right] = (node.args as [ASTNode, ASTNode]).map(part => this.check(part, scope)) as [Checked, Checked]
    if (!fits(left.type, right.type) && !fits(right.type, left.type)) {
      return this.mismatch(node, `_${op}_`, `(${describeType(left.type)}, ${describeType(right.type)})`)
    }
    const run: Run = frame => {
      const [a, b] = [left.run(frame), right.run(frame)]
      frame.charge(Math.max(1, walksShorter.run([a, b])))
      return isEqual(a, b, frame.charge) === (op === '==')
    }
    return { type: BOOL, run }
  }
}
