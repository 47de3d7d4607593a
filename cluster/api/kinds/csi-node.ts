/** CSINode: the drivers of volumes that run on a node. */
import { ageColumn, integerColumn } from '../column.ts'
import { complain, type FieldError, fieldDuplicate, fieldInvalid } from '../field-error.ts'
import { isSame } from '../immutable.ts'
import type { Kind } from '../kind.ts'
import { checkQualifiedName } from '../name.ts'
import { notNegative } from '../number-rules.ts'
import type { ApiObject } from '../object.ts'
import { validateDriverName } from '../volume/volume-validation.ts'

interface NodeDriver {
  name?: string
  nodeID?: string
  topologyKeys?: string[]
  allocatable?: { count?: number }
}

const MAX_NODE_ID = 192

const driversOf = ({ spec }: ApiObject): readonly NodeDriver[] =>
  (spec as { drivers?: NodeDriver[] } | undefined)?.drivers ?? []

const validateTopology = (keys: readonly string[], at: string): FieldError[] =>
  keys.flatMap((key, index) => [
    ...(keys.indexOf(key) < index ? [fieldDuplicate(at, key)] : []),
    ...complain(at, key, checkQualifiedName(key)),
  ])

const validate = (object: ApiObject): FieldError[] => {
  const drivers = driversOf(object)
  return drivers.flatMap(({ name = '', nodeID = '', topologyKeys = [], allocatable }, index) => {
    const at = `spec.drivers[${index}]`
    const errors = validateDriverName(name, `${at}.name`)
    if (drivers.findIndex(other => other.name === name) < index) errors.push(fieldDuplicate(`${at}.name`, name))
    if (nodeID.length > MAX_NODE_ID)
      errors.push(fieldInvalid(`${at}.nodeID`, nodeID, `must be ${MAX_NODE_ID} characters or less`))
    return [
      ...errors,
      ...notNegative(`${at}.allocatable.count`, allocatable?.count),
      ...validateTopology(topologyKeys, `${at}.topologyKeys`),
    ]
  })
}

/** Drivers come and go; one that stays is as it was, but for how many volumes it takes (KEP-4876). */
const validateUpdate = (next: ApiObject, current: ApiObject): FieldError[] => {
  const before = new Map(driversOf(current).map(driver => [driver.name, driver]))
  const changed = driversOf(next).find(driver => {
    const known = before.get(driver.name)
    return known && !isSame({ ...driver, allocatable: undefined }, { ...known, allocatable: undefined })
  })
  return changed ? [fieldInvalid('CSINodeDriver', changed, 'field is immutable')] : []
}

export const csiNodeKind: Kind = {
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  resource: 'csinodes',
  singular: 'csinode',
  shortNames: [],
  categories: [],
  namespaced: false,
  type: 'storage.k8s.io/v1.CSINode',
  hasStatus: false,
  countsGenerations: false,
  deleteReturnsObject: true,
  validate,
  validateUpdate,
  columns: [integerColumn('Drivers', 'How many there are.', object => driversOf(object).length), ageColumn],
}
