/**
 * What the functions that bind a variable may cost at worst: as the loops that cel-go makes of them, each with an
 * accumulator, a condition to go on, a step and a result.
 */
import { type EntrySizes, joinEntries, LIST_COST, MAP_COST, type Measured } from './estimate.ts'
import { fixed, sum, UNKNOWN } from './size.ts'

/** A name, a literal's part of a call, and a call by itself. */
const NAME = 1
const CALL = 1

export interface LoopCost {
  readonly variables: 1 | 2
  /** What the accumulator is at the beginning. */
  readonly made: 'value' | 'list' | 'map'
  /** `bodies`: behind the variables. `item`: the first variable. Of one round, its condition included. */
  readonly round: (bodies: readonly Measured[]) => number
  /** Of what comes out in the end. */
  readonly result: number
  /** What is known of the entries of what is made. */
  readonly entries?: (bodies: readonly Measured[], item: Measured) => EntrySizes | undefined
}

/** What a list or a map costs that is empty at the beginning. */
export const madeCost: Readonly<Record<LoopCost['made'], number>> = { value: 0, list: LIST_COST, map: MAP_COST }

const cost = (body: Measured | undefined): number => body?.cost ?? 0

const quantifier = (variables: 1 | 2, condition: number): LoopCost => ({
  variables,
  made: 'value',
  round: ([body]) => sum(condition, NAME, cost(body)),
  result: NAME,
})

const ALL = CALL + NAME
const EXISTS = CALL + CALL + NAME

/** One is added where the condition holds, and compared with one in the end. */
const existsOne = (variables: 1 | 2): LoopCost => ({
  variables,
  made: 'value',
  round: ([body]) => sum(cost(body), CALL + NAME),
  result: CALL + NAME,
})

/** Beside the lists that go before, which are empty to begin with. */
const itemEntries = (item: Measured | undefined): EntrySizes | undefined =>
  joinEntries(
    { container: 'list', key: fixed(1), value: fixed(0) },
    { container: 'list', key: fixed(1), value: item?.size ?? UNKNOWN },
  )

const APPEND = CALL + NAME + LIST_COST

const transform = (variables: 1 | 2): LoopCost => ({
  variables,
  made: 'list',
  round: bodies => sum(APPEND, ...bodies.map(cost)),
  result: NAME,
  entries: bodies => itemEntries(bodies.at(-1)),
})

const filter: LoopCost = {
  variables: 1,
  made: 'list',
  round: ([body]) => sum(cost(body), APPEND, NAME),
  result: NAME,
  entries: (_bodies, item) => itemEntries(item),
}

/** `key`: whether it is given beside the value. */
const insert = (key: number): LoopCost => ({
  variables: 2,
  made: 'map',
  round: bodies => sum(CALL, NAME, key, ...bodies.map(cost)),
  result: NAME,
})

/** By name and number of arguments. */
export const LOOPS: Readonly<Record<string, LoopCost>> = {
  'all/2': quantifier(1, ALL),
  'all/3': quantifier(2, ALL),
  'exists/2': quantifier(1, EXISTS),
  'exists/3': quantifier(2, EXISTS),
  'exists_one/2': existsOne(1),
  'existsOne/2': existsOne(1),
  'exists_one/3': existsOne(2),
  'existsOne/3': existsOne(2),
  'map/2': transform(1),
  'map/3': transform(1),
  'filter/2': filter,
  'transformList/3': transform(2),
  'transformList/4': transform(2),
  'transformMap/3': insert(NAME),
  'transformMap/4': insert(NAME),
  'transformMapEntry/3': insert(0),
  'transformMapEntry/4': insert(0),
}
