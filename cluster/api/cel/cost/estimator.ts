/**
 * What an expression may cost at worst, before it ever runs: by the sizes that a schema declares, those that are written
 * out, and what calls make of them. In cel-go's numbers, its oddities included: they decide which definitions Kubernetes
 * takes.
 */
import type { ASTNode } from '@marcbachmann/cel-js'
import type { CelFunction } from '../function.ts'
import { type CelType, DYN } from '../type.ts'
import { qualifiedType } from '../type-names.ts'
import { codePoints } from '../value.ts'
import { type Declared, declaredSize, type Path } from './declared.ts'
import {
  comparing,
  comparingAll,
  type EntrySizes,
  itemOf,
  joinEntries,
  LIST_COST,
  MAP_COST,
  type Measured,
  TRAVERSAL,
  type Worst,
} from './estimate.ts'
import { LOOPS, type LoopCost, madeCost } from './loops.ts'
import { either, fixed, MOST, product, type Size, scaled, sum, UNKNOWN } from './size.ts'

/** What the checker found out about the parts of an expression. */
export interface Findings {
  readonly types: ReadonlyMap<ASTNode, CelType>
  /** What a call or an operator may mean. */
  readonly calls: ReadonlyMap<ASTNode, readonly CelFunction[]>
}

type Variable = Pick<Measured, 'path' | 'size' | 'entries'>
type Variables = ReadonlyMap<string, Variable>

const SCALARS: ReadonlySet<string> = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint'])

const isScalar = (type: CelType): boolean => SCALARS.has(type.form) || (type.form === 'optional' && isScalar(type.item))

const NAME_COST = 1
const CALL_COST = 1

/** Values of libraries that compare at a glance; other types compare by their sizes. */
const EQUALITY: Readonly<Record<string, (args: readonly Measured[]) => number>> = {
  'net.IP': () => 1,
  'net.CIDR': () => 1,
  'kubernetes.Quantity': () => 1,
  'kubernetes.Semver': () => 1,
  'kubernetes.NamedFormat': () => scaled(64, TRAVERSAL),
  'kubernetes.URL': args => scaled(args[1]?.size?.max ?? 1, TRAVERSAL),
}

const written = (value: unknown): Size | undefined => {
  if (typeof value === 'string') return fixed(codePoints(value))
  return fixed(value instanceof Uint8Array ? value.length : 1)
}

/** `-1` is a number that is written out. */
const literalOf = (node: ASTNode): unknown => {
  if (node.op === 'value') return node.args
  if (node.op !== '-_' || node.args.op !== 'value') return undefined
  const value: unknown = node.args.args
  return typeof value === 'bigint' || typeof value === 'number' ? -value : undefined
}

/** `!!x` and `--x` are `x` and no operation, unless brackets stand between. */
const cancelled = (node: ASTNode): ASTNode | undefined => {
  if (node.op !== '!_' && node.op !== '-_') return undefined
  const { args: inner, input, start } = node
  const isDirect = inner.op === node.op && input.slice(start + 1, inner.start).trim() === ''
  return isDirect ? (inner.args as ASTNode) : undefined
}

interface Part {
  readonly cost: number
  readonly path?: Path
  /** Found out; absent: it is declared, or its type tells. */
  readonly size?: Size | undefined
  /** Where nothing else is known. */
  readonly fallback?: Size | undefined
  readonly entries?: EntrySizes | undefined
}

export class Estimator {
  readonly #findings: Findings
  readonly #declared: Declared

  constructor(findings: Findings, declared: Declared) {
    this.#findings = findings
    this.#declared = declared
  }

  /** In cel-go's unit. */
  worst(node: ASTNode): number {
    return this.#measure(node, new Map()).cost
  }

