/**
 * The last step of each write: the resource's planner looks at it, then object and plan go to the store in one
 * transaction that compares all that was read.
 *
 * Promised: `stale` means that nothing was written and that memory has caught up with what was in the way, so the caller
 * may try again from there.
 */

import { randomUUID } from 'node:crypto'
import { encodeObject } from '#cluster/api/encode.ts'
import type { Kind } from '#cluster/api/kind.ts'
import { resourceQuotaKind } from '#cluster/api/kinds/resource-quota.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { Status } from '#cluster/api/status.ts'
import { timestamp } from '#cluster/api/timestamp.ts'
import type { Compare, LeaseId, Operation, Revision } from '#cluster/store/kv.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { PlanContext } from '../planner.ts'
import type { ObjectChange } from '../quota/charge.ts'
import type { QuotaWrite } from '../quota/quotas.ts'
import type { Registry, Resource } from '../registry.ts'
import { objectKey, storeKey } from '../storage/keys.ts'
import { servedObject, writtenObject } from '../storage/served-objects.ts'
import { encodeStored, encodeWritten, StoredObject } from '../storage/stored-object.ts'
import type { Representation, WriteOptions } from './request.ts'

export interface Commit {
  readonly resource: Resource
  readonly verb: PlanContext['verb']
  /** As it will be written, canonical; for a delete: the object that goes. The planner may change it. */
  readonly object: ApiObject
  readonly current: StoredObject | undefined
  readonly options: WriteOptions
  /** What else must still be as it was read. */
  readonly also?: readonly Compare[]
}

interface Written {
  /** What is stored. Default: the object's encoding. */
  readonly value?: Uint8Array
  /** Default: none. */
  readonly lease?: LeaseId | undefined
}

/** Builds the transaction; compares no key twice. */
class Draft {
  readonly compare = new Map<string, Revision>()
  readonly operations: Operation[] = []
  /** Of other objects than the one whose write it is. */
  readonly changes: ObjectChange[] = []

  note(change: ObjectChange): this {
    this.changes.push(change)
    return this
  }

  put(kind: Kind, object: ApiObject, modRevision: Revision, written: Written = {}): void {
    const { value = encodeStored(kind, object), lease } = written
    const key = storeKey(kind, object.metadata.namespace, object.metadata.name ?? '')
    this.compare.set(key, modRevision)
    this.operations.push({ type: 'put', key, value, ...(lease === undefined ? {} : { lease }) })
  }

  delete(kind: Kind, object: ApiObject, modRevision: Revision): void {
    const key = storeKey(kind, object.metadata.namespace, object.metadata.name ?? '')
    this.compare.set(key, modRevision)
    this.operations.push({ type: 'delete', key })
  }
}

const revisionOf = (object: ApiObject): Revision => Number(object.metadata.resourceVersion)

/** What a planner makes is an object like any other: it has a uid and a time of creation. */
const stamped = ({ clock }: Registry, object: ApiObject): ApiObject => ({
  ...object,
  metadata: { ...object.metadata, uid: randomUUID(), creationTimestamp: timestamp(clock.now()) },
})

const planContext = (registry: Registry, commit: Commit, draft: Draft): PlanContext => {
  const { cacher } = registry
  const get: PlanContext['get'] = (kind, namespace, name) =>
    cacher.cache(kind).get(objectKey(kind, namespace, name))?.object
  const known = (kind: Kind, { metadata }: ApiObject) => get(kind, metadata.namespace, metadata.name ?? '')
  return {
    verb: commit.verb,
    object: commit.object,
    current: commit.current?.object,
    dryRun: commit.options.dryRun,
    get,
    list: (kind, namespace) =>
      cacher
        .cache(kind)
        .list(namespace)
        .map(stored => stored.object),
    create: (kind, object) =>
      draft.note({ kind, before: undefined, after: object }).put(kind, stamped(registry, object), 0),
    update: (kind, object) =>
      draft.note({ kind, before: known(kind, object), after: object }).put(kind, object, revisionOf(object)),
    remove: (kind, object) =>
      draft.note({ kind, before: object, after: undefined }).delete(kind, object, revisionOf(object)),
    warn: commit.options.warn,
  }
}

/** The planner's part of the transaction; `object` is canonical afterwards, as it was before. */
const plan = (registry: Registry, request: Commit): Result<{ draft: Draft; object: ApiObject }, Status> => {
  const draft = new Draft()
  const { kind, planner } = request.resource
  if (!planner) return accepted({ draft, object: request.object })
  const planned = planner.plan(planContext(registry, request, draft))
  return planned.ok ? accepted({ draft, object: encodeObject(request.object, kind.type) }) : refused(planned.problem)
}

