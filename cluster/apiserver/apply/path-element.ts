/**
 * One step of a field's path, as FieldsV1 writes it (KEP-555): `f:NAME` a field of a struct or map, `k:{"name":"x"}` the
 * item of a list with these keys, `v:"x"` a member of a set, `i:0` a place in a list. The text is the identity: equal steps
 * have equal text, which `normalizeElement` sees to for what strangers send.
 */
import { isObject } from '#cluster/api/own-property.ts'

type Scalar = string | number | boolean | null

/** In the order of FieldsV1. */
const KINDS = 'fkvi'

/** The elements of the types' own fields, made once: a text made anew is hashed anew wherever it is a key. */
const known = new Map<string, string>()

/** For names that the types have, not for those that clients choose. */
export const knowField = (name: string): void => void known.set(name, `f:${name}`)

export const fieldElement = (name: string): string => known.get(name) ?? `f:${name}`

export const valueElement = (value: Scalar): string => `v:${JSON.stringify(value)}`

/** The first half of a letter beyond the 16 bits of JavaScript's characters; from here on their order is not that of bytes. */
const SURROGATES = 0xd800

/** By bytes, as Go compares. */
const compareText = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const [left, right] = [a.charCodeAt(index), b.charCodeAt(index)]
    if (left === right) continue
    if (left < SURROGATES || right < SURROGATES) return left - right
    return Buffer.compare(Buffer.from(a), Buffer.from(b))
  }
  return a.length - b.length
}

const sortedEntries = (keys: Readonly<Record<string, unknown>>): [string, unknown][] =>
  Object.entries(keys).sort(([a], [b]) => compareText(a, b))

/** `keys`: name → value of each key that the item has. */
const keyElement = (keys: Readonly<Record<string, unknown>>): string => {
  const parts = sortedEntries(keys).map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`)
  return `k:{${parts.join(',')}}`
}

/** Undefined: no field's name. */
export const fieldName = (element: string): string | undefined =>
  element.startsWith('f:') ? element.slice(2) : undefined

const readJson = (text: string): { readonly value: unknown } | undefined => {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

/**
 * The element in the one spelling that stands for it. `unknown`: of a kind that a later version may know, to be left
 * out; `malformed`: no element at all.
 */
export const normalizeElement = (text: string): { readonly element: string } | 'unknown' | 'malformed' => {
  if (text.length < 2 || text[1] !== ':') return 'malformed'
  const rest = text.slice(2)
  switch (text[0]) {
    case 'f':
      return { element: text }
    case 'i':
      return /^[+-]?\d+$/.test(rest) ? { element: `i:${Number(rest)}` } : 'malformed'
    case 'v': {
      const read = readJson(rest)
      return read ? { element: `v:${JSON.stringify(read.value)}` } : 'malformed'
    }
    case 'k': {
      const read = readJson(rest)
      return read && isObject(read.value) ? { element: keyElement(read.value) } : 'malformed'
    }
    default:
      return 'unknown'
  }
}

const rank = (value: unknown): number => {
  if (typeof value === 'number') return 0
  if (typeof value === 'string') return 1
  if (typeof value === 'boolean') return 2
  if (Array.isArray(value)) return 3
  return value === null ? 5 : 4
}

/** Numbers, texts, booleans, lists, objects, null, in this order. */
const compareValues = (a: unknown, b: unknown): number => {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b)
  if (rank(a) !== rank(b)) return rank(a) - rank(b)
  return compareText(JSON.stringify(a), JSON.stringify(b))
}

/** An element read once, however often it is compared. */
interface Ranked {
  readonly element: string
  readonly kind: number
  readonly value: unknown
}

const ranked = (element: string): Ranked => {
  const kind = KINDS.indexOf(element[0] ?? '')
  const rest = element.slice(2)
  switch (element[0]) {
    case 'k':
      return { element, kind, value: sortedEntries(JSON.parse(rest)) }
    case 'v':
      return { element, kind, value: JSON.parse(rest) }
    case 'i':
      return { element, kind, value: Number(rest) }
    default:
      return { element, kind, value: rest }
  }
}

type Entries = readonly (readonly [string, unknown])[]

const compareKeys = (left: Entries, right: Entries): number => {
  for (const [index, [name, value]] of left.entries()) {
    const other = right[index]
    if (!other) return 1
    const order = compareText(name, other[0]) || compareValues(value, other[1])
    if (order !== 0) return order
  }
  return left.length - right.length
}

const compareRanked = (a: Ranked, b: Ranked): number => {
  if (a.kind !== b.kind) return a.kind - b.kind
  return a.element.startsWith('k')
    ? compareKeys(a.value as Entries, b.value as Entries)
    : compareValues(a.value, b.value)
}

/** The order of FieldsV1: by kind, then names by bytes, keys and values by what they are (9 before 80 before 8080). */
export const sortElements = (elements: readonly string[]): string[] =>
  elements
    .map(ranked)
    .sort(compareRanked)
    .map(({ element }) => element)

const describeValue = (value: unknown): string => JSON.stringify(value)

/** As errors name it: `.spec`, `[name="x"]`, `[="x"]`, `[0]`. */
export const describeElement = (element: string): string => {
  const rest = element.slice(2)
  switch (element[0]) {
    case 'k': {
      const parts = sortedEntries(JSON.parse(rest)).map(([name, value]) => `${name}=${describeValue(value)}`)
      return `[${parts.join(',')}]`
    }
    case 'v':
      return `[=${describeValue(JSON.parse(rest))}]`
    case 'i':
      return `[${rest}]`
    default:
      return `.${rest}`
  }
}

/** `.spec.ports[port=80,protocol="TCP"].name`. */
export const describePath = (path: readonly string[]): string => path.map(describeElement).join('')
