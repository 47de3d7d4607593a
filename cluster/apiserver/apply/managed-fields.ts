/** metadata.managedFields ↔ the fields of each manager. */
import type { ManagedFieldsEntry } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { sharedInOrder } from '../storage/shared-fields.ts'
import { type FieldSet, NO_FIELDS, ordered } from './field-set.ts'
import { type Manager, type ManagerId, managerId, managerOf } from './manager.ts'
import { readFieldSet } from './read-field-set.ts'

export interface Ownership {
  readonly manager: Manager
  readonly fields: FieldSet
  /** RFC 3339. Absent for an applier that has changed nothing yet. */
  readonly time: string | undefined
}

export type Owners = ReadonlyMap<ManagerId, Ownership>

export const NO_OWNERS: Owners = new Map()

/** Ownerships that stand in an object as they are, so that they need not be written again. */
const written = new WeakMap<Ownership, ManagedFieldsEntry>()

const ownersOf = (
  entries: readonly ManagedFieldsEntry[],
  read: (fields: unknown) => FieldSet | undefined,
): Owners | undefined => {
  const owners = new Map<ManagerId, Ownership>()
  for (const entry of entries) {
    const fields = read(entry.fieldsV1)
    if (!fields) return undefined
    const manager = managerOf(entry)
    const ownership = { manager, fields, time: entry.time }
    written.set(ownership, entry)
    owners.set(managerId(manager), ownership)
  }
  return owners
}

/** Of a stored object: what stands there was written by `encodeOwners`. */
export const storedOwners = (entries: readonly ManagedFieldsEntry[] = []): Owners =>
  ownersOf(entries, fields => (isObject(fields) ? (fields as FieldSet) : NO_FIELDS)) ?? NO_OWNERS

const isReadable = ({ operation, apiVersion, fieldsType }: ManagedFieldsEntry): boolean =>
  (operation === 'Apply' || operation === 'Update') && Boolean(apiVersion) && fieldsType === 'FieldsV1'

/** Of what a client sent. Undefined: it makes no sense, and is to be ignored. */
export const givenOwners = (entries: readonly ManagedFieldsEntry[]): Owners | undefined => {
  if (!entries.every(isReadable)) return undefined
  const owners = ownersOf(entries, readFieldSet)
  // Another spelling of a set may have been read.
  for (const ownership of owners?.values() ?? []) written.delete(ownership)
  return owners
}

/** Whether a client asks by its entries to forget who owns what: an empty list, or one empty entry. */
export const asksForReset = (entries: readonly ManagedFieldsEntry[] | undefined): boolean =>
  entries !== undefined &&
  (entries.length === 0 || (entries.length === 1 && Object.keys(entries[0] ?? {}).length === 0))

export const encodeOwnership = (ownership: Ownership): ManagedFieldsEntry => {
  const { manager, fields, time } = ownership
  return (
    written.get(ownership) ?? {
      ...(manager.name ? { manager: manager.name } : {}),
      operation: manager.operation,
      apiVersion: manager.apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: 'FieldsV1',
      fieldsV1: sharedInOrder(fields, ordered),
      ...(manager.subresource ? { subresource: manager.subresource } : {}),
    }
  )
}

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Appliers first, then by age, then by name. */
const compareOwnerships = (a: Ownership, b: Ownership): number =>
  compareText(a.manager.operation, b.manager.operation) ||
  compareText(a.time ?? '', b.time ?? '') ||
  compareText(a.manager.name, b.manager.name) ||
  compareText(a.manager.apiVersion, b.manager.apiVersion) ||
  compareText(a.manager.subresource, b.manager.subresource)

/** Undefined: nobody owns anything. */
export const encodeOwners = (owners: Owners): ManagedFieldsEntry[] | undefined =>
  owners.size === 0 ? undefined : [...owners.values()].sort(compareOwnerships).map(encodeOwnership)
