/**
 * The sizes that a schema declares, for estimates of what its rules may cost: by `maxLength`, `maxItems` and
 * `maxProperties`, and where they are missing by how much of it fits a request, written as briefly as JSON allows.
 */
import type { Declared } from '../cel/cost/declared.ts'
import { isObject } from '../own-property.ts'
import { escapeName } from './cel-type.ts'
import { readSchema, type Schema } from './schema.ts'

export interface SchemaSizes extends Declared {
  /** Bytes of the shortest JSON. */
  readonly shortest: number
}

/** Bytes: what Kubernetes takes a request to hold at most. */
const REQUEST = 3 * 1024 * 1024

/** Bytes of a text of a format, its quotes included. */
const FORMATS: Readonly<Record<string, { readonly shortest: number; readonly most: number }>> = {
  duration: { shortest: 3, most: 32 },
  date: { shortest: 12, most: 12 },
  'date-time': { shortest: 21, most: 32 },
}

const SCALARS: Readonly<Record<string, number>> = { boolean: 4, number: 1, integer: 1 }

/** A character has up to four bytes. */
const BYTES_PER_CHARACTER = 4

const QUOTES = 2
const bounded = (limit: number): number => Math.max(0, limit)

const textSizes = ({ props }: Schema): SchemaSizes => {
  const { format = '', maxLength, enum: values = [] } = props
  const known = Object.hasOwn(FORMATS, format) ? FORMATS[format] : undefined
  if (known) return known
  const shortest = QUOTES
  if (maxLength !== undefined) {
    return { shortest, most: bounded(maxLength) * (format === 'byte' ? 1 : BYTES_PER_CHARACTER) }
  }
  if (values.length === 0 || format === 'byte') return { shortest, most: REQUEST - QUOTES }
  const lengths = values.map(value => (typeof value === 'string' ? Buffer.byteLength(value) : 0))
  return { shortest, most: Math.max(...lengths) }
}

const intOrStringSizes = ({ props: { maxLength } }: Schema): SchemaSizes => ({
  shortest: 1,
  most: maxLength === undefined ? REQUEST - QUOTES : bounded(maxLength) * BYTES_PER_CHARACTER,
})

/** How many of something fit a request, with brackets around them. */
const fitting = (bytes: number): number => Math.floor((REQUEST - 2) / bytes)

const listSizes = ({ items, props: { maxItems } }: Schema): SchemaSizes | undefined => {
  const item = items && declaredSizes(items, items.isEmbedded)
  return (
    item && { shortest: 2, most: maxItems === undefined ? fitting(item.shortest + 1) : bounded(maxItems), items: item }
  )
}

const KEYS: Declared = { most: 0 }
/** Two bytes of a key, its quotes, a colon and a comma. */
const KEY_BYTES = 6

const mapSizes = (values: Schema, maxProperties: number | undefined): SchemaSizes | undefined => {
  const value = declaredSizes(values, values.isEmbedded)
  if (!value) return undefined
  const most = maxProperties === undefined ? fitting(value.shortest + KEY_BYTES) : bounded(maxProperties)
  return { shortest: 2, most, items: value, keys: KEYS }
}

const TEXT = readSchema({ type: 'string' })
const METADATA = readSchema({
  type: 'object',
  properties: { name: { type: 'string' }, generateName: { type: 'string' } },
})

/** A resource has these, whatever its schema says, unless it says all of it. */
const withMeta = (properties: Schema['properties']): Schema['properties'] => {
  const { apiVersion, kind, metadata } = Object.fromEntries(properties)
  const isText = (schema: Schema | undefined) => schema?.props.type === 'string'
  const names = ['name', 'generateName'].map(name => metadata?.properties.get(name))
  const isWhole = isText(apiVersion) && isText(kind) && metadata?.props.type === 'object' && names.every(isText)
  return isWhole ? properties : new Map([...properties, ['apiVersion', TEXT], ['kind', TEXT], ['metadata', METADATA]])
}

/** Quotes, a colon and a comma. */
const PROPERTY_BYTES = 4

const objectSizes = (schema: Schema, isResource: boolean): SchemaSizes => {
  const required: ReadonlySet<string> = new Set(schema.props.required)
  const fields = new Map<string, Declared>()
  let shortest = 2
  for (const [name, inner] of isResource ? withMeta(schema.properties) : schema.properties) {
    const sizes = declaredSizes(inner, inner.isEmbedded)
    if (!sizes) continue
    const escaped = escapeName(name)
    if (escaped !== undefined) fields.set(escaped, sizes)
    // Those with a default are filled in by the server.
    const isWritten = required.has(name) && (inner.default === undefined || inner.default === null)
    if (isWritten) shortest += Buffer.byteLength(name) + sizes.shortest + PROPERTY_BYTES
  }
  return { shortest, most: 0, field: name => fields.get(name) }
}

const known = new WeakMap<Schema, SchemaSizes | undefined>()

const makeSizes = (schema: Schema, isResource: boolean): SchemaSizes | undefined => {
  if (schema.isIntOrString) return intOrStringSizes(schema)
  const { type = isResource ? 'object' : '', maxProperties } = schema.props
  if (type === 'array') return listSizes(schema)
  if (type === 'string') return textSizes(schema)
  if (type !== 'object') return Object.hasOwn(SCALARS, type) ? { shortest: SCALARS[type]!, most: 0 } : undefined
  if (isObject(schema.additional)) return mapSizes(schema.additional as unknown as Schema, maxProperties)
  return objectSizes(schema, isResource)
}

/** Undefined: expressions see nothing of it. `isResource`: it has metadata. */
export const declaredSizes = (schema: Schema, isResource: boolean): SchemaSizes | undefined => {
  if (known.has(schema)) return known.get(schema)
  const sizes = makeSizes(schema, isResource)
  known.set(schema, sizes)
  return sizes
}

/** How often something may stand in a request at most, with a comma behind it. */
export const mostOften = ({ shortest }: SchemaSizes): number => Math.floor(REQUEST / (shortest + 1))
