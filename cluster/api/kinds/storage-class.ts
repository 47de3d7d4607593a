/** StorageClass: a kind of storage, and who makes it. */
import { ageColumn, column, orNone } from '../column.ts'
import { type FieldError, fieldForbidden, fieldInvalid, fieldNotSupported } from '../field-error.ts'
import { isSame, validateImmutable } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { checkQualifiedName } from '../name.ts'
import type { ApiObject } from '../object.ts'
import { validateParameters } from '../volume/parameters.ts'

interface StorageClass extends ApiObject {
  provisioner?: string
  parameters?: Record<string, string>
  reclaimPolicy?: string
  allowVolumeExpansion?: boolean
  volumeBindingMode?: string
}

const IS_DEFAULT = ['storageclass.kubernetes.io/is-default-class', 'storageclass.beta.kubernetes.io/is-default-class']

const as = (object: ApiObject): StorageClass => object as StorageClass

const validate = (object: ApiObject): FieldError[] => {
  const { provisioner = '', parameters = {}, reclaimPolicy } = as(object)
  const errors = provisioner === '' ? [] : checkQualifiedName(provisioner.toLowerCase())
  return [
    ...errors.map(text => fieldInvalid('provisioner', provisioner, text)),
    ...validateParameters(parameters),
    // A volume that is made for a claim has never been another's.
    ...(reclaimPolicy === 'Recycle' ? [fieldNotSupported('reclaimPolicy', 'Recycle', ['Delete', 'Retain'])] : []),
  ]
}

const validateUpdate = (object: ApiObject, existing: ApiObject): FieldError[] => {
  const [next, current] = [as(object), as(existing)]
  const forbid = (field: 'parameters' | 'provisioner' | 'reclaimPolicy') =>
    isSame(next[field], current[field]) ? [] : [fieldForbidden(field, `updates to ${field} are forbidden.`)]
  return [
    ...forbid('parameters'),
    ...forbid('provisioner'),
    ...forbid('reclaimPolicy'),
    ...validateImmutable('volumeBindingMode', next.volumeBindingMode, current.volumeBindingMode),
  ]
}

const nameText = ({ metadata: { name = '', annotations = {} } }: ApiObject): string =>
  IS_DEFAULT.some(key => annotations[key] === 'true') ? `${name} (default)` : name

export const storageClassKind: Kind = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  resource: 'storageclasses',
  singular: 'storageclass',
  shortNames: ['sc'],
  categories: [],
  namespaced: false,
  type: 'storage.k8s.io/v1.StorageClass',
  hasStatus: false,
  countsGenerations: false,
  deleteReturnsObject: true,
  applyDefaults(object) {
    const storage = as(object)
    storage.reclaimPolicy ??= 'Delete'
    storage.volumeBindingMode ??= 'Immediate'
  },
  validate,
  validateUpdate,
  columns: [
    column('Name', 'The name; the one that claims get unasked is marked.', nameText),
    column('Provisioner', 'Who makes the storage.', object => as(object).provisioner ?? ''),
    column('ReclaimPolicy', 'What becomes of it after its claim.', object => as(object).reclaimPolicy ?? 'Delete'),
    column('VolumeBindingMode', 'When it is made.', object => orNone(as(object).volumeBindingMode)),
    column('AllowVolumeExpansion', 'Whether it may grow.', object => as(object).allowVolumeExpansion ?? false),
    ageColumn,
  ],
}
