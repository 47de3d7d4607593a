/** Lists: Kubernetes's library, cel-go's `lists` and `sets`. */
import { type CallCost, itemsOf, searches, traversal } from '../cost/call-cost.ts'
import { comparingAll, comparingLists, integerAt, makingList, sizeOf } from '../cost/estimate.ts'
import { fixed, MOST } from '../cost/size.ts'
import { type Charge, isEqual } from '../equality.ts'
import { type CelFunction, globalFunction, method } from '../function.ts'
import { order } from '../order.ts'
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  optionalOf,
  parameter,
  STRING,
  TIMESTAMP,
  UINT,
} from '../type.ts'
import { CelError, type CelValue, Duration, NONE, OptionalValue, Unsigned } from '../value.ts'

type List = readonly CelValue[]
const T = parameter('T')
const list = (value: CelValue | undefined): List => value as List

const COMPARABLE: readonly CelType[] = [INT, UINT, DOUBLE, BOOL, DURATION, TIMESTAMP, STRING, BYTES]

const isSorted = (items: List, charge: Charge): boolean =>
  items.every((item, index) => index === 0 || order(items[index - 1]!, item, charge) <= 0)

const extreme = (items: List, name: 'min' | 'max', charge: Charge): CelValue => {
  if (items.length === 0) throw new CelError(`${name} called on empty list`)
  const sign = name === 'max' ? 1 : -1
  return items.reduce((best, item) => (order(item, best, charge) * sign > 0 ? item : best))
}

const ZEROS: readonly (readonly [CelType, CelValue])[] = [
  [INT, 0n],
  [UINT, new Unsigned(0n)],
  [DOUBLE, 0],
  [DURATION, new Duration(0n)],
]

const add = (a: CelValue, b: CelValue): CelValue => {
  if (typeof a === 'bigint' && typeof b === 'bigint') {
    if (BigInt.asIntN(64, a + b) !== a + b) throw new CelError('integer overflow')
    return a + b
  }
  if (typeof a === 'number' && typeof b === 'number') return a + b
  if (a instanceof Unsigned && b instanceof Unsigned) return new Unsigned(BigInt.asUintN(64, a.value + b.value))
  if (a instanceof Duration && b instanceof Duration) return new Duration(a.nanoseconds + b.nanoseconds)
  throw new CelError('no such overload')
}

const kubernetes: readonly CelFunction[] = [
  ...COMPARABLE.flatMap(type => [
    method('isSorted', [listOf(type)], BOOL, ([items], charge) => isSorted(list(items), charge), searches),
    method('min', [listOf(type)], type, ([items], charge) => extreme(list(items), 'min', charge), searches),
    method('max', [listOf(type)], type, ([items], charge) => extreme(list(items), 'max', charge), searches),
  ]),
  ...ZEROS.map(([type, zero]) =>
    method('sum', [listOf(type)], type, ([items]) => list(items).reduce<CelValue>(add, zero), searches),
  ),
  method(
    'indexOf',
    [listOf(T), T],
    INT,
    ([items, item], charge) => {
      return BigInt(list(items).findIndex(other => isEqual(other, item!, charge)))
    },
    searches,
  ),
  method(
    'lastIndexOf',
    [listOf(T), T],
    INT,
    ([items, item], charge) => {
      return BigInt(list(items).findLastIndex(other => isEqual(other, item!, charge)))
    },
    searches,
  ),
]

const slice = (items: List, start: number, end: number): List => {
  if (start < 0 || end < 0) throw new CelError(`cannot slice(${start}, ${end}), negative indexes not supported`)
  if (start > end)
    throw new CelError(`cannot slice(${start}, ${end}), start index must be less than or equal to end index`)
  if (end > items.length) throw new CelError(`cannot slice(${start}, ${end}), list is length ${items.length}`)
  return items.slice(start, end)
}

const flatten = (items: List, depth: number, charge: Charge): CelValue[] => {
  if (depth < 0) throw new CelError('level must be non-negative')
  return items.flatMap(item => {
    charge(0.1)
    return Array.isArray(item) && depth > 0 ? flatten(item, depth - 1, charge) : [item]
  })
}

