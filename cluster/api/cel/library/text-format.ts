/** `"%s of %d".format([a, b])`: cel-go's verbs. */
import { traversal, walks } from '../cost/call-cost.ts'
import { formatDouble } from '../double.ts'
import { fixedPoint, scientific } from '../english.ts'
import type { Charge } from '../equality.ts'
import { wrongFor } from '../format-clauses.ts'
import { type CelFunction, method } from '../function.ts'
import { formatDuration, formatTime } from '../time.ts'
import { DYN, listOf, STRING } from '../type.ts'
import {
  CelError,
  type CelValue,
  Dictionary,
  Duration,
  OptionalValue,
  Timestamp,
  TypeName,
  typeNameOf,
  Unsigned,
} from '../value.ts'

/** Values within lists and maps show texts in quotes. */
const shown = (value: CelValue, inside = false): string => {
  if (typeof value === 'string') return inside ? JSON.stringify(value) : value
  if (value === null) return 'null'
  if (Array.isArray(value)) return `[${value.map(item => shown(item, true)).join(', ')}]`
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (value instanceof Unsigned) return String(value.value)
  if (value instanceof Timestamp) return formatTime(value)
  if (value instanceof Duration) return formatDuration(value)
  if (value instanceof TypeName) return value.name
  if (typeof value === 'number') return formatDouble(value)
  if (value instanceof Dictionary) {
    const entries = value.keys().map(key => `${shown(key, true)}: ${shown(value.get(key) ?? null, true)}`)
    return `{${entries.sort().join(', ')}}`
  }
  if (value instanceof OptionalValue || typeof value === 'object') {
    throw new CelError(
      'error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
    )
  }
  return String(value)
}

const wrong = (verb: string, value: CelValue): CelError => new CelError(wrongFor(verb, typeNameOf(value)))

const integerOf = (verb: string, value: CelValue): bigint => {
  if (typeof value === 'bigint') return value
  if (value instanceof Unsigned) return value.value
  throw wrong(verb, value)
}

const hexadecimal = (value: CelValue): string => {
  if (typeof value === 'string' || value instanceof Uint8Array) return Buffer.from(value as string).toString('hex')
  return integerOf('x', value).toString(16)
}

/** The names of numbers without digits are texts that a number may be. */
const NAMED: ReadonlySet<CelValue> = new Set(['NaN', 'Infinity', '-Infinity'])

const double = (verb: 'f' | 'e', value: CelValue, digits: string): string => {
  if (typeof value !== 'number' && !NAMED.has(value)) throw wrong(verb, value)
  const places = digits === '' ? 6 : Math.min(Number(digits.slice(1)), 100)
  return verb === 'f' ? fixedPoint(Number(value), places) : scientific(Number(value)).padStart(places)
}

const VERBS: Readonly<Record<string, (value: CelValue, digits: string) => string>> = {
  s: value => shown(value),
  d: value => String(integerOf('d', value)),
  f: (value, digits) => double('f', value, digits),
  e: (value, digits) => double('e', value, digits),
  b: value => (typeof value === 'boolean' ? String(Number(value)) : integerOf('b', value).toString(2)),
  x: hexadecimal,
  X: value => hexadecimal(value).toUpperCase(),
  o: value => integerOf('o', value).toString(8),
}

const format = (pattern: string, values: readonly CelValue[], charge: Charge): string => {
  let next = 0
  return pattern.replace(/%(%|(\.\d+)?(.?))/gs, (_all, rest: string, digits = '', verb = '') => {
    if (rest === '%') return '%'
    const write = VERBS[verb]
    if (!write) throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`)
    if (next >= values.length) throw new CelError(`index ${next} out of range`)
    const written = write(values[next++]!, digits)
    charge(traversal(2 * written.length))
    return written
  })
}

export const TEXT_FORMAT: readonly CelFunction[] = [
  method(
    'format',
    [STRING, listOf(DYN)],
    STRING,
    ([pattern, values], charge) => format(pattern as string, values as readonly CelValue[], charge),
    walks(1),
  ),
]
