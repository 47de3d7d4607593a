/**
 * Functions that bind a variable: `all`, `exists`, `map`, `filter` … with one variable or two (an index or key, and what
 * is there), and `optMap`. Each step costs what cel-go charges for it.
 */
import type { ASTNode } from '@marcbachmann/cel-js'
import type { Checked, Checks } from './checked.ts'
import type { Frame, Run } from './frame.ts'
import { truth } from './logic.ts'
import { order } from './order.ts'
import { operatorPosition } from './position.ts'
import type { Scope } from './scope.ts'
import { BOOL, type CelType, DYN, describeType, fits, INT, listOf, mapOf, optionalOf, parameter } from './type.ts'
import { CelError, type CelValue, Dictionary, Entries, NONE, OptionalValue } from './value.ts'

interface MacroCall {
  readonly node: ASTNode
  readonly receiver: Checked
  /** What the receiver was made of. */
  readonly range: ASTNode
  readonly args: readonly ASTNode[]
  readonly scope: Scope
}

export type Fold = (checker: Checks, call: MacroCall) => Checked

/** What a loop goes over. */
interface Range {
  readonly key: CelType
  readonly value: CelType
}

const rangeOf = ({ type }: Checked): Range | undefined => {
  switch (type.form) {
    case 'dyn':
    case 'parameter':
      return { key: DYN, value: DYN }
    case 'list':
      return { key: INT, value: type.item }
    case 'map':
      return { key: type.key, value: type.value }
    default:
      return undefined
  }
}

/** With two variables the key and what is there; with one a list's items, a map's keys. */
function* steps(range: CelValue, pairs: boolean): Generator<readonly [CelValue, CelValue]> {
  if (Array.isArray(range)) {
    for (const [index, item] of range.entries()) yield [pairs ? BigInt(index) : item, item]
    return
  }
  if (!(range instanceof Dictionary)) throw new CelError('no such overload')
  // What the type does not know has a key and no value.
  for (const key of range.keys()) yield [key, pairs ? (range.get(key) ?? null) : key]
}

interface Loop {
  readonly range: Run
  readonly pairs: boolean
  readonly slots: readonly number[]
  readonly bodies: readonly Checked[]
}

/** Goes on until `step` gives something. */
const iterate = <T>(loop: Loop, frame: Frame, step: (key: CelValue) => T | undefined): T | undefined => {
  for (const [first, second] of steps(loop.range(frame), loop.pairs)) {
    frame.slots[loop.slots[0]!] = first
    if (loop.pairs) frame.slots[loop.slots[1]!] = second
    const outcome = step(first)
    if (outcome !== undefined) return outcome
  }
  return undefined
}

const condition = (body: Checked, frame: Frame): boolean => truth(body.run(frame))

/** What a macro makes of its loop. `bodies`: the expressions behind the variables. */
interface Macro {
  readonly bodies: number
  /** Which of the bodies must be conditions. */
  readonly conditions: readonly number[]
  readonly type: (bodies: readonly Checked[], range: Range) => CelType
  readonly run: (loop: Loop) => Run
}

/** A step that decides makes failures of others of no matter. */
const quantifier = (deciding: boolean, cost: number): Macro => ({
  bodies: 1,
  conditions: [0],
  type: () => BOOL,
  run: loop => frame => {
    let failure: CelError | undefined
    const [body] = loop.bodies
    const decided = iterate(loop, frame, () => {
      frame.charge(cost)
      try {
        return condition(body!, frame) === deciding ? true : undefined
      } catch (error) {
        if (!(error instanceof CelError)) throw error
        failure ??= error
        return undefined
      }
    })
    frame.charge(1)
    if (decided) return deciding
    if (failure) throw failure
    return !deciding
  },
})

const existsOne: Macro = {
  bodies: 1,
  conditions: [0],
  type: () => BOOL,
  run: loop => frame => {
    let count = 0
    iterate(loop, frame, () => {
      frame.charge(1)
      if (condition(loop.bodies[0]!, frame)) count++
    })
    frame.charge(2)
    return count === 1
  },
}

const APPEND_COST = 12

const transform = (filtered: boolean): Macro => ({
  bodies: filtered ? 2 : 1,
  conditions: filtered ? [0] : [],
  type: bodies => listOf(bodies.at(-1)!.type),
  run: loop => frame => {
    const list: CelValue[] = []
    frame.charge(11)
    iterate(loop, frame, () => {
      frame.charge(1)
      if (filtered && !condition(loop.bodies[0]!, frame)) return
      frame.charge(APPEND_COST - 1)
      list.push(loop.bodies.at(-1)!.run(frame))
    })
    return list
  },
})

const filter: Macro = {
  bodies: 1,
  conditions: [0],
  type: (_bodies, { key }) => listOf(key),
  run: loop => frame => {
    const list: CelValue[] = []
    frame.charge(11)
    iterate(loop, frame, item => {
      frame.charge(1)
      if (!condition(loop.bodies[0]!, frame)) return
      frame.charge(APPEND_COST)
      list.push(item)
    })
    return list
  },
}

/** By what the expression gives for each item; those alike stay as they were. */
const sortBy: Macro = {
  bodies: 1,
  conditions: [],
  type: (_bodies, { key }) => listOf(key),
  run: loop => frame => {
    const items: { readonly item: CelValue; readonly key: CelValue }[] = []
    frame.charge(11)
    iterate(loop, frame, item => {
      frame.charge(2 * APPEND_COST)
      items.push({ item, key: loop.bodies[0]!.run(frame) })
    })
    return items.sort((a, b) => order(a.key, b.key, frame.charge)).map(({ item }) => item)
  },
}

