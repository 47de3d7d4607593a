/**
 * update: PUT and the write half of PATCH (Kubernetes: rest.BeforeUpdate and the generic registry's Update).
 *
 * Promised: what the client said about resourceVersion and uid held when the write was done; a write that would change
 * nothing is not done and keeps the resourceVersion; an object whose deletion only waited for this write is gone after
 * it.
 */
import { isDeepStrictEqual } from 'node:util'
import { cloneJson } from '#cluster/api/clone.ts'
import { encodeObject } from '#cluster/api/encode.ts'
import { type FieldError, fieldInvalid } from '#cluster/api/field-error.ts'
import type { Kind } from '#cluster/api/kind.ts'
import type { ApiObject, ManagedFieldsEntry } from '#cluster/api/object.ts'
import { badRequest, conflict, invalid, notFound, type Status, staleObject, unexplained } from '#cluster/api/status.ts'
import { timestamp } from '#cluster/api/timestamp.ts'
import { validateUpdate } from '#cluster/api/validate.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { managedFieldsAfterUpdate, withoutOwners } from '../apply/field-manager.ts'
import type { Registry } from '../registry.ts'
import { withConversions } from '../storage/convert-object.ts'
import { objectKey } from '../storage/keys.ts'
import { servedObject } from '../storage/served-objects.ts'
import type { StoredObject } from '../storage/stored-object.ts'
import { commit } from './commit.ts'
import { adoptNamespace, create, createOwned } from './create.ts'
import { fieldWrite, setOwners } from './field-write.ts'
import {
  admissionRequest,
  type ObjectTarget,
  type Representation,
  type Subresource,
  subjectOf,
  type WriteOptions,
} from './request.ts'

export interface UpdateTarget extends ObjectTarget {
  readonly subresource?: Subresource | undefined
}

/** What the object shall become, from what it is now (frozen). Called again after each lost race. */
export type Change = (current: ApiObject | undefined) => Result<ApiObject, Status>

export interface Updated extends Representation {
  readonly created: boolean
}

const sameNameAsPath = (target: ObjectTarget, next: ApiObject): Status | undefined => {
  const given = next.metadata.name
  if (!given)
    return badRequest(`the name of the object (${target.name} based on URL) was undeterminable: name must be provided`)
  if (given !== target.name)
    return badRequest(`the name of the object (${given}) does not match the name on the URL (${target.name})`)
  return adoptNamespace(next, target.namespace)
}

/** The client's resourceVersion and uid against the object's. */
const checkPreconditions = (target: ObjectTarget, next: ApiObject, current: StoredObject): Status | undefined => {
  const subject = subjectOf(target)
  const { resourceVersion, uid } = next.metadata
  if (uid && uid !== current.object.metadata.uid) {
    return conflict(
      subject,
      `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.object.metadata.uid}`,
    )
  }
  if (!resourceVersion || resourceVersion === '0') {
    if (target.resource.kind.unconditionalUpdate !== false) return undefined
    // Kubernetes names the resource here where other refusals name the kind.
    const named = { ...subject, kind: subject.resource }
    return invalid(named, [fieldInvalid('metadata.resourceVersion', 0, 'must be specified for an update')])
  }
  if (!/^\d+$/.test(resourceVersion))
    return unexplained(`strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`)
  return Number(resourceVersion) === current.revision ? undefined : staleObject(subject)
}

/** Metadata that no update changes, and what the client may leave out: another value there is validation's to refuse. */
const carryMetadata = (next: ApiObject, { metadata: current }: ApiObject): void => {
  const { metadata } = next
  const fixed = ['creationTimestamp', 'generation'] as const
  for (const field of fixed) {
    if (current[field] === undefined) delete metadata[field]
    else Object.assign(metadata, { [field]: current[field] })
  }
  const omissible = ['uid', 'deletionTimestamp', 'deletionGracePeriodSeconds'] as const
  for (const field of omissible) {
    if (current[field] !== undefined) Object.assign(metadata, { [field]: metadata[field] ?? current[field] })
  }
  // No object can lose or move the time of its deletion.
  if (current.deletionTimestamp !== undefined) metadata.deletionTimestamp = current.deletionTimestamp
  delete metadata.resourceVersion
  delete metadata.selfLink
}

const METADATA = 'metadata.'

/** Metadata goes in by a subresource as well, but for what the kind keeps (rest.UpdateDefaultFunc, strategies). */
const mergeMetadata = (merged: ApiObject, next: ApiObject, resets: readonly string[]): void => {
  const { managedFields: _managedFields, ...current } = merged.metadata
  if (resets.includes('metadata')) return
  const kept = resets.filter(path => path.startsWith(METADATA)).map(path => path.slice(METADATA.length))
  const pick = (metadata: object, wanted: boolean) =>
    Object.fromEntries(Object.entries(metadata).filter(([field]) => kept.includes(field) === wanted))
  merged.metadata = { ...pick(cloneJson(next.metadata), false), ...pick(current, true) }
}

