/** Fields of the operator's files that mean nothing: a word that is misspelt would else leave a gate open. */
import type { FieldError } from '#cluster/api/field-error.ts'

export const unknownFields = (part: object, place: string, known: readonly string[]): readonly FieldError[] =>
  Object.keys(part)
    .filter(name => !known.includes(name))
    .map(name => ({
      field: place === '' ? name : `${place}.${name}`,
      reason: 'FieldValueInvalid',
      message: `unknown field; there are ${known.join(', ')}`,
    }))
