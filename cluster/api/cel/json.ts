/** JSON as values of CEL, by the type that a schema gives it: only there do 5 and 5.0, or a text and a time, differ. */
import { isObject } from '../own-property.ts'
import { parseDateOrTime, parseDuration } from './time.ts'
import type { CelType } from './type.ts'
import { type CelValue, Dictionary, withMeaning } from './value.ts'

/** A JSON object: of an object's type its known properties, of a map's all. */
class JsonFields extends Dictionary {
  readonly #source: Readonly<Record<string, unknown>>
  readonly #type: CelType
  #made: Map<string, CelValue> | undefined

  constructor(source: Readonly<Record<string, unknown>>, type: CelType) {
    super()
    this.#source = source
    this.#type = type
  }

  get(key: CelValue): CelValue | undefined {
    if (typeof key !== 'string') return undefined
    const known = this.#made?.get(key)
    if (known !== undefined) return known
    const field = this.#fieldOf(key)
    if (!field || !Object.hasOwn(this.#source, field.property)) return undefined
    const raw = this.#source[field.property]
    if (raw === undefined) return undefined
    const value = fromJson(raw, field.type)
    this.#made ??= new Map()
    this.#made.set(key, value)
    return value
  }

  keys(): readonly CelValue[] {
    return Object.keys(this.#source)
  }

  get size(): number {
    return Object.keys(this.#source).length
  }

  #fieldOf(key: string): { readonly property: string; readonly type: CelType } | undefined {
    const type = this.#type
    if (type.form === 'object') return type.field(key)
    return { property: key, type: type.form === 'map' ? type.value : { form: 'dyn' } }
  }
}

const fromText = (text: string, type: CelType): CelValue => {
  switch (type.form) {
    case 'timestamp':
      return parseDateOrTime(text)
    case 'duration':
      return parseDuration(text)
    case 'bytes':
      return Buffer.from(text, 'base64')
    default:
      return text
  }
}

const fromNumber = (raw: number, type: CelType): CelValue => {
  if (type.form === 'double') return raw
  return Number.isInteger(raw) ? BigInt(raw) : raw
}

/** Throws CelError for a text that is not of its format. What no type knows (`dyn`) is taken for what it looks like. */
export const fromJson = (raw: unknown, type: CelType): CelValue => {
  if (typeof raw === 'string') return fromText(raw, type)
  if (typeof raw === 'number') return fromNumber(raw, type)
  if (typeof raw === 'boolean') return raw
  if (Array.isArray(raw)) {
    const item: CelType = type.form === 'list' ? type.item : { form: 'dyn' }
    const list = raw.map(element => fromJson(element, item))
    return type.form === 'list' ? withMeaning(list, type.meaning) : list
  }
  return isObject(raw) ? new JsonFields(raw, type) : null
}
