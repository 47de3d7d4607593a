/** A schema as CEL's checker sees it: what rules may name, and how they must spell it. */
import {
  BOOL,
  BYTES,
  type CelField,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  mapOf,
  STRING,
  TIMESTAMP,
} from '../cel/type.ts'
import { isObject } from '../own-property.ts'
import type { Schema } from './schema.ts'

const RESERVED: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

const ESCAPES: Readonly<Record<string, string>> = {
  __: '__underscores__',
  '.': '__dot__',
  '-': '__dash__',
  '/': '__slash__',
}

/** A property's name in an expression; undefined: it cannot be named. */
export const escapeName = (property: string): string | undefined => {
  if (RESERVED.has(property)) return `__${property}__`
  if (!/^[a-zA-Z_./-][\w./-]*$/.test(property)) return undefined
  return property.replace(/__|[-./]/g, part => ESCAPES[part] ?? part)
}

const METADATA: CelType = {
  form: 'object',
  name: 'object',
  field: name => (name === 'name' || name === 'generateName' ? { property: name, type: STRING } : undefined),
}

/** At the root of every resource, whatever its schema says. */
const META_FIELDS: Readonly<Record<string, CelType>> = { apiVersion: STRING, kind: STRING, metadata: METADATA }

const TEXTS: Readonly<Record<string, CelType>> = {
  byte: BYTES,
  duration: DURATION,
  date: TIMESTAMP,
  'date-time': TIMESTAMP,
}

const SCALARS: Readonly<Record<string, CelType>> = { boolean: BOOL, number: DOUBLE, integer: INT }

const fieldsOf = (schema: Schema, isResource: boolean): ReadonlyMap<string, CelField> => {
  const fields = new Map<string, CelField>()
  for (const [property, inner] of schema.properties) {
    const name = escapeName(property)
    const type = name === undefined ? undefined : celType(inner, inner.isEmbedded)
    if (name !== undefined && type) fields.set(name, { property, type })
  }
  if (isResource) for (const [property, type] of Object.entries(META_FIELDS)) fields.set(property, { property, type })
  return fields
}

const listType = ({ items, props }: Schema): CelType | undefined => {
  const item = items && celType(items, items.isEmbedded)
  if (!item) return undefined
  const type = props['x-kubernetes-list-type']
  if (type !== 'set' && type !== 'map') return listOf(item)
  return { form: 'list', item, meaning: { type, keys: props['x-kubernetes-list-map-keys'] ?? [] } }
}

let objects = 0

const objectType = (schema: Schema, isResource: boolean): CelType | undefined => {
  if (isObject(schema.additional)) {
    const additional = schema.additional as unknown as Schema
    const value = celType(additional, additional.isEmbedded)
    return value && mapOf(STRING, value)
  }
  let fields: ReadonlyMap<string, CelField> | undefined
  const field = (name: string) => {
    fields ??= fieldsOf(schema, isResource)
    return fields.get(name)
  }
  return { form: 'object', name: `object${objects++}`, field }
}

const known = new WeakMap<Schema, CelType | undefined>()

const makeType = (schema: Schema, isResource: boolean): CelType | undefined => {
  if (schema.isIntOrString) return DYN
  const { type = isResource ? 'object' : '', format = '' } = schema.props
  if (type === 'array') return listType(schema)
  if (type === 'object') return objectType(schema, isResource)
  return type === 'string' ? (TEXTS[format] ?? STRING) : SCALARS[type]
}

/** Undefined: expressions see nothing of it. `isResource`: it has metadata. */
export const celType = (schema: Schema, isResource: boolean): CelType | undefined => {
  if (known.has(schema)) return known.get(schema)
  const type = makeType(schema, isResource)
  known.set(schema, type)
  return type
}
