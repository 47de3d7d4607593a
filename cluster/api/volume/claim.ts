/** What the parts of a claim to storage mean where they are left out: of a StatefulSet, so far. */
import type { ApiObject } from '../object.ts'

export const applyClaimDefaults = (claim: ApiObject): void => {
  claim.spec ??= {}
  const spec = claim.spec as { volumeMode?: string }
  spec.volumeMode ??= 'Filesystem'
  claim.status ??= {}
  const status = claim.status as { phase?: string }
  status.phase ||= 'Pending'
}
