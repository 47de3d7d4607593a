/** What all configurations of admission plugins have in common: a type, and fields that somebody takes. */
import { type FieldError, fieldInvalid, fieldNotSupported } from '#cluster/api/field-error.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { unknownFields } from './unknown-fields.ts'

export interface Expected {
  readonly types: readonly { readonly apiVersion: string; readonly kind: string }[]
  /** Besides apiVersion and kind. */
  readonly known: readonly string[]
}

/** `place`: what stands before the names of its fields; '' for a file of its own. */
export const checkConfiguration = (
  value: unknown,
  place: string,
  { types, known }: Expected,
): { readonly fields: Readonly<Record<string, unknown>>; readonly errors: readonly FieldError[] } => {
  if (!isObject(value)) return { fields: {}, errors: [fieldInvalid(place, value, 'must be an object')] }
  const at = (name: string) => (place === '' ? name : `${place}.${name}`)
  const { apiVersion = '', kind = '' } = value
  const type = types.find(each => each.apiVersion === apiVersion)
  const versions = types.map(each => each.apiVersion)
  const errors = [
    ...unknownFields(value, place, ['apiVersion', 'kind', ...known]),
    ...(type ? [] : [fieldNotSupported(at('apiVersion'), apiVersion, versions)]),
    ...(!type || type.kind === kind ? [] : [fieldNotSupported(at('kind'), kind, [type.kind])]),
  ]
  return { fields: value, errors }
}
