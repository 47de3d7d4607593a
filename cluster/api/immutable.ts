/** Fields that stay as they were made. */
import { isDeepStrictEqual } from 'node:util'
import { type FieldError, fieldInvalid } from './field-error.ts'

/** Undefined and absent are one. */
export const isSame = (a: unknown, b: unknown): boolean => isDeepStrictEqual(plain(a), plain(b))

const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))

export const validateImmutable = (field: string, next: unknown, current: unknown): FieldError[] =>
  isSame(next, current) ? [] : [fieldInvalid(field, next ?? null, 'field is immutable')]
