/** PersistentVolume: a piece of storage that claims may get. */
import { ageColumn, column, wideColumn } from '../column.ts'
import { type FieldError, fieldForbidden } from '../field-error.ts'
import { isSame, validateImmutable } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import type { ApiObject } from '../object.ts'
import { applySchemaDefaults } from '../schema-defaults.ts'
import { accessModesText } from '../volume/access-modes.ts'
import { orUnset, phaseText, storageClassOf, VOLUME_SOURCES, type VolumeSpec } from '../volume/volume.ts'
import { validateVolumeSpec } from '../volume/volume-validation.ts'

interface VolumeStatus {
  phase?: string
  reason?: string
  lastPhaseTransitionTime?: string
}

const specOf = ({ spec }: ApiObject): VolumeSpec => (spec ?? {}) as VolumeSpec
const statusOf = ({ status }: ApiObject): VolumeStatus => (status ?? {}) as VolumeStatus

const applyDefaults = (object: ApiObject): void => {
  object.spec ??= {}
  const spec = specOf(object)
  spec.persistentVolumeReclaimPolicy ||= 'Retain'
  spec.volumeMode ??= 'Filesystem'
  if (spec.hostPath) spec.hostPath.type ??= ''
  object.status ??= {}
  statusOf(object).phase ||= 'Pending'
  applySchemaDefaults(object, 'core/v1.PersistentVolume')
}

const sourceOf = (object: ApiObject): unknown =>
  Object.fromEntries(VOLUME_SOURCES.map(source => [source, specOf(object)[source]]))

const validateUpdate = (next: ApiObject, current: ApiObject): FieldError[] => {
  const [after, before] = [specOf(next), specOf(current)]
  const errors: FieldError[] = []
  if (!isSame(sourceOf(next), sourceOf(current))) {
    // Kubernetes adds the difference, as Go prints it.
    const detail = 'spec.persistentvolumesource is immutable after creation'
    errors.push(fieldForbidden('spec.persistentvolumesource', detail))
  }
  errors.push(...validateImmutable('volumeMode', after.volumeMode, before.volumeMode))
  if (before.nodeAffinity) errors.push(...validateImmutable('nodeAffinity', after.nodeAffinity, before.nodeAffinity))
  if (before.volumeAttributesClassName !== undefined && after.volumeAttributesClassName === undefined) {
    const detail = 'update from non-nil value to nil is forbidden'
    errors.push(fieldForbidden('spec.volumeAttributesClassName', detail))
  }
  return errors
}

/** KEP-3762: since when it is in its phase. */
const keepPhaseTime = (next: ApiObject, current: ApiObject, now: string): void => {
  const [after, before] = [statusOf(next), statusOf(current)]
  if (after.phase === before.phase) return
  if (after.lastPhaseTransitionTime && after.lastPhaseTransitionTime !== before.lastPhaseTransitionTime) return
  next.status = { ...after, lastPhaseTransitionTime: now }
}

const claimText = (object: ApiObject): string => {
  const { claimRef } = specOf(object)
  return claimRef ? `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}` : ''
}

export const persistentVolumeKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  resource: 'persistentvolumes',
  singular: 'persistentvolume',
  shortNames: ['pv'],
  categories: [],
  namespaced: false,
  type: 'core/v1.PersistentVolume',
  hasStatus: true,
  countsGenerations: false,
  deleteReturnsObject: true,
  applyDefaults,
  prepareForCreate(object) {
    const { creationTimestamp } = object.metadata
    const since = creationTimestamp === undefined ? {} : { lastPhaseTransitionTime: creationTimestamp }
    object.status = { phase: 'Pending', ...since }
  },
  prepareForStatusUpdate: keepPhaseTime,
  validate: object => validateVolumeSpec(specOf(object), 'spec', { inline: false }),
  validateUpdate,
  columns: [
    column('Capacity', 'How much it holds.', object => specOf(object).capacity?.storage ?? '0'),
    column('Access Modes', 'How it may be mounted.', object => accessModesText(specOf(object).accessModes)),
    column('Reclaim Policy', 'What becomes of it after its claim.', object => {
      return specOf(object).persistentVolumeReclaimPolicy ?? ''
    }),
    column('Status', 'Whether a claim has it.', phaseText),
    column('Claim', 'The claim that has it.', claimText),
    column('StorageClass', 'What kind of storage it is.', storageClassOf),
    column('VolumeAttributesClass', 'How it performs.', object => orUnset(specOf(object).volumeAttributesClassName)),
    column('Reason', 'Why it is as it is.', object => statusOf(object).reason ?? ''),
    ageColumn,
    wideColumn('VolumeMode', 'Files or blocks.', object => orUnset(specOf(object).volumeMode)),
  ],
}
