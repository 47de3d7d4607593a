/**
 * Values of CEL. Integers are bigint and doubles number, so that `1` and `1.0` stay apart; JSON becomes values as
 * expressions reach for it, so that a rule about one field costs that field and not the object.
 */
import type { CelType, ListMeaning } from './type.ts'

export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Unsigned
  | Timestamp
  | Duration
  | TypeName
  | OptionalValue
  | Foreign
  | Dictionary
  | readonly CelValue[]

/** What went wrong in an evaluation, in cel-go's words. Thrown within this folder, a value outside of it. */
export class CelError extends Error {}

/** The evaluation cost more than it may. No expression can catch it. */
export class CelBudgetError extends Error {}

export class Unsigned {
  readonly value: bigint

  constructor(value: bigint) {
    this.value = value
  }
}

/** Nanoseconds since 1970-01-01T00:00:00Z. */
export class Timestamp {
  readonly nanoseconds: bigint

  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds
  }
}

export class Duration {
  readonly nanoseconds: bigint

  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds
  }
}

export class TypeName {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

export class OptionalValue {
  /** Undefined: none. */
  readonly value: CelValue | undefined

  constructor(value: CelValue | undefined) {
    this.value = value
  }
}

export const NONE = new OptionalValue(undefined)

/** A value of a library's own type. */
export abstract class Foreign {
  abstract readonly typeName: string
  abstract equals(other: Foreign): boolean
  /** What it costs to go through, in characters. */
  get size(): number {
    return 1
  }
}

/** Maps and objects. Keys are strings, numbers or booleans; numbers are looked up as the integers they equal. */
export abstract class Dictionary {
  /** Undefined where `key` is not there. */
  abstract get(key: CelValue): CelValue | undefined
  abstract keys(): readonly CelValue[]
  abstract readonly size: number
}

type Key = string | bigint | boolean | number

const keyOf = (key: CelValue): Key | undefined => {
  if (typeof key === 'string' || typeof key === 'bigint' || typeof key === 'boolean') return key
  if (key instanceof Unsigned) return key.value
  if (typeof key !== 'number') return undefined
  return Number.isInteger(key) ? BigInt(key) : key
}

/** A map that an expression made. */
export class Entries extends Dictionary {
  readonly #values = new Map<Key, CelValue>()
  readonly #keys: CelValue[] = []

  get(key: CelValue): CelValue | undefined {
    const known = keyOf(key)
    return known === undefined ? undefined : this.#values.get(known)
  }

  /** Throws CelError for a key that is there, or that can be none. */
  add(key: CelValue, value: CelValue): void {
    const known = keyOf(key)
    if (known !== undefined && this.#values.has(known))
      throw new CelError(`insert failed: key ${String(known)} already exists`)
    this.put(key, value)
  }

  /** The same, in place of what is there. */
  put(key: CelValue, value: CelValue): void {
    const known = keyOf(key)
    if (known === undefined) throw new CelError('unsupported key type')
    if (!this.#values.has(known)) this.#keys.push(key)
    this.#values.set(known, value)
  }

  keys(): readonly CelValue[] {
    return this.#keys
  }

  get size(): number {
    return this.#keys.length
  }
}

/** What tells the items of a list apart, where its schema says so. */
const meanings = new WeakMap<readonly CelValue[], ListMeaning>()

export const meaningOf = (list: readonly CelValue[]): ListMeaning | undefined => meanings.get(list)

export const withMeaning = (list: readonly CelValue[], meaning: ListMeaning | undefined): readonly CelValue[] => {
  if (meaning) meanings.set(list, meaning)
  return list
}

/** The type of a value as such, for `type(x)` and for choosing overloads. */
export const typeNameOf = (value: CelValue): string => {
  switch (typeof value) {
    case 'boolean':
      return 'bool'
    case 'bigint':
      return 'int'
    case 'number':
      return 'double'
    case 'string':
      return 'string'
  }
  if (value === null) return 'null_type'
  if (Array.isArray(value)) return 'list'
  if (value instanceof Uint8Array) return 'bytes'
  if (value instanceof Unsigned) return 'uint'
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp'
  if (value instanceof Duration) return 'google.protobuf.Duration'
  if (value instanceof TypeName) return 'type'
  if (value instanceof OptionalValue) return 'optional_type'
  if (value instanceof Foreign) return value.typeName
  return 'map'
}

const FORM_NAMES: Readonly<Partial<Record<CelType['form'], string>>> = {
  null: 'null_type',
  timestamp: 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
  optional: 'optional_type',
  object: 'map',
}

/** Whether a value may be an argument of such a type. Of a list the first item is looked at, of a map none. */
export const isOfType = (value: CelValue, type: CelType): boolean => {
  if (type.form === 'dyn' || type.form === 'parameter') return true
  if (type.form === 'list') return Array.isArray(value) && (value.length === 0 || isOfType(value[0], type.item))
  const name = type.form === 'foreign' ? type.name : (FORM_NAMES[type.form] ?? type.form)
  return typeNameOf(value) === name
}

/** Code points, bytes, items or entries: what cel-go calls the size for the sake of cost. */
export const sizeOf = (value: CelValue): number => {
  if (typeof value === 'string') return codePoints(value)
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length
  if (value instanceof Dictionary || value instanceof Foreign) return value.size
  if (value instanceof OptionalValue && value.value !== undefined) return sizeOf(value.value)
  return 1
}

export const codePoints = (text: string): number => {
  let count = text.length
  for (let index = 0; index < text.length - 1; index++) {
    const unit = text.charCodeAt(index)
    if (unit >= 0xd800 && unit < 0xdc00) count--
  }
  return count
}
