/** CSIStorageCapacity: how much of a class of storage some nodes can still get. */
import { createdColumn } from '../column.ts'
import { complain, type FieldError, fieldInvalid } from '../field-error.ts'
import { validateImmutable } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { type LabelSelector, validateLabelSelector } from '../label-selector.ts'
import { checkDnsSubdomain } from '../name.ts'
import type { ApiObject } from '../object.ts'
import { parseQuantity } from '../quantity.ts'

interface StorageCapacity extends ApiObject {
  nodeTopology?: LabelSelector
  storageClassName?: string
  capacity?: string
  maximumVolumeSize?: string
}

const as = (object: ApiObject): StorageCapacity => object as StorageCapacity

const validate = (object: ApiObject): FieldError[] => {
  const { nodeTopology, storageClassName = '' } = as(object)
  const errors = nodeTopology ? validateLabelSelector(nodeTopology, 'nodeTopology') : []
  if (storageClassName !== '')
    errors.push(...complain('storageClassName', storageClassName, checkDnsSubdomain(storageClassName)))
  for (const field of ['capacity', 'maximumVolumeSize'] as const) {
    const size = as(object)[field]
    if (size !== undefined && (parseQuantity(size)?.nano ?? 0n) < 0n)
      errors.push(fieldInvalid(field, size, 'must be greater than or equal to 0'))
  }
  return errors
}

export const csiStorageCapacityKind: Kind = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  resource: 'csistoragecapacities',
  singular: 'csistoragecapacity',
  shortNames: [],
  categories: [],
  namespaced: true,
  type: 'storage.k8s.io/v1.CSIStorageCapacity',
  hasStatus: false,
  countsGenerations: false,
  validate,
  validateUpdate: (next, current) =>
    (['nodeTopology', 'storageClassName'] as const).flatMap(field =>
      validateImmutable(field, as(next)[field], as(current)[field]),
    ),
  columns: [createdColumn],
}
