/** A claim to storage, alone or in a StatefulSet's template. */
import type { ApiObject } from '../object.ts'

export interface ClaimSpec {
  accessModes?: string[]
  selector?: object
  resources?: { requests?: Record<string, string>; limits?: Record<string, string> }
  volumeName?: string
  storageClassName?: string
  volumeMode?: string
  volumeAttributesClassName?: string
  dataSource?: { apiGroup?: string; kind?: string; name?: string }
  dataSourceRef?: { apiGroup?: string; kind?: string; name?: string; namespace?: string }
}

export const applyClaimDefaults = (claim: ApiObject): void => {
  claim.spec ??= {}
  const spec = claim.spec as ClaimSpec
  spec.volumeMode ??= 'Filesystem'
  claim.status ??= {}
  const status = claim.status as { phase?: string }
  status.phase ||= 'Pending'
}

export const claimSpecOf = ({ spec }: ApiObject): ClaimSpec => (spec ?? {}) as ClaimSpec
