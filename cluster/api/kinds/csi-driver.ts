/** CSIDriver: what the cluster must know of a driver of volumes. */
import { ageColumn, booleanColumn, column, orNone } from '../column.ts'
import { type FieldError, fieldInvalid } from '../field-error.ts'
import { isSame, validateImmutable } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import type { ApiObject } from '../object.ts'
import { type VolumeTokenRequest, validateTokenRequests } from '../volume/token-requests.ts'
import { orUnset } from '../volume/volume.ts'
import { validateDriverName } from '../volume/volume-validation.ts'

interface DriverSpec {
  attachRequired?: boolean
  podInfoOnMount?: boolean
  storageCapacity?: boolean
  volumeLifecycleModes?: string[]
  fsGroupPolicy?: string
  tokenRequests?: VolumeTokenRequest[]
  requiresRepublish?: boolean
  seLinuxMount?: boolean
  nodeAllocatableUpdatePeriodSeconds?: number
  serviceAccountTokenInSecrets?: boolean
}

const MIN_UPDATE_SECONDS = 10

const TOKENS_IN_SECRETS =
  'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes'

const specOf = ({ spec }: ApiObject): DriverSpec => (spec ?? {}) as DriverSpec

const applyDefaults = (object: ApiObject): void => {
  object.spec ??= {}
  const spec = specOf(object)
  spec.attachRequired ??= true
  spec.podInfoOnMount ??= false
  spec.storageCapacity ??= false
  spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
  if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent']
  spec.requiresRepublish ??= false
  spec.seLinuxMount ??= false
}

const validate = (object: ApiObject): FieldError[] => {
  const { tokenRequests = [], nodeAllocatableUpdatePeriodSeconds: period, ...spec } = specOf(object)
  const errors = [
    ...validateDriverName(object.metadata.name ?? '', 'name'),
    ...validateTokenRequests(tokenRequests, 'spec.tokenRequests'),
  ]
  if (period !== undefined && period < MIN_UPDATE_SECONDS) {
    const detail = `must be greater than or equal to ${MIN_UPDATE_SECONDS} seconds`
    errors.push(fieldInvalid('spec.nodeAllocatableUpdatePeriodSeconds', period, detail))
  }
  const inSecrets = spec.serviceAccountTokenInSecrets
  if (inSecrets !== undefined && tokenRequests.length === 0) {
    const detail = 'serviceAccountTokenInSecrets is set but no tokenRequests are specified'
    errors.push(fieldInvalid('spec.serviceAccountTokenInSecrets', inSecrets, detail))
  }
  return errors
}

/** Said of tokens that are new: where nothing is said, they stand among the attributes of volumes, which get logged. */
const warnings = (object: ApiObject, current?: ApiObject): readonly string[] => {
  const { tokenRequests = [], serviceAccountTokenInSecrets } = specOf(object)
  if (serviceAccountTokenInSecrets !== undefined || tokenRequests.length === 0) return []
  if (current && isSame(tokenRequests, specOf(current).tokenRequests)) return []
  return [TOKENS_IN_SECRETS]
}

const validateUpdate = (object: ApiObject, existing: ApiObject): FieldError[] => {
  const [next, current] = [specOf(object), specOf(existing)]
  return [
    // Kubernetes spells the field so.
    ...validateImmutable('spec.attachedRequired', next.attachRequired, current.attachRequired),
    ...validateImmutable('spec.volumeLifecycleModes', next.volumeLifecycleModes, current.volumeLifecycleModes),
  ]
}

const audiencesText = ({ tokenRequests }: DriverSpec): string =>
  orUnset(tokenRequests?.map(({ audience = '' }) => audience).join(','))

export const csiDriverKind: Kind = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  resource: 'csidrivers',
  singular: 'csidriver',
  shortNames: [],
  categories: [],
  namespaced: false,
  type: 'storage.k8s.io/v1.CSIDriver',
  hasStatus: false,
  countsGenerations: false,
  deleteReturnsObject: true,
  applyDefaults,
  // Counted from none: a new driver has no generation.
  prepareForUpdate(next, current) {
    if (!isSame(next.spec, current.spec)) next.metadata.generation = (current.metadata.generation ?? 0) + 1
  },
  validate,
  validateUpdate,
  warnings,
  columns: [
    booleanColumn('AttachRequired', 'Whether volumes are attached to nodes.', object => {
      return specOf(object).attachRequired ?? true
    }),
    booleanColumn('PodInfoOnMount', 'Whether it is told of the pod.', object => specOf(object).podInfoOnMount ?? false),
    booleanColumn('StorageCapacity', 'Whether it says how much it has.', object => {
      return specOf(object).storageCapacity ?? false
    }),
    column('TokenRequests', 'Audiences of the tokens that it wants.', object => audiencesText(specOf(object))),
    booleanColumn('RequiresRepublish', 'Whether volumes are published again and again.', object => {
      return specOf(object).requiresRepublish ?? false
    }),
    column('Modes', 'How long its volumes live.', object => orNone(specOf(object).volumeLifecycleModes?.join(','))),
    ageColumn,
  ],
}
