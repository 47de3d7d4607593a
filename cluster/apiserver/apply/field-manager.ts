/**
 * Who owns which fields after each write (KEP-555): the entries of metadata.managedFields for a create, an update or a
 * patch, and an applied configuration merged into an object.
 *
 * Promised: entries change when sets do; no field's ownership is lost but by a write to it or its removal.
 */
import { LRUCache } from 'lru-cache'
import { encodeObject } from '#cluster/api/encode.ts'
import type { Kind } from '#cluster/api/kind.ts'
import { type ApiObject, apiVersionOf, type ManagedFieldsEntry } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { scaleKind } from '#cluster/api/scale.ts'
import { badRequest, type Status, unexplained } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { sharedInOrder } from '../storage/shared-fields.ts'
import { capManagers } from './cap-managers.ts'
import { checkConfiguration } from './check-configuration.ts'
import { applyConflict, type Conflict } from './conflict.ts'
import {
  difference,
  type FieldSet,
  fieldSet,
  hasPath,
  isEmptySet,
  NO_FIELDS,
  ordered,
  pathsOf,
  union,
} from './field-set.ts'
import { fieldsOfLastApplied, withLastApplied } from './last-applied.ts'
import { NotIdentified } from './list-items.ts'
import {
  asksForReset,
  encodeOwners,
  encodeOwnership,
  givenOwners,
  NO_OWNERS,
  type Owners,
  type Ownership,
  storedOwners,
} from './managed-fields.ts'
import { type Manager, type ManagerId, managerId } from './manager.ts'
import { shapeOf } from './object-shape.ts'
import { type Applied, ownersAfterApply, ownersAfterUpdate, type Terms } from './ownership.ts'
import { fieldElement } from './path-element.ts'
import { converterOf, versioned } from './versions.ts'

export type JsonObject = Record<string, unknown>

export interface FieldWrite {
  readonly kind: Kind
  /** The kinds that share what is stored, this one included. */
  readonly versions: readonly Kind[]
  readonly subresource: string | undefined
  /** Who writes; `''` where nobody says. */
  readonly manager: string
  /** RFC 3339: now. */
  readonly time: string
}

const path = (dotted: string): string[] => dotted.split('.').map(fieldElement)

/** What identifies an object or is the server's own: nobody owns it. */
const UNOWNED = fieldSet(
  [
    'apiVersion',
    'kind',
    'metadata',
    'metadata.name',
    'metadata.namespace',
    'metadata.creationTimestamp',
    'metadata.selfLink',
    'metadata.uid',
    'metadata.clusterName',
    'metadata.generation',
    'metadata.managedFields',
    'metadata.resourceVersion',
  ].map(path),
)

const resets = new Map<string, FieldSet>()

const resetPaths = (kind: Kind, subresource: string | undefined): readonly string[] => {
  if (subresource === 'status') return ['spec', ...(kind.statusResets ?? [])]
  return kind.parts?.[subresource ?? '']?.resets ?? (kind.hasStatus ? ['status'] : [])
}

/** What such a write does not touch, whatever the client sends. */
const resetFields = ({ kind, subresource }: FieldWrite): FieldSet => {
  const key = `${kind.type} ${subresource ?? ''}`
  const known = resets.get(key)
  if (known) return known
  const set = fieldSet(resetPaths(kind, subresource).map(path))
  resets.set(key, set)
  return set
}

const termsOf = (write: FieldWrite): Terms => ({ convert: converterOf(write.versions), reset: resetFields(write) })

const writerOf = ({ kind, subresource, manager }: FieldWrite, operation: Manager['operation']): Manager => ({
  name: manager || 'unknown',
  operation,
  apiVersion: apiVersionOf(kind),
  subresource: subresource ?? '',
})

const empties = new Map<string, ApiObject>()

/** An object that says nothing, as Kubernetes would print it. */
const emptyObject = (kind: Kind): ApiObject => {
  const known = empties.get(kind.type)
  if (known) return known
  const empty = encodeObject<ApiObject>({ kind: kind.kind, apiVersion: apiVersionOf(kind), metadata: {} }, kind.type)
  empties.set(kind.type, empty)
  return empty
}

/** The same object; not changed. */
export const withoutOwners = (object: ApiObject): ApiObject => {
  if (object.metadata.managedFields === undefined) return object
  const { managedFields: _managedFields, ...metadata } = object.metadata
  return { ...object, metadata }
}

