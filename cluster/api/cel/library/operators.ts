/** Operators but for those whose right side may not be looked at (`&&`, `||`, `?:`) and equality, which need no overloads. */
import { traversal, walksBoth, walksShorter } from '../cost/call-cost.ts'
import { joining, sizeOf as measured } from '../cost/estimate.ts'
import { type Charge, isEqual, sameItem } from '../equality.ts'
import { type CelFunction, globalFunction } from '../function.ts'
import { order } from '../order.ts'
import { checkedDuration, checkedTime } from '../time.ts'
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  INT,
  listOf,
  mapOf,
  parameter,
  STRING,
  TIMESTAMP,
  UINT,
} from '../type.ts'
import {
  CelError,
  type CelValue,
  type Dictionary,
  type Duration,
  meaningOf,
  sizeOf,
  type Timestamp,
  Unsigned,
  withMeaning,
} from '../value.ts'

const MAX_INT = 2n ** 63n - 1n
const MIN_INT = -(2n ** 63n)

const int = (value: bigint): bigint => {
  if (value > MAX_INT || value < MIN_INT) throw new CelError('integer overflow')
  return value
}

const uint = (value: bigint): Unsigned => {
  if (value < 0n || value >= 2n ** 64n) throw new CelError('unsigned integer overflow')
  return new Unsigned(value)
}

const divide = (a: bigint, b: bigint): bigint => {
  if (b === 0n) throw new CelError('division by zero')
  return a / b
}

const remainder = (a: bigint, b: bigint): bigint => {
  if (b === 0n) throw new CelError('modulus by zero')
  return a % b
}

const ints = (name: string, act: (a: bigint, b: bigint) => bigint): CelFunction[] => [
  globalFunction(name, [INT, INT], INT, ([a, b]) => int(act(a as bigint, b as bigint))),
  globalFunction(name, [UINT, UINT], UINT, ([a, b]) => uint(act((a as Unsigned).value, (b as Unsigned).value))),
]

const doubles = (name: string, act: (a: number, b: number) => number): CelFunction =>
  globalFunction(name, [DOUBLE, DOUBLE], DOUBLE, ([a, b]) => act(a as number, b as number))

const nanos = (value: CelValue | undefined): bigint => (value as Timestamp | Duration).nanoseconds

const times: CelFunction[] = [
  globalFunction('_+_', [TIMESTAMP, DURATION], TIMESTAMP, ([a, b]) => checkedTime(nanos(a) + nanos(b))),
  globalFunction('_+_', [DURATION, TIMESTAMP], TIMESTAMP, ([a, b]) => checkedTime(nanos(a) + nanos(b))),
  globalFunction('_+_', [DURATION, DURATION], DURATION, ([a, b]) => checkedDuration(nanos(a) + nanos(b))),
  globalFunction('_-_', [TIMESTAMP, TIMESTAMP], DURATION, ([a, b]) => checkedDuration(nanos(a) - nanos(b))),
  globalFunction('_-_', [TIMESTAMP, DURATION], TIMESTAMP, ([a, b]) => checkedTime(nanos(a) - nanos(b))),
  globalFunction('_-_', [DURATION, DURATION], DURATION, ([a, b]) => checkedDuration(nanos(a) - nanos(b))),
]

/** A set takes what it lacks; a map's items of the right side take the place of those with their keys (KEP-2876). */
const concatenate = (a: readonly CelValue[], b: readonly CelValue[], charge: Charge): readonly CelValue[] => {
  charge(traversal(a.length + b.length))
  const meaning = meaningOf(a)
  if (!meaning) return [...a, ...b]
  if (meaning.type === 'set') {
    const added = b.filter(item => !a.some(other => isEqual(other, item, charge)))
    return withMeaning([...a, ...added], meaning)
  }
  const isSame = (x: CelValue, y: CelValue) => sameItem(x, y, meaning.keys, charge)
  const kept = a.map(item => b.findLast(other => isSame(item, other)) ?? item)
  const added = b.filter(item => !a.some(other => isSame(item, other)))
  return withMeaning([...kept, ...added], meaning)
}

const T = parameter('T')

const joins: CelFunction[] = [
  globalFunction('_+_', [STRING, STRING], STRING, ([a, b]) => (a as string) + (b as string), walksBoth),
  globalFunction(
    '_+_',
    [BYTES, BYTES],
    BYTES,
    ([a, b]) => new Uint8Array(Buffer.concat([a as Uint8Array, b as Uint8Array])),
    walksBoth,
  ),
  globalFunction(
    '_+_',
    [listOf(T), listOf(T)],
    listOf(T),
    ([a, b], charge) => concatenate(a as readonly CelValue[], b as readonly CelValue[], charge),
    { worst: args => ({ ...joining(args), cost: 1 }) },
  ),
]

/** The cost of a relation has paid for long ones. */
const paid: Charge = () => {}

const NUMBERS = [INT, UINT, DOUBLE]

const comparable: readonly (readonly [CelType, CelType])[] = [
  ...NUMBERS.flatMap(a => NUMBERS.map(b => [a, b] as const)),
  ...[BOOL, STRING, BYTES, TIMESTAMP, DURATION].map(type => [type, type] as const),
]

const relation = (name: string, holds: (comparison: number) => boolean): CelFunction[] =>
  comparable.map(([a, b]) =>
    globalFunction(
      name,
      [a, b],
      BOOL,
      args => holds(order(args[0]!, args[1]!, paid)),
      a === STRING || a === BYTES ? walksShorter : undefined,
    ),
  )

const negation: CelFunction[] = [
  globalFunction('!_', [BOOL], BOOL, ([a]) => !a),
  globalFunction('-_', [INT], INT, ([a]) => int(-(a as bigint))),
  globalFunction('-_', [DOUBLE], DOUBLE, ([a]) => -(a as number)),
]

const membership: CelFunction[] = [
  globalFunction(
    '@in',
    [T, listOf(T)],
    BOOL,
    ([item, list], charge) => (list as readonly CelValue[]).some(other => isEqual(item!, other, charge)),
    { run: ([, list]) => sizeOf(list!), worst: args => ({ cost: measured(args, 1).max }) },
  ),
  globalFunction('@in', [T, mapOf(T, parameter('V'))], BOOL, ([key, map]) => {
    return (map as Dictionary).get(key!) !== undefined
  }),
]

export const OPERATORS: readonly CelFunction[] = [
  ...ints('_+_', (a, b) => a + b),
  ...ints('_-_', (a, b) => a - b),
  ...ints('_*_', (a, b) => a * b),
  ...ints('_/_', divide),
  ...ints('_%_', remainder),
  doubles('_+_', (a, b) => a + b),
  doubles('_-_', (a, b) => a - b),
  doubles('_*_', (a, b) => a * b),
  doubles('_/_', (a, b) => a / b),
  ...times,
  ...joins,
  ...relation('_<_', comparison => comparison < 0),
  ...relation('_<=_', comparison => comparison <= 0),
  ...relation('_>_', comparison => comparison > 0),
  ...relation('_>=_', comparison => comparison >= 0),
  ...negation,
  ...membership,
]
