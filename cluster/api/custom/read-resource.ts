/** A custom resource read and printed: as JSON of any shape, cut to its schema and completed by it; keys sorted. */
import { accepted, refused } from '#lib/result.ts'
import { encodeObject } from '../encode.ts'
import { isObject, setOwn } from '../own-property.ts'
import { applyDefaults, dropNulls } from './defaults.ts'
import { coerceResource } from './embedded.ts'
import { prune } from './prune.ts'
import type { RunTimeType } from './run-time-type.ts'
import type { Schema } from './schema.ts'
import { defineTypes } from './type-schemas.ts'

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isObject(value)) return value
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value).sort()) setOwn(copy, key, sorted(value[key]))
  return copy
}

/** Kubernetes sorts the keys of what it does not know by name. */
export const encodeResource = (object: Record<string, unknown>): Record<string, unknown> => {
  const { apiVersion, kind, metadata, ...rest } = object
  const printed: Record<string, unknown> = {}
  if (kind !== undefined) printed.kind = kind
  if (apiVersion !== undefined) printed.apiVersion = apiVersion
  if (isObject(metadata)) {
    const encoded: Record<string, unknown> = encodeObject(metadata, 'meta/v1.ObjectMeta')
    if (encoded.creationTimestamp === null) delete encoded.creationTimestamp
    printed.metadata = encoded
  }
  for (const key of Object.keys(rest).sort()) setOwn(printed, key, sorted(rest[key]))
  return printed
}

/** What the schema makes of a resource that is written down already: on every read, since schemas change. In place. */
export const completeResource = (resource: Record<string, unknown>, schema: Schema): void => {
  prune(resource, schema, true)
  dropNulls(resource, schema)
  applyDefaults(resource, schema)
}

const decode = (value: unknown, schema: Schema, cut: boolean): ReturnType<RunTimeType['decode']> => {
  if (!isObject(value)) return refused('json: cannot unmarshal into an object')
  const read = structuredClone(value)
  const { unknownFields, problem } = coerceResource(read, schema)
  if (problem !== undefined) return refused(problem)
  const pruned = cut ? prune(read, schema, true) : []
  if (cut) dropNulls(read, schema)
  applyDefaults(read, schema)
  return accepted({ value: read, unknownFields: [...unknownFields, ...pruned].sort() })
}

/** `name`: of the type; no other has it. */
export const resourceType = (schema: Schema, name: string): RunTimeType => ({
  encode: encodeResource,
  decode: value => decode(value, schema, true),
  decodeMerged: value => decode(value, schema, false),
  forget: defineTypes(schema, name),
})