/** The writer's own set is kept with what it had; the time is that of the last change. */
const recordUpdate = (
  write: FieldWrite,
  [before, after]: readonly [ApiObject, ApiObject],
  owners: Owners,
): Map<ManagerId, Ownership> => {
  const { kind, time } = write
  const updated = ownersAfterUpdate(versioned(kind, before), versioned(kind, after), owners, termsOf(write))
  const own = difference(updated.own, UNOWNED)
  if (!isEmptySet(own)) {
    const manager = writerOf(write, 'Update')
    const id = managerId(manager)
    const earlier = updated.owners.get(id)
    updated.owners.set(id, { manager, fields: earlier ? union(own, earlier.fields) : own, time })
  }
  capManagers(updated.owners)
  return updated.owners
}

/** Characters of shapes and of the sets that follow from them, which are about as long. */
const MAX_REMEMBERED = 8 * 1024 * 1024

/** By type and shape: what whoever makes such an object owns; nothing where its items cannot be told apart. */
const fieldsOfNew = new LRUCache<string, FieldSet>({
  maxSize: MAX_REMEMBERED,
  maxEntrySize: MAX_REMEMBERED / 16,
  sizeCalculation: (_fields, shape) => 2 * shape.length,
})

const computeFieldsOfNew = (write: FieldWrite, object: ApiObject): FieldSet => {
  const { kind } = write
  const [before, after] = [emptyObject(kind), encodeObject(object, kind.type)]
  try {
    const { own } = ownersAfterUpdate(versioned(kind, before), versioned(kind, after), NO_OWNERS, termsOf(write))
    return sharedInOrder(difference(own, UNOWNED), ordered)
  } catch (error) {
    // As in Kubernetes: a list whose items cannot be told apart has no owners rather than wrong ones.
    if (error instanceof NotIdentified) return NO_FIELDS
    throw error
  }
}

/** The entries of an object that is made as a whole, and says nothing of owners: programs make one like the other. */
const managedFieldsOfNew = (write: FieldWrite, object: ApiObject): ManagedFieldsEntry[] | undefined => {
  const key = `${write.kind.type} ${shapeOf(object)}`
  let fields = fieldsOfNew.get(key)
  if (!fields) {
    fields = computeFieldsOfNew(write, object)
    fieldsOfNew.set(key, fields)
  }
  return isEmptySet(fields)
    ? undefined
    : [encodeOwnership({ manager: writerOf(write, 'Update'), fields, time: write.time })]
}

/** A client may write the entries themselves; what makes no sense is as if it had said nothing. */
const ownersBefore = (current: ApiObject | undefined, next: ApiObject, subresource: string | undefined): Owners => {
  const stored = storedOwners(current?.metadata.managedFields)
  const given = next.metadata.managedFields
  if (subresource !== undefined || given === undefined) return stored
  if (asksForReset(given)) return NO_OWNERS
  const owners = givenOwners(given)
  return owners && owners.size > 0 ? owners : stored
}

/**
 * The entries after a create (`current` undefined), update or patch. `next`: decoded, defaults applied, with whatever
 * entries the client sent. Undefined: none; an object whose entries are gone is not tracked until somebody applies.
 */
export const managedFieldsAfterUpdate = (
  write: FieldWrite,
  current: ApiObject | undefined,
  next: ApiObject,
): ManagedFieldsEntry[] | undefined => {
  const saysNothing = next.metadata.managedFields === undefined && write.subresource === undefined
  // Custom resources need not fit their types yet, as those below are held against.
  if (!current && saysNothing && !write.kind.namesItems) return managedFieldsOfNew(write, next)
  const owners = ownersBefore(current, next, write.subresource)
  if (current && owners.size === 0) return undefined
  const before = current ? withoutOwners(current) : emptyObject(write.kind)
  const after = encodeObject(withoutOwners(next), write.kind.type)
  // A custom resource need not fit its type until it is validated; what does not has no owners.
  if (write.kind.namesItems && checkConfiguration(after, write.kind.type, true) !== undefined) return undefined
  try {
    return encodeOwners(recordUpdate(write, [before, after], owners))
  } catch (error) {
    // As in Kubernetes: a list whose items cannot be told apart has no owners rather than wrong ones.
    if (error instanceof NotIdentified) return undefined
    throw error
  }
}

export interface AppliedConfiguration {
  /** Not yet decoded; without entries. */
  readonly value: JsonObject
  readonly managedFields: ManagedFieldsEntry[] | undefined
}

const describeKind = ({ group, version, kind }: { group: string; version: string; kind: string }): string =>
  `${group}/${version}, Kind=${kind}`

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

