/** A claim grows when it is bound, and its StorageClass says that it may. */

import { persistentVolumeClaimKind } from '#cluster/api/kinds/persistent-volume-claim.ts'
import { storageClassKind } from '#cluster/api/kinds/storage-class.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { parseQuantity } from '#cluster/api/quantity.ts'
import { forbidden } from '#cluster/api/status.ts'
import type { AdmissionPlugin } from '../admission.ts'
import type { Cacher } from '../storage/cacher.ts'

interface Claim extends ApiObject {
  readonly spec?: { storageClassName?: string; resources?: { requests?: Record<string, string> } }
  readonly status?: { phase?: string }
}

/** Of before the field. */
const OLD_NAME = 'volume.beta.kubernetes.io/storage-class'

const sizeOf = ({ spec }: Claim): bigint => parseQuantity(spec?.resources?.requests?.storage ?? '0')?.nano ?? 0n

const classOf = ({ metadata, spec }: Claim): string => metadata.annotations?.[OLD_NAME] ?? spec?.storageClassName ?? ''

export const createPersistentVolumeClaimResize = (cacher: Cacher): AdmissionPlugin => {
  const mayGrow = (next: Claim, current: Claim): boolean => {
    const name = classOf(next)
    if (name === '' || name !== classOf(current)) return false
    return cacher.cache(storageClassKind).get(name)?.object.allowVolumeExpansion === true
  }
  return {
    name: 'PersistentVolumeClaimResize',
    validate({ verb, kind, subresource, name, object, current }) {
      if (kind !== persistentVolumeClaimKind || verb !== 'update' || subresource !== '' || !current) return undefined
      const [next, before]: [Claim, Claim] = [object, current]
      if (sizeOf(next) <= sizeOf(before)) return undefined
      const refuse = (detail: string) => forbidden({ ...kind, name }, detail)
      if (before.status?.phase !== 'Bound') return refuse('Only bound persistent volume claims can be expanded')
      if (mayGrow(next, before)) return undefined
      return refuse(
        'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
      )
    },
  }
}
