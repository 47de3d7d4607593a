/** What a call may cost at worst, from what is known of its arguments (cel-go: the checker's cost). */
import type { CelType } from '../type.ts'
import type { Path } from './declared.ts'
import { either, plus, product, type Size, scaled, sum, times, UNKNOWN } from './size.ts'

/** The sizes of what is in a list or a map. */
export interface EntrySizes {
  readonly container: 'list' | 'map'
  readonly key: Size
  readonly value: Size
}

/** A part of an expression, as far as it can be known before it runs. */
export interface Measured {
  readonly type: CelType
  /** What it costs to work it out at most, in cel-go's unit. */
  readonly cost: number
  readonly path: Path
  readonly size: Size | undefined
  readonly entries: EntrySizes | undefined
  /** Of its items; undefined: its type has none. */
  readonly itemSize: () => Size | undefined
  /** An integer that is written out. */
  readonly integer: bigint | undefined
}

export interface Worst {
  /** Without what the arguments cost. */
  readonly cost: number
  /** Of what the call gives; absent: what its type tells. */
  readonly size?: Size | undefined
  readonly entries?: EntrySizes | undefined
}

/** `args`: the receiver first. */
export type Estimate = (args: readonly Measured[]) => Worst

export const TRAVERSAL = 0.1
export const REGEX = 0.25
/** What a list and a map cost that are made. */
export const LIST_COST = 10
export const MAP_COST = 30

export const sizeOf = (args: readonly Measured[], index: number): Size => args[index]?.size ?? UNKNOWN

export const joinEntries = (a: EntrySizes | undefined, b: EntrySizes | undefined): EntrySizes | undefined =>
  a && b && { container: a.container, key: either(a.key, b.key), value: either(a.value, b.value) }

/** To walk through the argument number `index`, so many times. */
export const walking =
  (factor = 1, index = 0): Estimate =>
  args => ({ cost: scaled(sizeOf(args, index).max, factor * TRAVERSAL) })

/** The same, and what it gives is as large as its first argument. */
export const keepingSize =
  (estimate: Estimate): Estimate =>
  args => ({ ...estimate(args), size: sizeOf(args, 0) })

/** Two texts that become one. */
export const joining: Estimate = ([a, b]) => {
  const size = plus(a?.size ?? UNKNOWN, b?.size ?? UNKNOWN)
  return { cost: scaled(size.max, TRAVERSAL), size, entries: joinEntries(a?.entries, b?.entries) }
}

/** As far as the shorter of two. */
export const comparing: Estimate = args => ({
  cost: scaled(Math.min(sizeOf(args, 0).max, sizeOf(args, 1).max), TRAVERSAL),
})

/** One within the other. */
export const walkingWithin: Estimate = args => ({
  cost: product(scaled(sizeOf(args, 0).max, TRAVERSAL), scaled(sizeOf(args, 1).max, TRAVERSAL)),
})

/** A text against a pattern: a character more, so that an empty text costs too. */
export const matchingPattern: Estimate = args => ({
  cost: product(scaled(sum(sizeOf(args, 0).max, 1), TRAVERSAL), scaled(sizeOf(args, 1).max, REGEX)),
})

const isLong = (type: CelType | undefined): boolean => type?.form === 'string' || type?.form === 'bytes'

/** Each item of a list once, texts from end to end; of a text its characters. */
export const searching: Estimate = ([subject]) => {
  const { max } = subject?.size ?? UNKNOWN
  const item = subject?.itemSize()
  if (!subject || !item) return { cost: scaled(max, TRAVERSAL) }
  return { cost: product(max, isLong(itemOf(subject.type)) ? sum(1, scaled(item.max, TRAVERSAL)) : 1) }
}

/** What a type is of: the first of its parameters. */
export const itemOf = (type: CelType): CelType | undefined => {
  if (type.form === 'list' || type.form === 'optional') return type.item
  return type.form === 'map' ? type.key : undefined
}

/** A list of `size` that is made by so many steps for each item. */
const making = (size: Size, factor: number): Worst => ({ cost: sum(scaled(size.max, factor), 1, LIST_COST), size })

export const makingList =
  (size: (args: readonly Measured[]) => Size, factor: (args: readonly Measured[]) => number = () => 1): Estimate =>
  args =>
    making(size(args), factor(args))

/** Each item of the list number `index` against each: what cel-go says of lists that are sorted or made distinct. */
export const comparingAll =
  (item?: CelType, index = 0): Estimate =>
  args =>
    making(times(sizeOf(args, index), sizeOf(args, index)), isLong(item) ? 2 + TRAVERSAL : 2)

/** Each item of one list against each of the other's. */
export const comparingLists =
  (factor: number): Estimate =>
  args => ({ cost: sum(scaled(times(sizeOf(args, 0), sizeOf(args, 1)).max, factor), 1) })

/** An integer that stands there, at least 0; else `unless`. */
export const integerAt = (args: readonly Measured[], index: number, unless: number): number => {
  const integer = args[index]?.integer
  if (integer === undefined) return unless
  return integer < 0n ? 0 : Number(integer)
}
