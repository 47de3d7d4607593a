/** Texts: CEL's own functions, and cel-go's extension `strings` in the version that Kubernetes has. Places are characters. */
import { type CallCost, traversal, walks, walksKeeping, walksUnseen, walksWithin } from '../cost/call-cost.ts'
import { type Measured, sizeOf, TRAVERSAL, type Worst, walking } from '../cost/estimate.ts'
import { fixed, MOST, plus, type Size, scaled, times } from '../cost/size.ts'
import type { Charge } from '../equality.ts'
import { type CelFunction, globalFunction, method } from '../function.ts'
import { BOOL, type CelType, INT, listOf, STRING } from '../type.ts'
import { CelError, type CelValue, codePoints } from '../value.ts'

const characters = (text: string): string[] => Array.from(text)

const text = (value: CelValue | undefined): string => value as string
const place = (value: CelValue | undefined): number => Number(value as bigint)

const outOfRange = (index: number): CelError => new CelError(`index out of range: ${index}`)

const charAt = (subject: string, index: number): string => {
  const all = characters(subject)
  if (index < 0 || index > all.length) throw outOfRange(index)
  return all[index] ?? ''
}

/** In characters, from an index in UTF-16 units. */
const countBefore = (subject: string, index: number): number => (index < 0 ? -1 : codePoints(subject.slice(0, index)))

const unitsOf = (subject: string, index: number): number => {
  const all = characters(subject)
  if (index < 0 || index > all.length) throw outOfRange(index)
  return all.slice(0, index).join('').length
}

/** Behind the end nothing is found, and nothing at all is found where it is looked for. */
const settled = (subject: string, part: string, from: number): number | undefined => {
  if (part === '') return from
  return from >= codePoints(subject) ? -1 : undefined
}

const indexOf = (subject: string, part: string, from = 0): number =>
  settled(subject, part, from) ?? countBefore(subject, subject.indexOf(part, unitsOf(subject, from)))

const lastIndexOf = (subject: string, part: string, from?: number): number => {
  const known = from === undefined ? undefined : settled(subject, part, from)
  return (
    known ?? countBefore(subject, subject.lastIndexOf(part, from === undefined ? undefined : unitsOf(subject, from)))
  )
}

const substring = (subject: string, start: number, end?: number): string => {
  const all = characters(subject)
  const last = end ?? all.length
  if (start < 0 || start > all.length) throw outOfRange(start)
  if (last < 0 || last > all.length) throw outOfRange(last)
  if (start > last) throw new CelError(`invalid substring range. start: ${start}, end: ${last}`)
  return all.slice(start, last).join('')
}

/** The result may be much longer than what goes in: it is paid for first. */
const replace = (charge: Charge, subject: string, old: string, next: string, limit = -1): string => {
  if (limit === 0 || old === next) return subject
  const parts = old === '' ? ['', ...characters(subject), ''] : subject.split(old)
  charge(traversal((parts.length - 1) * next.length))
  if (limit < 0 || parts.length - 1 <= limit) return parts.join(next)
  return `${parts.slice(0, limit + 1).join(next)}${old}${parts.slice(limit + 1).join(old)}`
}

const split = (subject: string, separator: string, limit = -1): string[] => {
  if (limit === 0) return []
  const parts = separator === '' ? characters(subject) : subject.split(separator)
  if (limit < 0 || parts.length <= limit) return parts
  return [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(separator)]
}

const LOWER = /[A-Z]/g
const UPPER = /[a-z]/g

/** U+FEFF is white space to JavaScript alone. */
const SPACE = /(?!\ufeff)[\s\u0085]/

/** Of Unicode's white space, as Go trims it. Sign by sign from either end: an expression that looks for its end tries all. */
const trim = (subject: string): string => {
  let [start, end] = [0, subject.length]
  while (start < end && SPACE.test(subject[start]!)) start++
  while (end > start && SPACE.test(subject[end - 1]!)) end--
  return subject.slice(start, end)
}

const quoted = (subject: string): string => JSON.stringify(subject)

const joined = (charge: Charge, list: CelValue | undefined, separator: string): string => {
  const parts = list as readonly CelValue[]
  if (!parts.every(part => typeof part === 'string')) throw new CelError('no such overload')
  charge(traversal(2 * parts.reduce((size, part) => size + part.length + separator.length, 0)))
  return parts.join(separator)
}

/** cel-go's estimate is of what is looked for. */
const walksOther: CallCost = { ...walks(1), worst: walking(1, 1) }

/** At worst into characters. */
const splits: CallCost = {
  ...walks(2),
  worst: args => {
    const limit = args[2]?.integer
    const most = limit === undefined ? sizeOf(args, 0).max : limit < 0n ? MOST : Number(limit)
    return { ...walking(2)(args), size: { min: 0, max: most } }
  },
}

