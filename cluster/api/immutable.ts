/** Fields that stay as they were made. */
import { isDeepStrictEqual } from 'node:util'
import { type FieldError, fieldInvalid } from './field-error.ts'

/** Absent, null and a list of nothing are one, as for Kubernetes (`equality.Semantic`). */
export const isSame = (a: unknown, b: unknown): boolean => isDeepStrictEqual(plain(a), plain(b))

const isNothing = (value: unknown): boolean => value === null || (Array.isArray(value) && value.length === 0)

const plain = (value: unknown): unknown =>
  value === undefined || isNothing(value)
    ? undefined
    : JSON.parse(JSON.stringify(value, (_key, part) => (isNothing(part) ? undefined : part)))

export const validateImmutable = (field: string, next: unknown, current: unknown): FieldError[] =>
  isSame(next, current) ? [] : [fieldInvalid(field, next ?? null, 'field is immutable')]
