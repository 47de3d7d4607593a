/** ConfigMap: text and bytes by key, 1 MiB in all. */
import { ageColumn, column } from '../column.ts'
import { checkKeys, checkUnchanged, sizeOfData } from '../data-keys.ts'
import { type FieldError, fieldInvalid, fieldTooLong } from '../field-error.ts'
import type { Kind } from '../kind.ts'
import type { ApiObject } from '../object.ts'

interface ConfigMap extends ApiObject {
  data?: Record<string, string>
  binaryData?: Record<string, string>
  immutable?: boolean
}

/** What etcd takes in one object, with room for metadata. */
const MAX_BYTES = 1024 * 1024

const validate = (object: ApiObject): FieldError[] => {
  const { data = {}, binaryData = {} } = object as ConfigMap
  const errors = [...checkKeys(data, 'data'), ...checkKeys(binaryData, 'binaryData')]
  for (const key of Object.keys(data)) {
    if (Object.hasOwn(binaryData, key)) {
      errors.push(fieldInvalid(`data[${key}]`, key, 'duplicate of key present in binaryData'))
    }
  }
  if (sizeOfData(data, 'utf8') + sizeOfData(binaryData, 'base64') > MAX_BYTES) errors.push(fieldTooLong('', MAX_BYTES))
  return errors
}

const validateUpdate = (next: ApiObject, current: ApiObject): FieldError[] =>
  (current as ConfigMap).immutable === true ? checkUnchanged(next, current, ['immutable', 'data', 'binaryData']) : []

export const configMapKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  resource: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  categories: [],
  namespaced: true,
  type: 'core/v1.ConfigMap',
  hasStatus: false,
  countsGenerations: false,
  validate,
  validateUpdate,
  columns: [
    column('Data', 'Number of keys.', object => {
      const { data = {}, binaryData = {} } = object as ConfigMap
      return Object.keys(data).length + Object.keys(binaryData).length
    }),
    ageColumn,
  ],
}
