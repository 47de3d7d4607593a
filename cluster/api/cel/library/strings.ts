/** Texts: CEL's own functions, and cel-go's extension `strings` in the version that Kubernetes has. Places are characters. */
import { traversal, walks, walksWithin } from '../cost.ts'
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

type Act = (subject: string, ...rest: never[]) => CelValue

const withText = (name: string, rest: readonly CelType[], result: CelType, act: Act, cost = walks(1)): CelFunction =>
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
  withText('startsWith', [STRING], BOOL, (subject, part: string) => subject.startsWith(part)),
  withText('endsWith', [STRING], BOOL, (subject, part: string) => subject.endsWith(part)),
  withText('charAt', [INT], STRING, charAt),
  withText('indexOf', [STRING], INT, indexOf),
  withText('indexOf', [STRING, INT], INT, indexOf),
  withText('lastIndexOf', [STRING], INT, lastIndexOf),
  withText('lastIndexOf', [STRING, INT], INT, lastIndexOf),
  withText('lowerAscii', [], STRING, subject => subject.replace(LOWER, letter => letter.toLowerCase())),
  withText('upperAscii', [], STRING, subject => subject.replace(UPPER, letter => letter.toUpperCase())),
  withText('split', [STRING], listOf(STRING), split, walks(2)),
  withText('split', [STRING, INT], listOf(STRING), split, walks(2)),
  withText('substring', [INT], STRING, substring),
  withText('substring', [INT, INT], STRING, substring),
  withText('trim', [], STRING, trim),
  method(
    'replace',
    [STRING, STRING, STRING],
    STRING,
    ([subject, old, next], charge) => {
      return replace(charge, text(subject), text(old), text(next))
    },
    walks(2),
  ),
  method(
    'replace',
    [STRING, STRING, STRING, INT],
    STRING,
    ([subject, old, next, limit], charge) => {
      return replace(charge, text(subject), text(old), text(next), place(limit))
    },
    walks(2),
  ),
  method('join', [listOf(STRING)], STRING, ([list], charge) => joined(charge, list, '')),
  method('join', [listOf(STRING), STRING], STRING, ([list, separator], charge) =>
    joined(charge, list, text(separator)),
  ),
  globalFunction('strings.quote', [STRING], STRING, ([subject]) => quoted(text(subject)), walks(1)),
]