const end = (items: List, index: 0 | -1): CelValue => (items.length === 0 ? NONE : new OptionalValue(items.at(index)!))

const distinct = (items: List, charge: Charge): CelValue[] => {
  const found: CelValue[] = []
  for (const item of items) if (!found.some(other => isEqual(other, item, charge))) found.push(item)
  return found
}

/** What a list of numbers may cost at most is charged before it is made. */
const range = (count: bigint, charge: Charge): CelValue[] => {
  charge(Number(count < 0n ? 0n : count))
  return Array.from({ length: Math.max(0, Number(count)) }, (_, index) => BigInt(index))
}

/** From and to as they are written out; else all of it. */
const slices: CallCost = {
  run: itemsOf,
  worst: makingList(args => {
    const size = integerAt(args, 2, sizeOf(args, 0).max) - integerAt(args, 1, 0)
    // Below nothing, cel-go's counting begins again at its end.
    return fixed(size < 0 ? MOST : size)
  }),
}

const flattens: CallCost = {
  run: itemsOf,
  worst: makingList(
    args => sizeOf(args, 0),
    args => (args.length < 2 ? 1 : integerAt(args, 1, MOST)),
  ),
}

const distinguishes: CallCost = { run: itemsOf, worst: comparingAll() }
const reverses: CallCost = { run: itemsOf, worst: makingList(args => sizeOf(args, 0)) }
const counts: CallCost = { worst: makingList(args => fixed(integerAt(args, 0, MOST))) }

const extension: readonly CelFunction[] = [
  method(
    'slice',
    [listOf(T), INT, INT],
    listOf(T),
    ([items, start, end]) => {
      return slice(list(items), Number(start as bigint), Number(end as bigint))
    },
    slices,
  ),
  method('flatten', [listOf(listOf(T))], listOf(T), ([items], charge) => flatten(list(items), 1, charge), flattens),
  method(
    'flatten',
    [listOf(DYN), INT],
    listOf(DYN),
    ([items, depth], charge) => {
      return flatten(list(items), Number(depth as bigint), charge)
    },
    flattens,
  ),
  method('first', [listOf(T)], optionalOf(T), ([items]) => end(list(items), 0)),
  method('last', [listOf(T)], optionalOf(T), ([items]) => end(list(items), -1)),
  method('distinct', [listOf(T)], listOf(T), ([items], charge) => distinct(list(items), charge), distinguishes),
  method('reverse', [listOf(T)], listOf(T), ([items]) => list(items).toReversed(), reverses),
  globalFunction('lists.range', [INT], listOf(INT), ([count], charge) => range(count as bigint, charge), counts),
  ...COMPARABLE.map(type =>
    method(
      'sort',
      [listOf(type)],
      listOf(type),
      ([items], charge) => list(items).toSorted((a, b) => order(a, b, charge)),
      { run: args => itemsOf(args) * 2, worst: comparingAll(type) },
    ),
  ),
]

const holds = (items: List, item: CelValue, charge: Charge): boolean =>
  items.some(other => isEqual(other, item, charge))
const covers = (a: List, b: List, charge: Charge): boolean => b.every(item => holds(a, item, charge))
const pairs = ([a, b]: readonly CelValue[]): number => Math.max(1, traversal(list(a).length * list(b).length))

const comparesPairs = (times: number): CallCost => ({ run: args => pairs(args) * times, worst: comparingLists(times) })

const sets: readonly CelFunction[] = [
  globalFunction(
    'sets.contains',
    [listOf(T), listOf(T)],
    BOOL,
    ([a, b], charge) => covers(list(a), list(b), charge),
    comparesPairs(1),
  ),
  globalFunction(
    'sets.equivalent',
    [listOf(T), listOf(T)],
    BOOL,
    ([a, b], charge) => {
      return covers(list(a), list(b), charge) && covers(list(b), list(a), charge)
    },
    comparesPairs(2),
  ),
  globalFunction(
    'sets.intersects',
    [listOf(T), listOf(T)],
    BOOL,
    ([a, b], charge) => {
      return list(b).some(item => holds(list(a), item, charge))
    },
    comparesPairs(1),
  ),
]

export const LISTS: readonly CelFunction[] = [...kubernetes, ...extension, ...sets]