  #type(node: ASTNode): CelType {
    return this.#findings.types.get(node) ?? DYN
  }

  #part(type: CelType, { cost, path = [], size, fallback, entries }: Part, integer?: bigint): Measured {
    const known = size ?? declaredSize(this.#declared, path) ?? (isScalar(type) ? fixed(1) : fallback)
    const itemSize = () =>
      itemOf(type) && ((path.length > 0 && declaredSize(this.#declared, [...path, '@items'])) || UNKNOWN)
    return { type, cost, path, size: known, entries, itemSize, integer }
  }

  #measure(node: ASTNode, variables: Variables): Measured {
    const type = this.#type(node)
    const literal = literalOf(node)
    if (literal !== undefined) {
      const integer = typeof literal === 'bigint' ? literal : undefined
      return this.#part(type, { cost: 0, size: written(literal) }, integer)
    }
    switch (node.op) {
      case 'id':
        return this.#name(type, node.args, variables)
      case '.':
        return this.#select(node, variables)
      case '.?':
        return this.#part(type, { cost: sum(this.#measure(node.args[0], variables).cost, CALL_COST) })
      case '[]':
      case '[?]':
        return this.#index(node, variables)
      case 'list':
        return this.#list(type, node.args, variables)
      case 'map':
        return this.#map(type, node.args, variables)
      case '?:':
        return this.#choice(type, node.args, variables)
      case 'call':
      case 'rcall':
        return this.#call(node, variables)
      default:
        return this.#operator(node, variables)
    }
  }

  #name(type: CelType, name: string, variables: Variables): Measured {
    const variable = variables.get(name)
    if (!variable) return this.#part(type, { cost: NAME_COST, path: [name] })
    const { path, size, entries } = variable
    return this.#part(type, { cost: NAME_COST, path, fallback: size, entries })
  }

  #select(node: ASTNode, variables: Variables): Measured {
    const type = this.#type(node)
    if (qualifiedType(node)) return this.#part(type, { cost: NAME_COST, path: ['type'] })
    const [operand, name] = node.args as [ASTNode, string]
    const { type: container, cost, path } = this.#measure(operand, variables)
    const isCounted = container.form === 'map' || container.form === 'object'
    return this.#part(type, { cost: sum(cost, isCounted ? NAME_COST : 0), path: [...path, name] })
  }

  #index(node: ASTNode, variables: Variables): Measured {
    const type = this.#type(node)
    const [container, key] = (node.args as [ASTNode, ASTNode]).map(part => this.#measure(part, variables))
    const cost = sum(container!.cost, key!.cost, CALL_COST)
    if (node.op === '[?]' || container!.type.form === 'optional') return this.#part(type, { cost })
    const step = container!.type.form === 'list' ? '@items' : '@values'
    return this.#part(type, { cost, path: [...container!.path, step], size: container!.entries?.value })
  }

  #list(type: CelType, nodes: readonly ASTNode[], variables: Variables): Measured {
    const items = nodes.map(item => this.#measure(item, variables))
    return this.#part(type, {
      cost: sum(LIST_COST, ...items.map(({ cost }) => cost)),
      size: fixed(items.length),
      entries: { container: 'list', key: fixed(1), value: span(items) },
    })
  }

  #map(type: CelType, nodes: readonly (readonly ASTNode[])[], variables: Variables): Measured {
    const [keys, values] = [0, 1].map(place => nodes.map(entry => this.#measure(entry[place]!, variables)))
    return this.#part(type, {
      cost: sum(MAP_COST, ...[...keys!, ...values!].map(({ cost }) => cost)),
      size: fixed(nodes.length),
      entries: { container: 'map', key: span(keys!), value: span(values!) },
    })
  }

  #choice(type: CelType, nodes: readonly ASTNode[], variables: Variables): Measured {
    const [condition, yes, no] = nodes.map(part => this.#measure(part, variables)) as [Measured, Measured, Measured]
    return this.#part(type, {
      cost: sum(condition.cost, Math.max(yes.cost, no.cost)),
      size: either(yes.size ?? UNKNOWN, no.size ?? UNKNOWN),
      entries: joinEntries(yes.entries, no.entries),
    })
  }

  #operator(node: ASTNode, variables: Variables): Measured {
    const inner = cancelled(node)
    if (inner) return this.#measure(inner, variables)
    const nodes = (Array.isArray(node.args) ? node.args : [node.args]) as readonly ASTNode[]
    const args = nodes.map(part => this.#measure(part, variables))
    if (node.op === '&&' || node.op === '||')
      return this.#part(this.#type(node), { cost: sum(...args.map(({ cost }) => cost)) })
    if (node.op !== '==' && node.op !== '!=') return this.#apply(node, args)
    const { cost } = this.#equality(node.op, args)
    return this.#part(this.#type(node), { cost: sum(cost, ...args.map(arg => arg.cost)) })
  }

  #equality(op: '==' | '!=', args: readonly Measured[]): Worst {
    const [a, b] = args.map(({ type }) => (type.form === 'foreign' ? type.name : undefined))
    const known = a !== undefined && a === b && op === '==' ? EQUALITY[a] : undefined
    return known ? { cost: known(args) } : comparing(args)
  }

  #call(node: ASTNode, variables: Variables): Measured {
    const functions = this.#findings.calls.get(node)
    if (node.op === 'call') {
      const [, args] = node.args as [string, readonly ASTNode[]]
      return functions ? this.#apply(node, this.#each(args, variables)) : this.#presence(node, args, variables)
    }
    const [, receiver, args] = node.args as [string, ASTNode, readonly ASTNode[]]
    if (!functions) return this.#macro(node, variables)
    return this.#apply(node, this.#each(functions[0]?.method ? [receiver, ...args] : args, variables))
  }

  /** `has(a.b)`: Kubernetes takes nothing for the question itself. */
  #presence(node: ASTNode, [field]: readonly ASTNode[], variables: Variables): Measured {
    const [operand] = field!.args as [ASTNode]
    return this.#part(this.#type(node), { cost: this.#measure(operand, variables).cost })
  }

  #each(nodes: readonly ASTNode[], variables: Variables): readonly Measured[] {
    return nodes.map(node => this.#measure(node, variables))
  }

  /** The dearest of what the call may mean. */
  #apply(node: ASTNode, args: readonly Measured[]): Measured {
    const outcomes = (this.#findings.calls.get(node) ?? []).map(fn => fn.cost?.worst?.(args) ?? { cost: CALL_COST })
    const sizes = outcomes.flatMap(({ size }) => size ?? [])
    return this.#part(this.#type(node), {
      cost: sum(Math.max(0, ...outcomes.map(({ cost }) => cost)), ...args.map(arg => arg.cost)),
      size: sizes.length > 0 ? sizes.reduce(either) : undefined,
      entries: outcomes.find(({ entries }) => entries)?.entries,
    })
  }

  #macro(node: ASTNode, variables: Variables): Measured {
    const [name, receiver, args] = node.args as [string, ASTNode, readonly ASTNode[]]
    const range = this.#measure(receiver, variables)
    const loop = LOOPS[`${name}/${args.length}`]
    if (loop) return this.#loop(this.#type(node), { range, loop, args, variables })
    if (name === 'sortBy') return this.#sortBy(node, range, variables)
    return this.#optional(node, range, variables)
  }

  #loop(type: CelType, { range, loop, args, variables }: Loop): Measured {
    const names = args.slice(0, loop.variables).map(({ args: name }) => name as string)
    const bound = bind(range, loop.variables)
    const inner = new Map([...variables, ...names.map((name, index) => [name, bound[index]!] as const)])
    const bodies = args.slice(loop.variables).map(body => this.#measure(body, inner))
    const item = this.#name(range.type.form === 'list' ? range.type.item : DYN, names[0]!, inner)
    const count = range.size ?? UNKNOWN
    return this.#part(type, {
      cost: sum(range.cost, madeCost[loop.made], loop.result, product(count.max, loop.round(bodies))),
      size: loop.made === 'value' ? fixed(1) : count,
      entries: loop.entries?.(bodies, item),
    })
  }

  /** A variable is bound to the list; it is sorted by the list of keys that `map` makes of it. */
  #sortBy(node: ASTNode, target: Measured, variables: Variables): Measured {
    const [, , args] = node.args as [string, ASTNode, readonly [ASTNode, ASTNode]]
    const range = { ...target, cost: NAME_COST }
    const key = this.#type(args[1])
    const keys = this.#loop({ form: 'list', item: key }, { range, loop: LOOPS['map/2']!, args, variables })
    const { cost, size } = comparingAll(key.form === 'dyn' ? { form: 'string' } : key)([keys])
    return this.#part(this.#type(node), {
      cost: sum(LIST_COST, target.cost, NAME_COST, keys.cost, cost),
      size,
    })
  }

  /** `x.hasValue() ? optional.of(f(x.value())) : optional.none()`; flat: without `optional.of`. */
  #optional(node: ASTNode, target: Measured, variables: Variables): Measured {
    const [name, , [variable, body]] = node.args as [string, ASTNode, readonly [ASTNode, ASTNode]]
    const type = this.#type(node)
    const inner = new Map([...variables, [variable.args as string, { path: [], size: undefined, entries: undefined }]])
    const mapped = this.#measure(body, inner)
    const bound = sum(LIST_COST, CALL_COST, target.cost, mapped.cost)
    return this.#part(type, {
      cost: sum(target.cost, CALL_COST, name === 'optMap' ? sum(CALL_COST, bound) : bound),
      size: isScalar(type) ? fixed(1) : UNKNOWN,
    })
  }
}

interface Loop {
  readonly range: Measured
  readonly loop: LoopCost
  readonly args: readonly ASTNode[]
  readonly variables: Variables
}

/** The sizes of all parts of a literal. */
const span = (parts: readonly Measured[]): Size =>
  parts.length === 0 ? fixed(0) : parts.map(({ size }) => size ?? UNKNOWN).reduce(either, { min: MOST, max: 0 })

/** What a loop's variables are: with two of them a key and what is there; with one a list's items, a map's keys. */
const bind = ({ type, path, entries }: Measured, variables: 1 | 2): readonly Variable[] => {
  const isList = (entries?.container ?? type.form) === 'list'
  const key = { path: [...path, isList ? '@indices' : '@keys'], size: entries?.key, entries: undefined }
  const value = { path: [...path, isList ? '@items' : '@values'], size: entries?.value, entries: undefined }
  if (variables === 2) return [key, value]
  return [isList ? value : key]
}
