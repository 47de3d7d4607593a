/** PersistentVolumeClaim: somebody's wish for storage. */
import { ageColumn, column, wideColumn } from '../column.ts'
import type { Kind } from '../kind.ts'
import type { ApiObject } from '../object.ts'
import { accessModesText } from '../volume/access-modes.ts'
import {
  alignDataSources,
  applyClaimDefaults,
  claimSpec,
  claimStatus,
  validateClaim,
  validateClaimUpdate,
} from '../volume/claim.ts'
import { orUnset, phaseText, storageClassOf } from '../volume/volume.ts'

/** What the volume has, once there is one. */
const ofVolume =
  (text: (object: ApiObject) => string) =>
  (object: ApiObject): string =>
    claimSpec(object).volumeName ? text(object) : ''

export const persistentVolumeClaimKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  resource: 'persistentvolumeclaims',
  singular: 'persistentvolumeclaim',
  shortNames: ['pvc'],
  categories: [],
  namespaced: true,
  type: 'core/v1.PersistentVolumeClaim',
  hasStatus: true,
  countsGenerations: false,
  deleteReturnsObject: true,
  applyDefaults: applyClaimDefaults,
  prepareForCreate(object) {
    object.status = { phase: 'Pending' }
    alignDataSources(object)
  },
  prepareForUpdate: alignDataSources,
  validate: validateClaim,
  validateUpdate: validateClaimUpdate,
  columns: [
    column('Status', 'Whether it has a volume.', phaseText),
    column('Volume', 'The volume that it has.', object => claimSpec(object).volumeName ?? ''),
    column(
      'Capacity',
      'How much that holds.',
      ofVolume(object => claimStatus(object).capacity?.storage ?? '0'),
    ),
    column(
      'Access Modes',
      'How that may be mounted.',
      ofVolume(object => accessModesText(claimStatus(object).accessModes)),
    ),
    column('StorageClass', 'What kind of storage it wants.', storageClassOf),
    column('VolumeAttributesClass', 'How that shall perform.', object =>
      orUnset(claimSpec(object).volumeAttributesClassName),
    ),
    ageColumn,
    wideColumn('VolumeMode', 'Files or blocks.', object => orUnset(claimSpec(object).volumeMode)),
  ],
}
