/** VolumeAttributesClass: how volumes perform, changed while they are in use (KEP-3751). */
import { ageColumn, column } from '../column.ts'
import { complain, type FieldError, fieldRequired } from '../field-error.ts'
import { validateImmutable } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { checkQualifiedName } from '../name.ts'
import type { ApiObject } from '../object.ts'
import { validateParameters } from '../volume/parameters.ts'

interface AttributesClass extends ApiObject {
  driverName?: string
  parameters?: Record<string, string>
}

const as = (object: ApiObject): AttributesClass => object as AttributesClass

const validate = (object: ApiObject): FieldError[] => {
  const { driverName = '', parameters = {} } = as(object)
  const errors =
    driverName === '' ? [] : complain('driverName', driverName, checkQualifiedName(driverName.toLowerCase()))
  return Object.keys(parameters).length === 0
    ? [...errors, fieldRequired('parameters', 'must contain at least one key/value pair')]
    : [...errors, ...validateParameters(parameters)]
}

export const volumeAttributesClassKind: Kind = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  resource: 'volumeattributesclasses',
  singular: 'volumeattributesclass',
  shortNames: ['vac'],
  categories: [],
  namespaced: false,
  type: 'storage.k8s.io/v1.VolumeAttributesClass',
  hasStatus: false,
  countsGenerations: false,
  deleteReturnsObject: true,
  validate,
  validateUpdate: (next, current) =>
    (['driverName', 'parameters'] as const).flatMap(field =>
      validateImmutable(field, as(next)[field], as(current)[field]),
    ),
  columns: [column('DriverName', 'Who performs so.', object => as(object).driverName ?? ''), ageColumn],
}
