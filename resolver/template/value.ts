/** Values of templates: Go's, as far as records are made of them. Integers are bigint: `parseInt` gives up to 64 bits. */
export type Value =
  | string
  | bigint
  | boolean
  | undefined
  | readonly Value[]
  | ReadonlyMap<string, Value>
  | TemplateFunction

/** Throws a `TemplateError` for arguments that it does not take. */
export type TemplateFunction = (...values: readonly Value[]) => Value

/** What a template cannot do with the values that it got. The message is for people. */
export class TemplateError extends Error {}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value)

/** As Go's `fmt.Print` writes it. */
export const show = (value: Value): string => {
  if (value === undefined) return '<no value>'
  if (isList(value)) return `[${value.map(show).join(' ')}]`
  if (value instanceof Map) {
    const entries = [...value.entries()].sort(([left], [right]) => (left < right ? -1 : 1))
    return `map[${entries.map(([key, entry]) => `${key}:${show(entry as Value)}`).join(' ')}]`
  }
  return typeof value === 'function' ? '<function>' : String(value)
}

/** Whether `if` takes the value for true: everything but false, 0 and what is empty. */
export const isTrue = (value: Value): boolean => {
  if (isList(value)) return value.length > 0
  if (value instanceof Map) return value.size > 0
  return Boolean(value)
}

const wrong = (name: string, wanted: string, value: Value): never => {
  throw new TemplateError(`${name} wants ${wanted}, not ${show(value)}`)
}

const stringOf = (name: string, value: Value): string =>
  typeof value === 'string' ? value : wrong(name, 'a string', value)
const integerOf = (name: string, value: Value): bigint =>
  typeof value === 'bigint' ? value : wrong(name, 'a number', value)

const compare = (name: string, left: Value, right: Value): number => {
  if (typeof left === 'string' && typeof right === 'string') return left < right ? -1 : left > right ? 1 : 0
  if (typeof left === 'bigint' && typeof right === 'bigint') return left < right ? -1 : left > right ? 1 : 0
  return wrong(name, `two of a kind after ${show(left)}`, right)
}

const isEqual = (left: Value, right: Value): boolean => {
  if (typeof left === typeof right && typeof left !== 'object') return left === right
  return wrong('eq', `two of a kind after ${show(left)}`, right)
}

const indexOf = (from: Value, key: Value): Value => {
  if (from instanceof Map) return from.get(stringOf('index', key)) ?? ''
  const list = typeof from === 'string' ? [...Buffer.from(from)].map(BigInt) : from
  if (!isList(list as Value)) return wrong('index', 'a list, a map or a string', from)
  const position = integerOf('index', key)
  const items = list as readonly Value[]
  if (position < 0n || position >= BigInt(items.length)) throw new TemplateError(`index out of range: ${position}`)
  return items[Number(position)]
}

/** Go's strconv.ParseUint: digits of the base alone, within the bits. */
const parseUint = (text: string, base: bigint, bits: bigint): bigint => {
  if (base < 2n || base > 36n) throw new TemplateError(`parseInt: invalid base ${base}`)
  if (bits < 0n || bits > 64n) throw new TemplateError(`parseInt: invalid bit size ${bits}`)
  if (text === '') throw new TemplateError('parseInt: invalid syntax ""')
  let number = 0n
  for (const digit of text) {
    const value = /[0-9a-z]/i.test(digit) ? BigInt(Number.parseInt(digit, 36)) : base
    if (value >= base) throw new TemplateError(`parseInt: invalid syntax "${text}"`)
    number = number * base + value
    if (number >= 1n << (bits === 0n ? 64n : bits)) throw new TemplateError(`parseInt: "${text}" is out of range`)
  }
  return number
}

/** No record is wider; the format may be what a client asked for. */
const MAX_WIDTH = 65_535

/** `%d %s %v %q %x %X %o %b %c %%`, with width, `-` and `0`. */
const formatVerbs = (format: string, values: readonly Value[]): string => {
  let used = 0
  const text = format.replace(/%([-0]*)(\d*)([a-zA-Z%])/g, (whole, flags: string, width: string, verb: string) => {
    if (verb === '%') return '%'
    if (used >= values.length) throw new TemplateError(`printf: nothing left for ${whole}`)
    const shown = showVerb(verb, values[used++])
    if (Number(width) > MAX_WIDTH) throw new TemplateError(`printf: ${whole} is wider than ${MAX_WIDTH}`)
    if (flags.includes('-')) return shown.padEnd(Number(width))
    return shown.padStart(Number(width), flags.includes('0') ? '0' : ' ')
  })
  if (used < values.length) throw new TemplateError('printf: more values than verbs')
  return text
}

const radixes: Readonly<Record<string, number>> = { d: 10, x: 16, X: 16, o: 8, b: 2 }

const showVerb = (verb: string, value: Value): string => {
  if (verb === 'v' || verb === 's') return show(value)
  if (verb === 'q') return JSON.stringify(stringOf('printf %q', value))
  if (verb === 'c') return characterOf(integerOf('printf %c', value))
  const radix = radixes[verb]
  if (radix === undefined) throw new TemplateError(`printf: %${verb} is no verb that is known here`)
  const isHexOfText = radix === 16 && typeof value === 'string'
  const text = isHexOfText ? Buffer.from(value).toString('hex') : integerOf(`printf %${verb}`, value).toString(radix)
  return verb === 'X' ? text.toUpperCase() : text
}

/** Go: a number that is no character is U+FFFD. */
const characterOf = (code: bigint): string =>
  code < 0n || code > 0x10ffffn || (code >= 0xd800n && code <= 0xdfffn) ? '\ufffd' : String.fromCodePoint(Number(code))

const sliceOf = (from: Value, start: Value = 0n, end?: Value): Value => {
  const text = stringOf('slice', from)
  const first = Number(integerOf('slice', start))
  const last = end === undefined ? text.length : Number(integerOf('slice', end))
  if (first < 0 || last > text.length || first > last) throw new TemplateError(`slice out of range: ${first} ${last}`)
  return text.slice(first, last)
}

const lengthOf = (value: Value): bigint => {
  if (typeof value === 'string') return BigInt(Buffer.byteLength(value))
  if (isList(value)) return BigInt(value.length)
  return value instanceof Map ? BigInt(value.size) : wrong('len', 'a string, a list or a map', value)
}

/** Go's own functions, and CoreDNS's `parseInt`. `and` and `or` look at all of their values. */
export const templateFunctions: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  [
    'parseInt',
    (text, base = 10n, bits = 64n) =>
      parseUint(stringOf('parseInt', text), integerOf('parseInt', base), integerOf('parseInt', bits)),
  ],
  ['index', (from, ...keys) => keys.reduce<Value>(indexOf, from)],
  ['slice', sliceOf],
  ['len', lengthOf],
  ['print', (...values) => values.map(show).join('')],
  ['printf', (format, ...values) => formatVerbs(stringOf('printf', format), values)],
  ['not', value => !isTrue(value)],
  ['and', (...values) => values.find(value => !isTrue(value)) ?? values.at(-1)],
  ['or', (...values) => values.find(isTrue) ?? values.at(-1)],
  ['eq', (left, ...others) => others.some(right => isEqual(left, right))],
  ['ne', (left, right) => !isEqual(left, right)],
  ['lt', (left, right) => compare('lt', left, right) < 0],
  ['le', (left, right) => compare('le', left, right) <= 0],
  ['gt', (left, right) => compare('gt', left, right) > 0],
  ['ge', (left, right) => compare('ge', left, right) >= 0],
])