const resetsOf = (kind: Kind, subresource: string): readonly string[] => {
  const part = kind.parts?.[subresource]
  if (part) return part.resets
  if (subresource !== 'status') return []
  return kind.statusKeepsMetadata ? ['metadata'] : (kind.statusResets ?? [])
}

/** The object that a write to a subresource makes: all as it is, but for that part, metadata and who owns what. */
const mergeSubresource = (
  { resource: { kind }, subresource }: UpdateTarget,
  { next, current }: Versions,
  now: string,
): ApiObject => {
  if (!subresource) return next
  const merged = cloneJson(withoutOwners(current))
  const part = kind.parts?.[subresource]
  mergeMetadata(merged, next, resetsOf(kind, subresource))
  setOwners(merged, next.metadata.managedFields)
  if (part) part.merge(merged, next, now)
  else if (subresource === 'status') {
    if (next.status === undefined) delete merged.status
    else merged.status = next.status
    kind.prepareForStatusUpdate?.(merged, current, now)
  } else {
    const { finalizers } = (next.spec ?? {}) as { finalizers?: unknown }
    merged.spec = { ...(merged.spec as object | undefined), finalizers }
  }
  return merged
}

const withoutMetadataAndStatus = ({ metadata: _metadata, status: _status, ...rest }: ApiObject): unknown => rest

const isUnrecorded = ({ resource: { kind }, subresource = '' }: UpdateTarget): boolean =>
  kind.parts?.[subresource]?.unrecorded === true

/** What no client changes, whatever it or admission has said. In place. */
const keepOwn = (kind: Kind, next: ApiObject, current: ApiObject): void => {
  if (kind.hasStatus && !isDeepStrictEqual(next.status, current.status)) {
    if (current.status === undefined) delete next.status
    else next.status = cloneJson(current.status)
  }
  kind.prepareForUpdate?.(next, current)
}

const prepare = async (
  { admission, clock }: Registry,
  target: UpdateTarget,
  { next: given, current }: Versions,
  options: WriteOptions,
): Promise<Result<ApiObject, Status>> => {
  const { kind } = target.resource
  const { subresource } = target
  carryMetadata(given, current)
  kind.applyDefaults?.(given)
  const request = admissionRequest(target, 'update', { object: given, current }, options)
  const { spec } = given
  const refusal = request && (await admission.admit(request))
  if (refusal) return refused(refusal)
  // What a webhook makes of the rest of the object is none of the subresource's.
  const strayed = subresource && given.spec !== spec
  const next = strayed ? mergeSubresource(target, { next: given, current }, timestamp(clock.now())) : given
  if (!subresource) keepOwn(kind, next, current)
  kind.applyDefaults?.(next)
  const errors: readonly FieldError[] = validateUpdate(kind, next, current, subresource)
  if (errors.length > 0) return refused(invalid(subjectOf(target), errors))
  const encoded = encodeObject(next, kind.type)
  keepTimes(encoded, current)
  if (kind.countsGenerations && !isUnrecorded(target) && differs(kind, encoded, current)) {
    encoded.metadata.generation = (current.metadata.generation ?? 0) + 1
  }
  const objection = request && (await admission.validate({ ...request, object: encoded }))
  return objection ? refused(objection) : accepted(encoded)
}

/** A write that changes no more than the times at which fields were owned does not change those either. */
const keepTimes = (next: ApiObject, current: ApiObject): void => {
  const [after, before] = [next.metadata.managedFields, current.metadata.managedFields]
  if (!after || !before || after.length !== before.length) return
  const untimed = (entry: ManagedFieldsEntry) => ({ ...entry, time: undefined })
  const isSame = (entry: ManagedFieldsEntry, index: number) =>
    entry === before[index] || isDeepStrictEqual(untimed(entry), untimed(before[index]!))
  if (!after.every(isSame)) return
  const { resourceVersion: _resourceVersion, ...metadata } = current.metadata
  const rest = { ...next, metadata: { ...next.metadata, managedFields: before } }
  if (isDeepStrictEqual(rest, { ...current, metadata })) next.metadata.managedFields = before
}

/** What is called status is one only where it is written apart. */
const differs = ({ hasStatus }: Kind, next: ApiObject, current: ApiObject): boolean =>
  !isDeepStrictEqual(withoutMetadataAndStatus(next), withoutMetadataAndStatus(current)) ||
  (!hasStatus && !isDeepStrictEqual(next.status, current.status))

/** Whether a deletion waits for nothing more. */
export const isReleased = (kind: Kind, object: ApiObject): boolean =>
  object.metadata.deletionTimestamp !== undefined &&
  (object.metadata.finalizers ?? []).length === 0 &&
  (object.metadata.deletionGracePeriodSeconds ?? 0) === 0 &&
  !(kind.isHeld?.(object) ?? false)

