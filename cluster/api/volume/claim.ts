/** What a claim to storage is, and what its parts mean where they are left out; a StatefulSet holds claims, too. */
import { complain, type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from '../field-error.ts'
import { isSame } from '../immutable.ts'
import { type LabelSelector, validateLabelSelector } from '../label-selector.ts'
import { checkDnsSubdomain } from '../name.ts'
import { validatePositiveQuantity } from '../number-rules.ts'
import type { ApiObject } from '../object.ts'
import { parseQuantity } from '../quantity.ts'
import { validateAccessModes } from './access-modes.ts'
import type { ClaimSpec, ClaimStatus, DataSource } from './volume.ts'

export const applyClaimDefaults = (claim: ApiObject): void => {
  claim.spec ??= {}
  const spec = claim.spec as ClaimSpec
  spec.volumeMode ??= 'Filesystem'
  claim.status ??= {}
  const status = claim.status as ClaimStatus
  status.phase ||= 'Pending'
}

export const claimSpec = ({ spec }: ApiObject): ClaimSpec => (spec ?? {}) as ClaimSpec
export const claimStatus = ({ status }: ApiObject): ClaimStatus => (status ?? {}) as ClaimStatus

/** KEP-1495: the two names of the same source say the same, whichever the client used. In place. */
export const alignDataSources = (claim: ApiObject): void => {
  const spec = claimSpec(claim)
  const { dataSource, dataSourceRef } = spec
  if (dataSource && !dataSourceRef) spec.dataSourceRef = structuredClone(dataSource)
  else if (dataSourceRef && !dataSource && !dataSourceRef.namespace) spec.dataSource = structuredClone(dataSourceRef)
}

const validateSource = (source: DataSource | undefined, at: string): FieldError[] => {
  if (!source) return []
  const { apiGroup = '', kind = '' } = source
  if (apiGroup !== '') return complain(`${at}.apiGroup`, apiGroup, checkDnsSubdomain(apiGroup))
  if (kind === 'PersistentVolumeClaim' || kind === '') return []
  return [fieldInvalid(at, kind, "must be 'PersistentVolumeClaim' when referencing the default apiGroup")]
}

const validateSources = ({ dataSource, dataSourceRef }: ClaimSpec): FieldError[] => {
  const errors = [
    ...validateSource(dataSource, 'spec.dataSource'),
    ...validateSource(dataSourceRef, 'spec.dataSourceRef'),
  ]
  if (dataSource && dataSourceRef && !dataSourceRef.namespace && !isSame(dataSource, dataSourceRef))
    errors.push(fieldInvalid('spec', dataSource, 'must match dataSourceRef'))
  return errors
}

const validateSize = ({ resources = {} }: ClaimSpec): FieldError[] => {
  const size = resources.requests?.storage
  const field = 'spec.resources[storage]'
  return size === undefined ? [fieldRequired(field)] : validatePositiveQuantity(field, size)
}

export const validateClaim = (claim: ApiObject): FieldError[] => {
  const spec = claimSpec(claim)
  const { accessModes = [], selector, storageClassName = '', volumeAttributesClassName: attributes = '' } = spec
  const errors: FieldError[] = []
  if (accessModes.length === 0) errors.push(fieldRequired('spec.accessModes', 'at least 1 access mode is required'))
  if (selector) errors.push(...validateLabelSelector(selector as LabelSelector, 'spec.selector'))
  errors.push(...validateAccessModes(accessModes, 'spec.accessModes'), ...validateSize(spec))
  if (storageClassName !== '')
    errors.push(...complain('spec.storageClassName', storageClassName, checkDnsSubdomain(storageClassName)))
  errors.push(...validateSources(spec))
  if (attributes !== '')
    errors.push(...complain('spec.volumeAttributesClassName', attributes, checkDnsSubdomain(attributes)))
  return errors
}

const FIXED =
  'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'

const sizeOf = (quantity: string | undefined): bigint => parseQuantity(quantity ?? '0')?.nano ?? 0n

/** `next` with all that may change as `current` has it. */
const restored = (next: ApiObject, current: ApiObject): ClaimSpec => {
  const before = claimSpec(current)
  const spec = structuredClone(claimSpec(next))
  // A claim is bound once; its class may come later (KEP-3333), and it may grow when it is bound.
  if (!before.volumeName) restore(spec, before, 'volumeName')
  if (before.storageClassName === undefined) restore(spec, before, 'storageClassName')
  if (claimStatus(next).phase !== 'Bound') return spec
  restore(spec, before, 'volumeAttributesClassName')
  const size = before.resources?.requests?.storage
  if (spec.resources?.requests && size !== undefined) spec.resources.requests.storage = size
  return spec
}

const restore = <Field extends keyof ClaimSpec>(spec: ClaimSpec, before: ClaimSpec, field: Field): void => {
  if (before[field] === undefined) delete spec[field]
  else spec[field] = before[field]
}

export const validateClaimUpdate = (next: ApiObject, current: ApiObject): FieldError[] => {
  const [after, before] = [claimSpec(next), claimSpec(current)]
  const errors: FieldError[] = []
  // Kubernetes adds the difference, as Go prints it.
  if (!isSame(restored(next, current), before)) errors.push(fieldForbidden('spec', FIXED))
  const [wanted, had] = [sizeOf(after.resources?.requests?.storage), sizeOf(before.resources?.requests?.storage)]
  // KEP-1790: a claim that did not get what it asked for may ask for less, down to what it has.
  const has = claimStatus(current).capacity?.storage
  if (wanted < had && (has === undefined || wanted < sizeOf(has)))
    errors.push(fieldForbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'))
  if (!isSame(after.volumeMode, before.volumeMode))
    errors.push(fieldInvalid('volumeMode', after.volumeMode ?? null, 'field is immutable'))
  if (before.volumeAttributesClassName !== undefined && after.volumeAttributesClassName === undefined) {
    const detail = 'update from non-nil value to nil is forbidden'
    errors.push(fieldForbidden('spec.volumeAttributesClassName', detail))
  }
  return errors
}
