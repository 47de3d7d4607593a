/** Defaults of a schema, filled in whenever an object is read, and nulls that stand where null may not. */
import { isObject, setOwn } from '../own-property.ts'
import { type Schema, schemaOfKey } from './schema.ts'

/** Schemas that have a default, themselves or inside: all others need no walk. */
const fruitful = new WeakMap<Schema, boolean>()

const inner = (schema: Schema): readonly Schema[] => [
  ...schema.properties.values(),
  ...(isObject(schema.additional) ? [schema.additional as unknown as Schema] : []),
  ...(schema.items ? [schema.items] : []),
]

const hasDefaults = (schema: Schema): boolean => {
  const known = fruitful.get(schema)
  if (known !== undefined) return known
  const result = inner(schema).some(other => other.default !== undefined || hasDefaults(other))
  fruitful.set(schema, result)
  return result
}

const needsDefault = (value: unknown, schema: Schema): boolean =>
  schema.default !== undefined && (value === undefined || (value === null && !schema.isNullable))

const fillItems = (list: unknown[], items: Schema): void => {
  for (const [index, item] of list.entries()) {
    if (needsDefault(item, items)) list[index] = structuredClone(items.default)
    applyDefaults(list[index], items)
  }
}

/** In place; idempotent. */
export const applyDefaults = (value: unknown, schema: Schema): void => {
  if (!hasDefaults(schema)) return
  if (Array.isArray(value)) {
    if (schema.items) fillItems(value, schema.items)
    return
  }
  if (!isObject(value)) return
  for (const [name, property] of schema.properties) {
    const given = Object.hasOwn(value, name) ? value[name] : undefined
    if (needsDefault(given, property)) setOwn(value, name, structuredClone(property.default))
  }
  for (const key of Object.keys(value)) {
    const known = schemaOfKey(schema, key)
    if (!known) continue
    if (needsDefault(value[key], known)) setOwn(value, key, structuredClone(known.default))
    applyDefaults(value[key], known)
  }
}

/** Takes away nulls of fields that may not be null and have no default. In place. */
export const dropNulls = (value: unknown, schema: Schema | undefined): void => {
  if (Array.isArray(value)) {
    for (const item of value) dropNulls(item, schema?.items)
    return
  }
  if (!isObject(value)) return
  for (const key of Object.keys(value)) {
    const known = schema && schemaOfKey(schema, key)
    if (value[key] === null && known && !known.isNullable && known.default === undefined) delete value[key]
    else dropNulls(value[key], known)
  }
}