const write = async (
  registry: Registry,
  target: UpdateTarget,
  change: { next: ApiObject; current: StoredObject },
  options: WriteOptions,
): Promise<Result<Representation | 'stale', Status>> => {
  const { resource } = target
  const { next, current } = change
  const { kind } = resource
  if (isReleased(kind, next)) return commit(registry, { resource, verb: 'delete', object: next, current, options })
  return commit(registry, { resource, verb: 'update', object: next, current, options })
}

/** The fields of a write by somebody who does not apply: recorded with its defaults, before the server adds its own. */
const recordOwner = async (
  registry: Registry,
  target: UpdateTarget,
  { next, current }: Versions,
  options: WriteOptions,
): Promise<Status | undefined> => {
  target.resource.kind.applyDefaults?.(next)
  const write = fieldWrite(registry, target, options)
  const owners = await withConversions(() => managedFieldsAfterUpdate(write, current, next))
  if (!owners.ok) return owners.problem
  setOwners(next, owners.value)
  return undefined
}

interface Versions {
  readonly next: ApiObject
  readonly current: ApiObject
}

export interface Rewrite {
  readonly change: Change
  /** Whether the change says itself who owns what (an apply does), or the write is yet to be recorded. */
  readonly owned: boolean
  /** Whether it makes what is not there. */
  readonly creates: boolean
}

/** What the change makes of the object, owners included. */
const changedObject = async (
  registry: Registry,
  target: UpdateTarget,
  { how, current }: { readonly how: Rewrite; readonly current: StoredObject },
  options: WriteOptions,
): Promise<Result<ApiObject, Status>> => {
  const computed = await withConversions(() => how.change(current.object))
  const changed = computed.ok ? computed.value : computed
  if (!changed.ok) return changed
  const problem = sameNameAsPath(target, changed.value) ?? checkPreconditions(target, changed.value, current)
  if (problem) return refused(problem)
  const change = { next: changed.value, current: current.object }
  const next = mergeSubresource(target, change, timestamp(registry.clock.now()))
  if (how.owned) return accepted(next)
  const unrecorded = await recordOwner(registry, target, { next, current: current.object }, options)
  return unrecorded ? refused(unrecorded) : accepted(next)
}

/** Refused: 400 for another name than the path's, 404, 409 for a stale resourceVersion or another uid, 422. */
export const rewrite = async (
  registry: Registry,
  target: UpdateTarget,
  how: Rewrite,
  options: WriteOptions,
): Promise<Result<Updated, Status>> => {
  const { resource, namespace, name } = target
  for (;;) {
    const stored = resource.cache.get(objectKey(resource.kind, namespace, name))
    if (!stored) return createAbsent(registry, target, how, options)
    const served = await servedObject(resource.kind, stored)
    if (!served.ok) return served
    const current = served.value
    const changed = await changedObject(registry, target, { how, current }, options)
    if (!changed.ok) return changed
    const prepared = await prepare(registry, target, { next: changed.value, current: current.object }, options)
    if (!prepared.ok) return prepared
    const outcome = await write(registry, target, { next: prepared.value, current }, options)
    if (!outcome.ok) return outcome
    if (outcome.value === 'stale') continue
    for (const text of resource.kind.warnings?.(prepared.value, current.object) ?? []) options.warn(text)
    return accepted({ ...pick(outcome.value), created: false })
  }
}

/** A write by a client that does not apply. Refused as `rewrite`. */
export const update = (
  registry: Registry,
  target: UpdateTarget,
  change: Change,
  options: WriteOptions,
): Promise<Result<Updated, Status>> =>
  rewrite(
    registry,
    target,
    { change, owned: isUnrecorded(target), creates: target.resource.kind.createOnUpdate ?? false },
    options,
  )

const createAbsent = async (
  registry: Registry,
  target: UpdateTarget,
  { change, owned, creates }: Rewrite,
  options: WriteOptions,
): Promise<Result<Updated, Status>> => {
  const { resource, namespace, subresource } = target
  const missing = refused(notFound(subjectOf(target)))
  const isMissing = !creates || subresource !== undefined
  const changed = change(undefined)
  if (!changed.ok) return isMissing ? missing : changed
  const object = changed.value
  // Said before it is looked for.
  const problem = sameNameAsPath(target, object)
  if (problem) return refused(problem)
  if (isMissing) return missing
  // The client thinks that it exists; it does not any more. An apply makes it again.
  if (!owned && object.metadata.resourceVersion && object.metadata.resourceVersion !== '0') return missing
  delete object.metadata.resourceVersion
  const forbidden = await options.refuseCreate?.()
  if (forbidden) return refused(forbidden)
  const created = await (owned ? createOwned : create)(registry, { resource, namespace }, object, options)
  return created.ok ? accepted({ ...pick(created.value), created: true }) : created
}

const pick = ({ object, json }: Representation): Representation => ({ object, ...(json ? { json } : {}) })
