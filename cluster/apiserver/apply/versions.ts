/** One object in another version of its kind: kinds that share what is stored are versions of each other. */
import { decodeValue } from '#cluster/api/decode-value.ts'
import { encodeObject } from '#cluster/api/encode.ts'
import type { Kind } from '#cluster/api/kind.ts'
import { type ApiObject, apiVersionOf } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { convertObject } from '../storage/convert-object.ts'
import { structRule } from './merge-rule.ts'
import type { Terms, Versioned } from './ownership.ts'

/** `value`: the object, or what a merge has made of it. */
export const versioned = (kind: Kind, value: unknown): Versioned => ({
  apiVersion: apiVersionOf(kind),
  value,
  rule: structRule(kind.type),
})

const asApiObject = (kind: Kind, value: unknown): ApiObject | undefined => {
  const decoded = decodeValue(value, kind.type)
  if (!decoded.ok) return undefined
  const read = decoded.value.value
  const metadata = isObject(read.metadata) ? read.metadata : {}
  return { ...read, kind: kind.kind, apiVersion: apiVersionOf(kind), metadata }
}

const convertValue = (from: Kind, to: Kind, value: unknown): Versioned | undefined => {
  const object = asApiObject(from, value)
  if (!object) return undefined
  return versioned(to, encodeObject(convertObject(from, to, object), to.type))
}

/** `kinds`: all that share what is stored. */
export const converterOf = (kinds: readonly Kind[]): Terms['convert'] => {
  const byVersion = new Map(kinds.map(kind => [apiVersionOf(kind), kind]))
  return (object, apiVersion) => {
    if (object.apiVersion === apiVersion) return object
    const [from, to] = [byVersion.get(object.apiVersion), byVersion.get(apiVersion)]
    return from && to && convertValue(from, to, object.value)
  }
}