/** Whether an update would write what is there already, bytes and all, and so needs no write and wakes nobody. */
const changesNothing = ({ verb, current }: Commit, draft: Draft, value: Uint8Array | undefined): boolean =>
  verb === 'update' && draft.operations.length === 0 && value !== undefined && current?.isStoredAs(value) === true

/** What was written, from memory where it still is what was written. `object`: in the version that is written. */
const written = (
  { kind, cache }: Resource,
  object: ApiObject,
  revision: Revision,
): Promise<Result<Representation, Status>> => {
  const key = objectKey(kind, object.metadata.namespace, object.metadata.name ?? '')
  const cached = cache.get(key)
  if (cached?.revision === revision) return servedObject(kind, cached)
  const value = encodeStored(kind, object)
  return servedObject(kind, StoredObject.decode(kind, key, { value, modRevision: revision }))
}

/** What quotas look at of a write, before it is planned or after. `others`: what changes with it. */
const asQuotaWrite = (
  { resource: { kind }, verb, object, current, options }: Commit,
  others: readonly ObjectChange[] = [],
): QuotaWrite => ({
  kind,
  name: object.metadata.name ?? '',
  namespace: object.metadata.namespace,
  changes: [{ kind, before: current?.object, after: verb === 'delete' ? undefined : object }, ...others],
  enforced: options.user !== undefined,
})

const leaseFor = async ({ leases }: Registry, { lifetimeSeconds }: Kind): Promise<LeaseId | undefined> =>
  lifetimeSeconds === undefined ? undefined : leases.lease(lifetimeSeconds)

/** Adds to the transaction what it takes of the namespace's quotas, or gives back. */
const charge = ({ quotas }: Registry, request: Commit, draft: Draft, object: ApiObject): Status | undefined => {
  if (!quotas?.has(object.metadata.namespace)) return undefined
  const charged = quotas.charge(asQuotaWrite({ ...request, object }, draft.changes))
  if (!charged.ok) return charged.problem
  for (const quota of charged.value) draft.put(resourceQuotaKind, quota, revisionOf(quota))
  return undefined
}

/** Refused: whatever the planner refuses, and 403 where a quota has no room. */
export const commit = async (
  registry: Registry,
  request: Commit,
): Promise<Result<Representation | 'stale', Status>> => {
  const { quotas } = registry
  const counted = quotas?.has(request.object.metadata.namespace) && !request.options.dryRun
  const turn = counted ? quotas?.turn(asQuotaWrite(request)) : undefined
  if (!turn) return commitNow(registry, request)
  const end = await turn
  try {
    return await commitNow(registry, request)
  } finally {
    end()
  }
}

const commitNow = async (registry: Registry, request: Commit): Promise<Result<Representation | 'stale', Status>> => {
  const planned = plan(registry, request)
  if (!planned.ok) return planned
  const { draft, object } = planned.value
  const full = charge(registry, request, draft, object)
  if (full) return refused(full)
  const { resource, current } = request
  const { kind } = resource
  const stored = request.verb === 'delete' ? accepted(object) : await writtenObject(kind, object)
  if (!stored.ok) return stored
  const value = request.verb === 'delete' ? undefined : encodeWritten(kind, stored.value)
  if (changesNothing(request, draft, value)) return accepted(current as StoredObject)
  if (request.options.dryRun) return accepted({ object: dryRunObject(object, current) })
  if (!value) draft.delete(kind, object, current?.revision ?? 0)
  else draft.put(kind, object, current?.revision ?? 0, { value, lease: await leaseFor(registry, kind) })
  for (const { key, modRevision } of request.also ?? []) draft.compare.set(key, modRevision)
  const compare = [...draft.compare].map(([key, modRevision]) => ({ key, modRevision }))
  const result = await registry.store.transact({ compare, operations: draft.operations })
  if (!result.committed) {
    await registry.cacher.waitFor(result.revision)
    return accepted('stale')
  }
  return written(resource, stored.value, result.revision)
}

/** A dry run answers under the resourceVersion that the object has now, if it has one. */
const dryRunObject = (object: ApiObject, current: StoredObject | undefined): ApiObject => {
  if (current) object.metadata.resourceVersion = String(current.revision)
  return object
}
