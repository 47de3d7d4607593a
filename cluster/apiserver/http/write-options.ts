/** The query of create, update and patch (metav1.CreateOptions and its like). */

import type { FieldValidation } from '#cluster/api/decode.ts'
import {
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldTooLong,
} from '#cluster/api/field-error.ts'
import type { Status } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { readFlag } from '../verbs/list-options.ts'
import { invalidOptions, type OptionsKind } from '../verbs/option-errors.ts'

export interface WriteQuery {
  readonly dryRun: boolean
  readonly fieldValidation: FieldValidation
}

const VALIDATIONS = ['', 'Ignore', 'Strict', 'Warn']
/** Bytes. */
const MAX_FIELD_MANAGER = 128

const checkFieldManager = (name: string): FieldError[] => {
  if (name.length > MAX_FIELD_MANAGER) return [fieldTooLong('fieldManager', MAX_FIELD_MANAGER)]
  if (/^\P{C}*$/u.test(name)) return []
  return [fieldInvalid('fieldManager', name, 'should only contain printable characters')]
}

export const readWriteQuery = (kind: OptionsKind, query: URLSearchParams): Result<WriteQuery, Status> => {
  const errors = checkFieldManager(query.get('fieldManager') ?? '')
  const dryRun = query.getAll('dryRun')
  if (dryRun.some(value => value !== 'All')) errors.push(fieldNotSupported('dryRun', dryRun, ['All']))
  const validation = query.get('fieldValidation') ?? ''
  if (!VALIDATIONS.includes(validation)) errors.push(fieldNotSupported('fieldValidation', validation, VALIDATIONS))
  if (kind === 'PatchOptions' && readFlag(query, 'force') !== undefined)
    errors.push(fieldForbidden('force', 'may not be specified for non-apply patch'))
  if (errors.length > 0) return refused(invalidOptions(kind, errors))
  return accepted({ dryRun: dryRun.length > 0, fieldValidation: (validation || 'Warn') as FieldValidation })
}