/** Undefined: what is put in does not make the text longer (or shorter). */
const replacements = (subject: number, old: number, isIdle: boolean): number | undefined => {
  if (old === 0) return Math.min(subject + 1, MOST)
  return isIdle ? undefined : Math.ceil(subject / old)
}

const replacedSize = (subject: Size, old: Size, next: Size): Size => {
  const most = replacements(subject.max, old.min, next.max <= old.min)
  const least = replacements(subject.min, old.max, old.max <= next.min)
  const kept = {
    min: least === undefined || old.max === 0 ? subject.min : 0,
    max: most === undefined || old.min === 0 ? subject.max : 0,
  }
  return plus(times({ min: least ?? 0, max: most ?? 0 }, next), kept)
}

const replaces: CallCost = {
  ...walks(2),
  worst: args => ({
    ...walking(2)(args),
    size: replacedSize(sizeOf(args, 0), sizeOf(args, 1), sizeOf(args, 2)),
  }),
}

const joinedSize = (args: readonly Measured[]): Size => {
  const count = sizeOf(args, 0)
  const texts = times(count, args[0]?.itemSize() ?? fixed(0))
  const gaps = { min: Math.max(0, count.min - 1), max: Math.max(0, count.max - 1) }
  return args.length < 2 ? texts : plus(texts, times(sizeOf(args, 1), gaps))
}

const joins: CallCost = {
  worst: (args): Worst => {
    const size = joinedSize(args)
    return { cost: scaled(size.max, TRAVERSAL), size }
  },
}

/** Each sign may become two, and two signs go around: of a text of any size, cel-go's counter is back at zero. */
const quotes: CallCost = {
  ...walks(1),
  worst: args => {
    const { min, max } = sizeOf(args, 0)
    return { ...walking()(args), size: { min: min + 2, max: max === MOST ? 0 : 2 * max + 2 } }
  },
}

type Act = (subject: string, ...rest: never[]) => CelValue

const withText = (
  name: string,
  rest: readonly CelType[],
  result: CelType,
  act: Act,
  cost: CallCost = walks(1),
): CelFunction =>
  method(
    name,
    [STRING, ...rest],
    result,
    ([subject, ...more]) => {
      const given = more.map(value => (typeof value === 'bigint' ? place(value) : value))
      const value = act(text(subject), ...(given as never[]))
      return typeof value === 'number' ? BigInt(value) : value
    },
    cost,
  )

export const STRINGS: readonly CelFunction[] = [
  withText('contains', [STRING], BOOL, (subject, part: string) => subject.includes(part), walksWithin),
  withText('startsWith', [STRING], BOOL, (subject, part: string) => subject.startsWith(part), walksOther),
  withText('endsWith', [STRING], BOOL, (subject, part: string) => subject.endsWith(part), walksOther),
  withText('charAt', [INT], STRING, charAt, walksUnseen(1)),
  withText('indexOf', [STRING], INT, indexOf),
  withText('indexOf', [STRING, INT], INT, indexOf),
  withText('lastIndexOf', [STRING], INT, lastIndexOf),
  withText('lastIndexOf', [STRING, INT], INT, lastIndexOf),
  withText(
    'lowerAscii',
    [],
    STRING,
    subject => subject.replace(LOWER, letter => letter.toLowerCase()),
    walksKeeping(1),
  ),
  withText(
    'upperAscii',
    [],
    STRING,
    subject => subject.replace(UPPER, letter => letter.toUpperCase()),
    walksKeeping(1),
  ),
  withText('split', [STRING], listOf(STRING), split, splits),
  withText('split', [STRING, INT], listOf(STRING), split, splits),
  withText('substring', [INT], STRING, substring, walksKeeping(1)),
  withText('substring', [INT, INT], STRING, substring, walksKeeping(1)),
  withText('trim', [], STRING, trim, walksKeeping(1)),
  method(
    'replace',
    [STRING, STRING, STRING],
    STRING,
    ([subject, old, next], charge) => {
      return replace(charge, text(subject), text(old), text(next))
    },
    replaces,
  ),
  method(
    'replace',
    [STRING, STRING, STRING, INT],
    STRING,
    ([subject, old, next, limit], charge) => {
      return replace(charge, text(subject), text(old), text(next), place(limit))
    },
    replaces,
  ),
  method('join', [listOf(STRING)], STRING, ([list], charge) => joined(charge, list, ''), joins),
  method(
    'join',
    [listOf(STRING), STRING],
    STRING,
    ([list, separator], charge) => joined(charge, list, text(separator)),
    joins,
  ),
  globalFunction('strings.quote', [STRING], STRING, ([subject]) => quoted(text(subject)), quotes),
]