const transformMap = (filtered: boolean): Macro => ({
  bodies: filtered ? 2 : 1,
  conditions: filtered ? [0] : [],
  type: (bodies, { key }) => mapOf(key, bodies.at(-1)!.type),
  run: loop => frame => {
    const map = new Entries()
    frame.charge(31)
    iterate(loop, frame, key => {
      frame.charge(1)
      if (filtered && !condition(loop.bodies[0]!, frame)) return
      frame.charge(APPEND_COST)
      map.add(key, loop.bodies.at(-1)!.run(frame))
    })
    return map
  },
})

const transformMapEntry = (filtered: boolean): Macro => ({
  ...transformMap(filtered),
  type: bodies => bodies.at(-1)!.type,
  run: loop => frame => {
    const map = new Entries()
    frame.charge(31)
    iterate(loop, frame, () => {
      frame.charge(1)
      if (filtered && !condition(loop.bodies[0]!, frame)) return
      const made = loop.bodies.at(-1)!.run(frame)
      if (!(made instanceof Dictionary)) throw new CelError('no such overload')
      for (const key of made.keys()) {
        frame.charge(1)
        map.add(key, made.get(key)!)
      }
    })
    return map
  },
})

const ALL = quantifier(false, 3)
const EXISTS = quantifier(true, 4)

/** By name, number of variables and number of arguments in all. */
const MACROS: Readonly<Record<string, Macro>> = {
  'all/1/2': ALL,
  'all/2/3': ALL,
  'exists/1/2': EXISTS,
  'exists/2/3': EXISTS,
  'exists_one/1/2': existsOne,
  'existsOne/1/2': existsOne,
  'existsOne/2/3': existsOne,
  'exists_one/2/3': existsOne,
  'map/1/2': transform(false),
  'map/1/3': transform(true),
  'filter/1/2': filter,
  'sortBy/1/2': sortBy,
  'transformList/2/3': transform(false),
  'transformList/2/4': transform(true),
  'transformMap/2/3': transformMap(false),
  'transformMap/2/4': transformMap(true),
  'transformMapEntry/2/3': transformMapEntry(false),
  'transformMapEntry/2/4': transformMapEntry(true),
}

const loopMacro =
  (macro: Macro, variables: 1 | 2): Fold =>
  (checker, { node, receiver, range: source, args, scope }) => {
    const range = rangeOf(receiver)
    if (!range) {
      const found = describeType(receiver.type)
      const detail = 'cannot be range of a comprehension (must be list, map, or dynamic)'
      return checker.problem(node, `expression of type '${found}' ${detail}`, operatorPosition(source))
    }
    const names = args.slice(0, variables).map(arg => (arg.op === 'id' ? arg.args : undefined))
    if (names.some(name => name === undefined)) return checker.problem(node, 'argument must be a simple name')
    const isList = receiver.type.form === 'list'
    const first = variables === 1 && isList ? range.value : range.key
    const { scope: inner, slots } = scope.with(
      [names[0]!, first],
      ...(variables === 2 ? [[names[1]!, range.value] as const] : []),
    )
    const bodies = args.slice(variables).map(arg => checker.check(arg, inner))
    for (const index of macro.conditions) {
      const { type } = bodies[index]!
      if (!fits(BOOL, type)) {
        checker.problem(args[variables + index]!, `expected type 'bool' but found '${describeType(type)}'`)
      }
    }
    const loop: Loop = { range: receiver.run, pairs: variables === 2, slots, bodies }
    return { type: macro.type(bodies, { key: first, value: range.value }), run: macro.run(loop) }
  }

/** `x.optMap(v, f)`: f of what x holds. `flat`: f gives an optional itself. */
const optionalMacro =
  (flat: boolean): Fold =>
  (checker, { node, receiver, args, scope }) => {
    const [name, body] = args
    if (receiver.type.form !== 'optional' && receiver.type.form !== 'dyn') {
      return checker.mismatch(node, flat ? 'optFlatMap' : 'optMap', describeType(receiver.type))
    }
    if (name?.op !== 'id' || !body) return checker.problem(node, 'argument must be a simple name')
    const item = receiver.type.form === 'optional' ? receiver.type.item : DYN
    const { scope: inner, slots } = scope.with([name.args, item])
    const mapped = checker.check(body, inner)
    if (flat && !fits(optionalOf(parameter('T')), mapped.type)) {
      return checker.mismatch(node, 'optFlatMap', describeType(mapped.type))
    }
    const run: Run = frame => {
      const optional = receiver.run(frame)
      if (!(optional instanceof OptionalValue)) throw new CelError('no such overload')
      if (optional.value === undefined) return NONE
      frame.slots[slots[0]!] = optional.value
      const value = mapped.run(frame)
      return flat ? value : new OptionalValue(value)
    }
    return { type: flat ? mapped.type : optionalOf(mapped.type), run }
  }

const OPTIONAL_MACROS: Readonly<Record<string, Fold>> = {
  optMap: optionalMacro(false),
  optFlatMap: optionalMacro(true),
}

/** Undefined: the name is no macro with so many arguments. */
export const findMacro = (name: string, args: readonly ASTNode[]): Fold | undefined => {
  if (args.length === 2 && Object.hasOwn(OPTIONAL_MACROS, name)) return OPTIONAL_MACROS[name]
  for (const variables of [1, 2] as const) {
    const key = `${name}/${variables}/${args.length}`
    if (Object.hasOwn(MACROS, key)) return loopMacro(MACROS[key]!, variables)
  }
  return undefined
}
