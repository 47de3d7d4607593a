/** One thing wrong with one field, as Kubernetes reports it in the causes of a 422. */

/** metav1.CauseType values, as the API prints them. */
export type FieldErrorReason =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueTypeInvalid'
  | 'InternalError'

export interface FieldError {
  /** `spec.ports[0].port`, `metadata.labels` … */
  readonly field: string
  readonly reason: FieldErrorReason
  /** What kubectl prints after the field: `Invalid value: 99999: must be between 1 and 65535, inclusive`. */
  readonly message: string
}

/** What Go's JSON writes as escapes: a page that shows it must not take it for its own. */
const UNSAFE = /[<>&\u2028\u2029]/g
const escaped = (text: string): string =>
  text.replace(UNSAFE, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`)

const quote = (value: unknown): string =>
  typeof value === 'string' ? JSON.stringify(value) : escaped(JSON.stringify(value) ?? 'null')

export const fieldRequired = (field: string, detail = ''): FieldError => ({
  field,
  reason: 'FieldValueRequired',
  message: detail ? `Required value: ${detail}` : 'Required value',
})

/** A reference to what is not there. */
export const fieldNotFound = (field: string, value: unknown): FieldError => ({
  field,
  reason: 'FieldValueNotFound',
  message: `Not found: ${quote(value)}`,
})

export const fieldInvalid = (field: string, value: unknown, detail: string): FieldError => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${quote(value)}: ${detail}`,
})

/** Where the value would say nothing that the detail does not. */
export const fieldInvalidPart = (field: string, detail: string): FieldError => ({
  field,
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${detail}`,
})

/** What is written well enough and fails in the server. */
export const fieldInternal = (field: string, detail: string): FieldError => ({
  field,
  reason: 'InternalError',
  message: `Internal error: ${detail}`,
})

export const fieldNotSupported = (field: string, value: unknown, supported: readonly string[]): FieldError => ({
  field,
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${quote(value)}: supported values: ${supported.map(quote).join(', ')}`,
})

export const fieldForbidden = (field: string, detail: string): FieldError => ({
  field,
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${detail}`,
})

export const fieldDuplicate = (field: string, value: unknown): FieldError => ({
  field,
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${quote(value)}`,
})

export const fieldTooLong = (field: string, limit: number): FieldError => ({
  field,
  reason: 'FieldValueTooLong',
  message: `Too long: may not be more than ${limit} bytes`,
})

export const fieldTooMany = (field: string, actual: number, limit: number): FieldError => ({
  field,
  reason: 'FieldValueTooMany',
  message: `Too many: ${actual}: must have at most ${limit} ${limit === 1 ? 'item' : 'items'}`,
})

/** One error a complaint of the checks in `name.ts`. */
export const complain = (field: string, value: unknown, complaints: readonly string[]): FieldError[] =>
  complaints.map(complaint => fieldInvalid(field, value, complaint))
