/** What ConfigMap and Secret share: keys that may become file names, a size, and a promise not to change. */
import { isDeepStrictEqual } from 'node:util'
import { type FieldError, fieldForbidden, fieldInvalid } from './field-error.ts'
import { checkConfigKey } from './name.ts'
import type { ApiObject } from './object.ts'

type Data = Readonly<Record<string, string>>

export const checkKeys = (data: Data, field: string): FieldError[] =>
  Object.keys(data).flatMap(key =>
    checkConfigKey(key).map(complaint => fieldInvalid(`${field}[${key}]`, key, complaint)),
  )

/** Bytes of all values, decoded. */
export const sizeOfData = (data: Data, encoding: 'utf8' | 'base64'): number =>
  Object.values(data).reduce((sum, value) => sum + Buffer.byteLength(value, encoding), 0)

/** Complaints about fields of an object that was declared immutable. The first may stay `true` only. */
export const checkUnchanged = (next: ApiObject, current: ApiObject, fields: readonly string[]): FieldError[] => {
  const isEmpty = (value: unknown): boolean => value === undefined || value === null || Object.keys(value).length === 0
  return fields
    .filter(field =>
      field === 'immutable'
        ? next.immutable !== true
        : !isDeepStrictEqual(next[field], current[field]) && !(isEmpty(next[field]) && isEmpty(current[field])),
    )
    .map(field => fieldForbidden(field, 'field is immutable when `immutable` is set'))
}
