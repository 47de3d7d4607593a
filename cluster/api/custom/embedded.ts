/** Metadata of resources, at the root and embedded: read as metadata everywhere is, and checked where it is embedded. */
import { decodeValue } from '../decode-value.ts'
import { encodeObject } from '../encode.ts'
import { type FieldError, fieldInvalid, fieldRequired } from '../field-error.ts'
import { checkDns1035Label, checkPathSegment } from '../name.ts'
import type { ObjectMeta } from '../object.ts'
import { validateMetadata } from '../object-meta.ts'
import { isObject } from '../own-property.ts'
import { childPath, type Schema, schemaOfKey } from './schema.ts'

const META_TYPE = 'meta/v1.ObjectMeta'

export interface Coerced {
  /** Paths of fields that metadata does not have. */
  readonly unknownFields: string[]
  /** What cannot be read at all; the first alone. */
  problem: string | undefined
}

const coerceMetadata = (value: Record<string, unknown>, path: string, coerced: Coerced): void => {
  const { metadata } = value
  if (metadata === undefined || metadata === null) return
  const decoded = decodeValue(metadata, META_TYPE)
  if (!decoded.ok) {
    coerced.problem ??= `${childPath(path, 'metadata')}: ${decoded.problem}`
    return
  }
  const read: Record<string, unknown> = encodeObject(decoded.value.value, META_TYPE)
  if (read.creationTimestamp === null) delete read.creationTimestamp
  value.metadata = read
  for (const field of decoded.value.unknownFields) coerced.unknownFields.push(`${childPath(path, 'metadata')}.${field}`)
}

const walk = (value: unknown, schema: Schema | undefined, path: string, coerced: Coerced): void => {
  if (!schema) return
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) walk(item, schema.items, `${path}[${index}]`, coerced)
  } else if (isObject(value)) {
    if (schema.isEmbedded) coerceMetadata(value, path, coerced)
    for (const [key, inner] of Object.entries(value))
      walk(inner, schemaOfKey(schema, key), childPath(path, key), coerced)
  }
}

/** Reads all metadata in a resource and what is embedded in it. In place. */
export const coerceResource = (resource: Record<string, unknown>, schema: Schema): Coerced => {
  const coerced: Coerced = { unknownFields: [], problem: undefined }
  coerceMetadata(resource, '', coerced)
  if (hasEmbedded(schema))
    for (const [key, inner] of Object.entries(resource)) walk(inner, schemaOfKey(schema, key), key, coerced)
  return coerced
}

const embedding = new WeakMap<Schema, boolean>()

/** Most schemas embed nothing, and their objects need no walk. */
const hasEmbedded = (schema: Schema): boolean => {
  const known = embedding.get(schema)
  if (known !== undefined) return known
  const inner = [...schema.properties.values(), ...(schema.items ? [schema.items] : [])]
  if (isObject(schema.additional)) inner.push(schema.additional as unknown as Schema)
  const result = inner.some(other => other.isEmbedded || hasEmbedded(other))
  embedding.set(schema, result)
  return result
}

const checkKind = (kind: unknown, path: string): FieldError[] => {
  if (typeof kind !== 'string') return [fieldInvalid(path, kind, 'must be a string')]
  if (kind === '') return [fieldInvalid(path, kind, 'must not be empty')]
  const complaints = checkDns1035Label(kind.toLowerCase())
  const detail = `may have mixed case, but should otherwise match: ${complaints.join(',')}`
  return complaints.length > 0 ? [fieldInvalid(path, kind, detail)] : []
}

const checkApiVersion = (apiVersion: unknown, path: string): FieldError[] => {
  if (typeof apiVersion !== 'string') return [fieldInvalid(path, apiVersion, 'must be a string')]
  if (apiVersion === '') return [fieldInvalid(path, apiVersion, 'must not be empty')]
  const detail = `unexpected GroupVersion string: ${apiVersion}`
  return apiVersion.split('/').length > 2 ? [fieldInvalid(path, apiVersion, detail)] : []
}

const checkMetadata = (metadata: unknown, path: string): FieldError[] => {
  if (!isObject(metadata)) return [fieldInvalid(path, metadata, 'must be an object')]
  const given = metadata as ObjectMeta
  // Where it lies is its own business: neither a namespace nor the lack of one is a fault.
  const anywhere = { namespaced: given.namespace !== undefined, validateName: checkPathSegment }
  const named = { ...given, name: given.name ?? given.generateName ?? 'unnamed' }
  return validateMetadata(anywhere, named).map(error => ({
    ...error,
    field: `${path}${error.field.slice('metadata'.length)}`,
  }))
}

const checkResource = (value: Record<string, unknown>, path: string): FieldError[] => [
  ...['apiVersion', 'kind'].flatMap(name => (Object.hasOwn(value, name) ? [] : [fieldRequired(childPath(path, name))])),
  ...(Object.hasOwn(value, 'apiVersion') ? checkApiVersion(value.apiVersion, childPath(path, 'apiVersion')) : []),
  ...(Object.hasOwn(value, 'kind') ? checkKind(value.kind, childPath(path, 'kind')) : []),
  ...(Object.hasOwn(value, 'metadata') ? checkMetadata(value.metadata, childPath(path, 'metadata')) : []),
]

const validate = (value: unknown, schema: Schema | undefined, path: string): FieldError[] => {
  if (!schema) return []
  if (Array.isArray(value)) return value.flatMap((item, index) => validate(item, schema.items, `${path}[${index}]`))
  if (!isObject(value)) return []
  const own = schema.isEmbedded ? checkResource(value, path) : []
  const inner = Object.entries(value).flatMap(([key, item]) => {
    const at = schema.properties.has(key) ? childPath(path, key) : `${path}[${key}]`
    return validate(item, schemaOfKey(schema, key), at)
  })
  return [...own, ...inner]
}

/** What is wrong with resources that are embedded in one: apiVersion and kind must be there, metadata must be right. */
export const validateEmbedded = (resource: Record<string, unknown>, schema: Schema): FieldError[] =>
  hasEmbedded(schema) ? validate(resource, schema, '') : []
