/**
 * delete (Kubernetes: rest.BeforeDelete and the generic registry's Delete): at once, or, when finalizers or a grace
 * period hold the object, by a deletionTimestamp that the last finalizer's removal completes.
 */

import { cloneJson } from '#cluster/api/clone.ts'
import { encodeObject } from '#cluster/api/encode.ts'
import type { Kind } from '#cluster/api/kind.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { conflict, type Status } from '#cluster/api/status.ts'
import { timestamp } from '#cluster/api/timestamp.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { Registry } from '../registry.ts'
import type { StoredObject } from '../storage/stored-object.ts'
import { commit } from './commit.ts'
import type { DeleteOptions, PropagationPolicy } from './delete-options.ts'
import { find } from './get.ts'
import { checkMortal } from './namespace-check.ts'
import { admissionRequest, type ObjectTarget, type Representation, subjectOf, type WriteOptions } from './request.ts'
import { isReleased } from './update.ts'

/** The finalizers by which a client's propagationPolicy waits for the garbage collector. */
const ORPHAN = 'orphan'
const FOREGROUND = 'foregroundDeletion'

export interface Deleted extends Representation {
  /** False: the object is still there and waits. */
  readonly gone: boolean
}

const checkPreconditions = (
  target: ObjectTarget,
  current: StoredObject,
  options: DeleteOptions,
): Status | undefined => {
  const { uid, resourceVersion } = options.preconditions ?? {}
  const { metadata } = current.object
  // Kubernetes names the kind here where other conflicts name the resource.
  const subject = { ...subjectOf(target), resource: target.resource.kind.kind }
  if (uid !== undefined && uid !== metadata.uid) {
    return conflict(
      subject,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    )
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    return conflict(
      subject,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    )
  }
  return undefined
}

const askedPolicy = ({ propagationPolicy, orphanDependents }: DeleteOptions): PropagationPolicy | undefined =>
  propagationPolicy ?? (orphanDependents === undefined ? undefined : orphanDependents ? 'Orphan' : 'Background')

/** The policy decides which of the two finalizers stands; without a policy they stay as they are, or the kind decides. */
const deletionFinalizers = (kind: Kind, finalizers: readonly string[], options: DeleteOptions): string[] => {
  const stands = finalizers.includes(ORPHAN) || finalizers.includes(FOREGROUND)
  const policy = askedPolicy(options) ?? (kind.orphansByDefault && !stands ? 'Orphan' : undefined)
  if (policy === undefined) return [...finalizers]
  const others = finalizers.filter(finalizer => finalizer !== ORPHAN && finalizer !== FOREGROUND)
  if (policy === 'Orphan') return [...others, ORPHAN]
  if (policy === 'Foreground') return [...others, FOREGROUND]
  return others
}

/** The object as the deletion leaves it: marked, or (see `isReleased`) ready to go. */
const mark = (registry: Registry, kind: Kind, current: ApiObject, options: DeleteOptions): ApiObject => {
  const next = cloneJson(current)
  const { metadata } = next
  const finalizers = deletionFinalizers(kind, metadata.finalizers ?? [], options)
  if (finalizers.length > 0) metadata.finalizers = finalizers
  else delete metadata.finalizers
  const grace = Math.max(0, kind.gracePeriodSeconds?.(current, options.gracePeriodSeconds) ?? 0)
  if (metadata.deletionTimestamp === undefined) {
    metadata.deletionTimestamp = timestamp(registry.clock.now() + grace * 1000)
    if (!kind.marksDeletionByTime) {
      metadata.deletionGracePeriodSeconds = grace
      if (metadata.generation !== undefined) metadata.generation++
    }
    kind.prepareForDelete?.(next)
  } else if (options.gracePeriodSeconds !== undefined && grace < (metadata.deletionGracePeriodSeconds ?? 0)) {
    // A second deletion may shorten the grace, never lengthen it.
    const started = Date.parse(metadata.deletionTimestamp) - (metadata.deletionGracePeriodSeconds ?? 0) * 1000
    metadata.deletionTimestamp = timestamp(started + grace * 1000)
    metadata.deletionGracePeriodSeconds = grace
  }
  return encodeObject(next, kind.type)
}

const judge = async (
  { admission }: Registry,
  target: ObjectTarget,
  object: ApiObject,
  { writing, options }: { readonly writing: WriteOptions; readonly options: DeleteOptions },
): Promise<Status | undefined> => {
  const { dryRun: _dryRun, ...said } = options
  const request = admissionRequest(target, 'delete', { object, current: object }, writing, said)
  return request && ((await admission.admit(request)) ?? admission.validate(request))
}

const warnOfOrphans = (kind: Kind, options: DeleteOptions, { warn }: WriteOptions): void => {
  const { warning } = kind.orphansByDefault ?? {}
  if (warning !== undefined && askedPolicy(options) === undefined) warn(warning)
}

/** Refused: 403 for a namespace that is always there, 404, 409 when a precondition does not hold. */
export const remove = async (
  registry: Registry,
  target: ObjectTarget,
  options: DeleteOptions,
  writing: WriteOptions,
): Promise<Result<Deleted, Status>> => {
  const { resource } = target
  const { kind } = resource
  const needed = checkMortal(registry, resource, subjectOf(target))
  if (needed) return refused(needed)
  warnOfOrphans(kind, options, writing)
  for (;;) {
    const found = await find(target)
    if (!found.ok) return found
    const current = found.value
    const problem =
      checkPreconditions(target, current, options) ??
      (await judge(registry, target, current.object, { writing, options }))
    if (problem) return refused(problem)
    const next = mark(registry, kind, current.object, options)
    const gone = isReleased(kind, next)
    if (!gone && isSame(next, current.object)) return accepted({ object: current.object, json: current.json, gone })
    const object = gone ? lastState(kind, next, current.object) : next
    const outcome = await commit(registry, {
      resource,
      verb: gone ? 'delete' : 'update',
      object,
      current,
      options: writing,
    })
    if (!outcome.ok) return outcome
    if (outcome.value === 'stale') continue
    const { json } = outcome.value
    return accepted({ object: outcome.value.object, ...(json ? { json } : {}), gone })
  }
}

/** What is said of an object that goes at once: what goes gracefully is marked, even where its grace is none. */
const lastState = (kind: Kind, marked: ApiObject, current: ApiObject): ApiObject =>
  kind.gracePeriodSeconds ? marked : cloneJson(current)

const isSame = (next: ApiObject, current: ApiObject): boolean =>
  next.metadata.deletionTimestamp === current.metadata.deletionTimestamp &&
  next.metadata.deletionGracePeriodSeconds === current.metadata.deletionGracePeriodSeconds &&
  current.metadata.deletionTimestamp !== undefined &&
  (next.metadata.finalizers ?? []).join() === (current.metadata.finalizers ?? []).join()