const givenKind = ({ apiVersion, kind }: JsonObject): string => {
  const parts = text(apiVersion).split('/')
  const [group = '', version = ''] = parts.length === 2 ? parts : ['', text(apiVersion)]
  return describeKind({ group, version, kind: text(kind) })
}

const metadataOf = (configuration: JsonObject): JsonObject =>
  isObject(configuration.metadata) ? configuration.metadata : {}

/** `default/web; /v1, Kind=Service`. */
export const describeConfiguration = (configuration: JsonObject): string => {
  const { namespace, name } = metadataOf(configuration)
  return `${text(namespace)}/${text(name)}; ${givenKind(configuration)}`
}

/** Why nobody can apply it to an object of this kind. */
export const checkConfigurationOf = (kind: Kind, configuration: JsonObject): Status | undefined => {
  const given = givenKind(configuration)
  if (given !== describeKind(kind)) return badRequest(`invalid object type: ${given}`)
  const { managedFields } = metadataOf(configuration)
  if (managedFields !== undefined && managedFields !== null) return badRequest('metadata.managedFields must be nil')
  const problem = checkConfiguration(configuration, kind.type)
  if (problem === undefined) return undefined
  return unexplained(`failed to create typed patch object (${describeConfiguration(configuration)}): ${problem}`)
}

/** Fields that client-side apply set may be taken over by the same person's server-side apply. */
const conflictsLeft = (write: FieldWrite, current: ApiObject, { owners, conflicts }: Parties): readonly Conflict[] => {
  const all = [...conflicts].flatMap(([id, fields]) =>
    pathsOf(fields).map(steps => ({ manager: owners.get(id)!.manager, path: steps })),
  )
  if (all.length === 0 || write.manager !== 'kubectl') return all
  const allowed = fieldsOfLastApplied(current, apiVersionOf(write.kind), write.kind.type)
  return allowed ? all.filter(conflict => !hasPath(allowed, conflict.path)) : all
}

interface Parties {
  readonly owners: Owners
  readonly conflicts: Applied['conflicts']
}

/** Who applies a Scale sees the owners of the replicas as owners of a Scale's. */
const asSeen = ({ subresource }: FieldWrite, conflict: Conflict): Conflict =>
  subresource === 'scale'
    ? { ...conflict, manager: { ...conflict.manager, apiVersion: apiVersionOf(scaleKind) } }
    : conflict

const mergeIn = (
  write: FieldWrite,
  current: ApiObject,
  { configuration, owners, force }: { configuration: JsonObject; owners: Owners; force: boolean },
): Result<AppliedConfiguration, Status> => {
  const { kind, time } = write
  const manager = writerOf(write, 'Apply')
  const from = versioned(kind, current)
  const applied = ownersAfterApply(from, versioned(kind, configuration), { owners, manager }, termsOf(write))
  const conflicts = force ? [] : conflictsLeft(write, current, { owners, conflicts: applied.conflicts })
  if (conflicts.length > 0) return refused(applyConflict(conflicts.map(conflict => asSeen(write, conflict))))
  const id = managerId(manager)
  const own = applied.owners.get(id)
  if (own) {
    const fields = difference(own.fields, UNOWNED)
    if (isEmptySet(fields)) applied.owners.delete(id)
    else applied.owners.set(id, { ...own, fields, time: applied.changed ? time : own.time })
  }
  const value = write.manager === 'kubectl' ? withLastApplied(applied.value, configuration) : applied.value
  return accepted({ value: value as JsonObject, managedFields: encodeOwners(applied.owners) })
}

/**
 * `configuration` applied to `current` (undefined: to nothing). Refused: 400 for another kind or for entries of its own,
 * 409 where it would change what others own and `force` is not given, 500 where it does not fit the type.
 */
export const applyConfiguration = (
  write: FieldWrite,
  current: ApiObject | undefined,
  configuration: JsonObject,
  force: boolean,
): Result<AppliedConfiguration, Status> => {
  const problem = checkConfigurationOf(write.kind, configuration)
  if (problem) return refused(problem)
  const empty = emptyObject(write.kind)
  const before = current ? withoutOwners(current) : empty
  try {
    let owners = storedOwners(current?.metadata.managedFields)
    // What was there before anybody applied belongs to somebody: else the first apply could not tell a conflict.
    if (owners.size === 0) owners = recordUpdate({ ...write, manager: 'before-first-apply' }, [empty, before], owners)
    return mergeIn(write, before, { configuration, owners, force })
  } catch (error) {
    if (error instanceof NotIdentified) return refused(unexplained(`failed to merge config: ${error.message}`))
    throw error
  }
}
