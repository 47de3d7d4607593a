/** DeleteOptions: from the body of a DELETE, or from its query; the body wins, as in Kubernetes. */

import { type BodySyntax, notAnObject, parseBody, wrongIdentity } from '#cluster/api/decode.ts'
import { decodeValue } from '#cluster/api/decode-value.ts'
import { type FieldError, fieldInvalid, fieldNotSupported } from '#cluster/api/field-error.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { badRequest, type Status } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { readFlag } from './list-options.ts'
import { invalidOptions } from './option-errors.ts'

export type PropagationPolicy = 'Foreground' | 'Background' | 'Orphan'

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number | undefined
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined
  readonly propagationPolicy?: PropagationPolicy | undefined
  readonly orphanDependents?: boolean | undefined
  readonly dryRun: boolean
}

const POLICIES = ['Foreground', 'Background', 'Orphan'] as const

interface Given {
  readonly kind?: unknown
  readonly apiVersion?: unknown
  readonly gracePeriodSeconds?: unknown
  readonly preconditions?: unknown
  readonly propagationPolicy?: unknown
  readonly orphanDependents?: unknown
  readonly dryRun?: unknown
}

const check = (given: Given): FieldError[] => {
  const errors: FieldError[] = []
  const { propagationPolicy: policy, orphanDependents, dryRun } = given
  if (policy !== undefined && orphanDependents !== undefined)
    errors.push(
      fieldInvalid('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set'),
    )
  else if (policy !== undefined && !(POLICIES as readonly unknown[]).includes(policy))
    errors.push(fieldNotSupported('propagationPolicy', policy, [...POLICIES, 'nil']))
  if (Array.isArray(dryRun) && dryRun.some(value => value !== 'All'))
    errors.push(fieldNotSupported('dryRun', dryRun, ['All']))
  return errors
}

/** As types.json names it. */
const TYPE = 'meta/v1.DeleteOptions'

const fromQuery = (query: URLSearchParams): Given => {
  const grace = query.get('gracePeriodSeconds')
  const orphan = readFlag(query, 'orphanDependents')
  const policy = query.get('propagationPolicy')
  return {
    ...(grace === null ? {} : { gracePeriodSeconds: grace === '' ? Number.NaN : Number(grace) }),
    ...(orphan === undefined ? {} : { orphanDependents: orphan }),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    ...(query.has('dryRun') ? { dryRun: query.getAll('dryRun') } : {}),
  }
}

const fromBody = (body: string, syntax: BodySyntax): Result<Given, Status> => {
  const parsed = parseBody(body, syntax)
  if (!parsed.ok) return refused(badRequest(`couldn't get version/kind; json parse error: ${parsed.problem}`))
  const value = parsed.value.value
  if (value === null) return accepted({})
  if (!isObject(value)) return refused(badRequest(notAnObject(value)))
  const { kind, apiVersion } = value as Given
  for (const [name, given] of Object.entries({ apiVersion, kind }))
    if (typeof (given ?? '') !== 'string') return refused(badRequest(wrongIdentity(name, given)))
  if (kind && kind !== 'DeleteOptions')
    return refused(
      badRequest(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion ?? 'v1')}`),
    )
  const decoded = decodeValue(value, TYPE)
  return decoded.ok ? accepted(decoded.value.value) : refused(badRequest(decoded.problem))
}

export const readDeleteOptions = (
  body: string,
  syntax: BodySyntax,
  query: URLSearchParams,
): Result<DeleteOptions, Status> => {
  const read = body === '' ? accepted(fromQuery(query)) : fromBody(body, syntax)
  if (!read.ok) return read
  const options = checkDeleteOptions(read.value)
  if (!options.ok || !query.getAll('dryRun').includes('All')) return options
  return accepted({ ...options.value, dryRun: true })
}

/** Of an object that says so, such as an Eviction's. */
export const checkDeleteOptions = (given: object): Result<DeleteOptions, Status> => {
  const { gracePeriodSeconds = 0 } = given as Given
  if (!Number.isSafeInteger(gracePeriodSeconds))
    return refused(badRequest('DeleteOptions: gracePeriodSeconds has the wrong type'))
  const errors = check(given)
  if (errors.length > 0) return refused(invalidOptions('DeleteOptions', errors))
  const { dryRun, kind: _kind, apiVersion: _apiVersion, ...rest } = given as Given
  return accepted({ ...rest, dryRun: Array.isArray(dryRun) && dryRun.length > 0 } as DeleteOptions)
}
