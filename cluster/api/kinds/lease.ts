/** Lease: who holds something, until when it is renewed. */
import { ageColumn, column } from '../column.ts'
import { type FieldError, fieldInvalid, fieldRequired } from '../field-error.ts'
import type { Kind } from '../kind.ts'
import { checkQualifiedName } from '../name.ts'
import type { ApiObject } from '../object.ts'

interface LeaseSpec {
  holderIdentity?: string
  leaseDurationSeconds?: number
  leaseTransitions?: number
  strategy?: string
  preferredHolder?: string
}

const specOf = (lease: ApiObject): LeaseSpec => (lease.spec ?? {}) as LeaseSpec

const validate = (lease: ApiObject): FieldError[] => {
  const { holderIdentity, leaseDurationSeconds, leaseTransitions, strategy, preferredHolder } = specOf(lease)
  const errors: FieldError[] = []
  if (leaseDurationSeconds !== undefined && leaseDurationSeconds <= 0) {
    errors.push(fieldInvalid('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'))
  }
  if (leaseTransitions !== undefined && leaseTransitions < 0) {
    errors.push(fieldInvalid('spec.leaseTransitions', leaseTransitions, 'must be greater than or equal to 0'))
  }
  if (holderIdentity === '') errors.push(fieldInvalid('spec.holderIdentity', '', 'must not be empty'))
  if (strategy !== undefined) {
    for (const complaint of checkQualifiedName(strategy))
      errors.push(fieldInvalid('spec.strategy', strategy, complaint))
  }
  if (preferredHolder && !strategy) {
    errors.push(fieldRequired('spec.strategy', 'strategy must be specified when preferredHolder is specified'))
  }
  return errors
}

export const leaseKind: Kind = {
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  resource: 'leases',
  singular: 'lease',
  shortNames: [],
  categories: [],
  namespaced: true,
  type: 'coordination.k8s.io/v1.Lease',
  hasStatus: false,
  countsGenerations: false,
  takesAnyFinalizer: true,
  createOnUpdate: true,
  unconditionalUpdate: false,
  validate,
  columns: [column('Holder', 'Who holds the lease.', lease => specOf(lease).holderIdentity ?? ''), ageColumn],
}
