/** PriorityClass: how much Pods matter, by name. */
import { ageColumn, booleanColumn, column, integerColumn, orNone } from '../column.ts'
import { type FieldError, fieldForbidden } from '../field-error.ts'
import { isSame } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import type { ApiObject } from '../object.ts'

interface PriorityClass extends ApiObject {
  value?: number
  globalDefault?: boolean
  description?: string
  preemptionPolicy?: string
}

/** Above are the system's own. */
const HIGHEST_OF_USERS = 1_000_000_000
const SYSTEM = new Map([
  ['system-node-critical', 2 * HIGHEST_OF_USERS + 1000],
  ['system-cluster-critical', 2 * HIGHEST_OF_USERS],
])

const as = (object: ApiObject): PriorityClass => object as PriorityClass

const validate = (object: ApiObject): FieldError[] => {
  const { metadata, value = 0, globalDefault = false } = as(object)
  const { name = '' } = metadata
  if (name.startsWith('system-')) {
    return SYSTEM.get(name) === value && !globalDefault
      ? []
      : [
          fieldForbidden(
            'metadata.name',
            "priority class names with 'system-' prefix are reserved for system use only. error: is not a known system priority class",
          ),
        ]
  }
  const detail = `maximum allowed value of a user defined priority is ${HIGHEST_OF_USERS}`
  return value > HIGHEST_OF_USERS ? [fieldForbidden('value', detail)] : []
}

const validateUpdate = (next: ApiObject, current: ApiObject): FieldError[] => [
  ...(as(next).value === as(current).value ? [] : [fieldForbidden('value', 'may not be changed in an update.')]),
  ...(isSame(as(next).preemptionPolicy, as(current).preemptionPolicy)
    ? []
    : [fieldForbidden('preemptionPolicy', 'may not be changed in an update.')]),
]

export const priorityClassKind: Kind = {
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  resource: 'priorityclasses',
  singular: 'priorityclass',
  shortNames: ['pc'],
  categories: [],
  namespaced: false,
  type: 'scheduling.k8s.io/v1.PriorityClass',
  hasStatus: false,
  countsGenerations: true,
  applyDefaults(object) {
    as(object).preemptionPolicy ??= 'PreemptLowerPriority'
  },
  validate,
  validateUpdate,
  columns: [
    integerColumn('Value', 'The higher, the more it matters.', object => as(object).value ?? 0),
    booleanColumn('Global-Default', 'Whether it is that of Pods which name none.', object => {
      return as(object).globalDefault ?? false
    }),
    ageColumn,
    column('PreemptionPolicy', 'Whether lesser Pods make room.', object => orNone(as(object).preemptionPolicy)),
  ],
}
