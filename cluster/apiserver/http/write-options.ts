/** The query of create, update and patch (metav1.CreateOptions and its like). */

import { LRUCache } from 'lru-cache'
import type { FieldValidation } from '#cluster/api/decode.ts'
import { type FieldError, fieldForbidden, fieldNotSupported, fieldRequired } from '#cluster/api/field-error.ts'
import { checkFieldManager, HIDDEN_CHARACTER, MAX_FIELD_MANAGER } from '#cluster/api/field-manager.ts'
import type { Status } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { readFlag } from '../verbs/list-options.ts'
import { invalidOptions, type OptionsKind } from '../verbs/option-errors.ts'

export interface WriteQuery {
  readonly dryRun: boolean
  /** `''`: not said. */
  readonly fieldManager: string
  /** For an apply alone. */
  readonly force: boolean
  readonly fieldValidation: FieldValidation
}

/** By User-Agent; characters. */
const managers = new LRUCache<string, string>({ maxSize: 256 * 1024, sizeCalculation: (_, agent) => agent.length + 1 })

/** The manager of a client that names none: what its User-Agent says before the first slash. */
export const managerOfAgent = (agent: string): string => {
  const known = managers.get(agent)
  if (known !== undefined) return known
  const name = readManager(agent)
  managers.set(agent, name)
  return name
}

const readManager = (agent: string): string => {
  let name = ''
  for (const letter of agent.split('/')[0] ?? '') {
    if (HIDDEN_CHARACTER.test(letter)) continue
    if (Buffer.byteLength(name + letter) > MAX_FIELD_MANAGER) break
    name += letter
  }
  return name
}

const VALIDATIONS = ['', 'Ignore', 'Strict', 'Warn']

/** `apply`: of a patch that is an applied configuration, which must say who applies it and may take fields from others. */
export const readWriteQuery = (
  kind: OptionsKind,
  query: URLSearchParams,
  apply = false,
): Result<WriteQuery, Status> => {
  const fieldManager = query.get('fieldManager') ?? ''
  const force = kind === 'PatchOptions' ? readFlag(query, 'force') : undefined
  const errors: FieldError[] = []
  if (apply && fieldManager === '') errors.push(fieldRequired('fieldManager', 'is required for apply patch'))
  if (!apply && force !== undefined) errors.push(fieldForbidden('force', 'may not be specified for non-apply patch'))
  errors.push(...checkFieldManager('fieldManager', fieldManager))
  const dryRun = query.getAll('dryRun')
  if (dryRun.some(value => value !== 'All')) errors.push(fieldNotSupported('dryRun', dryRun, ['All']))
  const validation = query.get('fieldValidation') ?? ''
  if (!VALIDATIONS.includes(validation)) errors.push(fieldNotSupported('fieldValidation', validation, VALIDATIONS))
  if (errors.length > 0) return refused(invalidOptions(kind, errors))
  return accepted({
    dryRun: dryRun.length > 0,
    fieldManager,
    force: force ?? false,
    fieldValidation: (validation || 'Warn') as FieldValidation,
  })
}
