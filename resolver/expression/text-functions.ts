/** expr-lang's functions of strings. */
import { EvaluationError, type Place } from './expression-error.ts'
import type { ExpressionFunction, Functions, Parameter } from './function.ts'
import {
  LONGEST_STRING,
  type Subject,
  type TypedList,
  type TypedNumber,
  type TypedString,
  wholeNumber,
  wrongType,
} from './typed.ts'

/** A string made of strings. */
const text = (
  parameters: readonly Parameter[],
  change: (...values: readonly string[]) => string,
  optional = 0,
): ExpressionFunction => ({
  parameters,
  optional,
  make: (place, values) => {
    const parts = values as readonly TypedString[]
    return {
      place,
      type: 'string',
      of: subject => change(...parts.map(part => part.of(subject))),
    }
  },
})
const compare = (holds: (text: string, part: string) => boolean): ExpressionFunction => ({
  parameters: ['TEXT', 'PART'],
  make: (place, values) => {
    const [whole, part] = values as readonly [TypedString, TypedString]
    return { place, type: 'boolean', of: subject => holds(whole.of(subject), part.of(subject)) }
  },
})
const lengthOf: ExpressionFunction = {
  parameters: ['VALUE'],
  make: (place, [value]) => {
    if (value!.type !== 'string' && value!.type !== 'list') throw wrongType(value!, place.text, 'string')
    const { of } = value as TypedString | TypedList
    return { place, type: 'number', of: subject => of(subject).length }
  },
}

/** Characters of `chars` at both ends; without it, blanks. */
const trimmed = (whole: string, chars?: string): string => {
  if (chars === undefined) return whole.trim()
  let start = 0
  let end = whole.length
  while (start < end && chars.includes(whole[start]!)) start++
  while (end > start && chars.includes(whole[end - 1]!)) end--
  return whole.slice(start, end)
}

/** Pieces with `glue` between them, if that is not too long: looked at before it is made. */
export const joined = (pieces: readonly string[], glue: string, { text: who }: Place): string => {
  const length = pieces.reduce((sum, piece) => sum + piece.length + glue.length, 0)
  if (length <= LONGEST_STRING + glue.length) return pieces.join(glue)
  throw new EvaluationError(`${who}: longer than ${LONGEST_STRING} characters`)
}

const replace: ExpressionFunction = {
  parameters: ['TEXT', 'OLD', 'NEW'],
  make: (place, values) => {
    const [whole, old, instead] = values as readonly [TypedString, TypedString, TypedString]
    const of = (subject: Subject): string => {
      const before = whole.of(subject)
      const part = old.of(subject)
      // Go: nothing is found at both ends and between all characters.
      const pieces = part === '' ? ['', ...before, ''] : before.split(part)
      return joined(pieces, instead.of(subject), place)
    }
    return { place, type: 'string', of }
  },
}

const repeat: ExpressionFunction = {
  parameters: ['TEXT', 'TIMES'],
  make: (place, values) => {
    const [part, times] = values as readonly [TypedString, TypedNumber]
    const of = (subject: Subject): string => {
      const piece = part.of(subject)
      const count = wholeNumber(times.of(subject), place.text)
      if (count >= 0 && count * piece.length <= LONGEST_STRING) return piece.repeat(count)
      throw new EvaluationError(`repeat: ${count} times is ${count < 0 ? 'nothing' : 'too long'}`)
    }
    return { place, type: 'string', of }
  },
}

const split: ExpressionFunction = {
  parameters: ['TEXT', 'PART', 'TIMES'],
  optional: 1,
  make: (place, values) => {
    const [whole, part, times] = values as readonly [TypedString, TypedString, TypedNumber | undefined]
    const of = (subject: Subject): readonly string[] => {
      const separator = part.of(subject)
      const pieces = whole.of(subject).split(separator)
      const most = times ? wholeNumber(times.of(subject), place.text) : -1
      // Go's SplitN: the last piece is all that is left.
      if (most < 0 || pieces.length <= most) return pieces
      return most === 0 ? [] : [...pieces.slice(0, most - 1), pieces.slice(most - 1).join(separator)]
    }
    return { place, type: 'list', items: 'string', of }
  },
}

const position = (find: (text: string, part: string) => number): ExpressionFunction => ({
  parameters: ['TEXT', 'PART'],
  make: (place, values) => {
    const [whole, part] = values as readonly [TypedString, TypedString]
    return { place, type: 'number', of: subject => find(whole.of(subject), part.of(subject)) }
  },
})

export const textFunctions: Functions = new Map<string, ExpressionFunction>([
  ['len', lengthOf],
  ['lower', text(['TEXT'], whole => whole!.toLowerCase())],
  ['upper', text(['TEXT'], whole => whole!.toUpperCase())],
  ['trim', text(['TEXT', 'PART'], (whole, chars) => trimmed(whole!, chars), 1)],
  [
    'trimPrefix',
    text(['TEXT', 'PART'], (whole, part) => (whole!.startsWith(part!) ? whole!.slice(part!.length) : whole!)),
  ],
  [
    'trimSuffix',
    text(['TEXT', 'PART'], (whole, part) =>
      whole!.endsWith(part!) ? whole!.slice(0, whole!.length - part!.length) : whole!,
    ),
  ],
  ['replace', replace],
  ['repeat', repeat],
  ['split', split],
  ['hasPrefix', compare((whole, part) => whole.startsWith(part))],
  ['hasSuffix', compare((whole, part) => whole.endsWith(part))],
  ['indexOf', position((whole, part) => whole.indexOf(part))],
  ['lastIndexOf', position((whole, part) => whole.lastIndexOf(part))],
])
