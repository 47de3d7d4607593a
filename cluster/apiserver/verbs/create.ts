/** create: POST of a new object (Kubernetes: rest.BeforeCreate and the generic registry's Create). */

import { randomUUID } from 'node:crypto'
import { cloneJson } from '#cluster/api/clone.ts'
import { encodeObject } from '#cluster/api/encode.ts'
import type { Kind } from '#cluster/api/kind.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { alreadyExists, badRequest, failure, invalid, type Status, unexplained } from '#cluster/api/status.ts'
import { timestamp } from '#cluster/api/timestamp.ts'
import { validateCreate } from '#cluster/api/validate.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { managedFieldsAfterUpdate, withoutOwners } from '../apply/field-manager.ts'
import type { Registry } from '../registry.ts'
import { withConversions } from '../storage/convert-object.ts'
import { objectKey } from '../storage/keys.ts'
import { commit } from './commit.ts'
import { fieldWrite, setOwners } from './field-write.ts'
import { generateName } from './generate-name.ts'
import { checkNamespace } from './namespace-check.ts'
import { admissionRequest, type ObjectTarget, type Representation, subjectOf, type WriteOptions } from './request.ts'

export type CreateTarget = Omit<ObjectTarget, 'name'>

/** Generated names that were taken before the client hears of it. */
const NAME_TRIES = 8

/** The object's namespace is the path's, whether it says so or not. */
export const adoptNamespace = (object: ApiObject, namespace: string | undefined): Status | undefined => {
  const given = object.metadata.namespace
  if (given && given !== namespace)
    return badRequest('the namespace of the provided object does not match the namespace sent on the request')
  if (namespace === undefined) delete object.metadata.namespace
  else object.metadata.namespace = namespace
  return undefined
}

const fillMetadata = (registry: Registry, { kind }: CreateTarget['resource'], object: ApiObject): void => {
  const { metadata } = object
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  delete metadata.generation
  delete metadata.resourceVersion
  // Of the past; Kubernetes stores none.
  delete metadata.selfLink
  if (kind.countsGenerations) metadata.generation = 1
  metadata.uid = randomUUID()
  metadata.creationTimestamp = timestamp(registry.clock.now())
  if (!metadata.name && metadata.generateName) metadata.name = generateName(metadata.generateName, registry.random)
}

const prepare = async (
  registry: Registry,
  target: CreateTarget,
  object: ApiObject,
  options: WriteOptions,
): Promise<Result<ApiObject, Status>> => {
  const { resource } = target
  const { kind } = resource
  fillMetadata(registry, resource, object)
  kind.applyDefaults?.(object)
  const request = admissionRequest({ ...target, name: object.metadata.name ?? '' }, 'create', { object }, options)
  const refusal = request && (await registry.admission.admit(request))
  if (refusal) return refused(refusal)
  // After admission: what is the server's to say, no webhook says.
  kind.prepareForCreate?.(object, options.user)
  kind.applyDefaults?.(object)
  const errors = validateCreate(kind, object)
  if (errors.length > 0) return refused(invalid(subjectOf({ resource, name: object.metadata.name ?? '' }), errors))
  const encoded = encodeObject(object, kind.type)
  const objection = request && (await registry.admission.validate({ ...request, object: encoded }))
  return objection ? refused(objection) : accepted(encoded)
}

/** One try. `taken`: the name is; `stale`: something else was in the way and may not be next time. */
const attempt = async (
  registry: Registry,
  target: CreateTarget,
  given: ApiObject,
  options: WriteOptions,
): Promise<Result<Representation | 'taken' | 'stale', Status>> => {
  const { resource, namespace } = target
  const subject = subjectOf({ resource, name: given.metadata.name ?? '' })
  const lives = checkNamespace(registry, resource, namespace, subject)
  if (!lives.ok) return lives
  const prepared = await prepare(registry, target, given, options)
  if (!prepared.ok) return prepared
  const object = prepared.value
  given.metadata.name = object.metadata.name ?? ''
  const key = objectKey(resource.kind, namespace, given.metadata.name)
  if (resource.cache.get(key)) return accepted('taken')
  const outcome = await commit(registry, {
    resource,
    verb: 'create',
    object,
    current: undefined,
    options,
    also: lives.value,
  })
  return outcome.ok && outcome.value === 'stale' && resource.cache.get(key) ? accepted('taken') : outcome
}

const closed = ({ group, resource }: Kind): Status =>
  failure(405, 'MethodNotAllowed', 'create not allowed while custom resource definition is terminating', {
    group,
    kind: resource,
  })

/** Says so when the name will soon be free. */
const taken = ({ resource, namespace }: CreateTarget, name: string): Status => {
  const status = alreadyExists(subjectOf({ resource, name }))
  const current = resource.cache.get(objectKey(resource.kind, namespace, name))
  if (current?.object.metadata.deletionTimestamp === undefined) return status
  return { ...status, message: `object is being deleted: ${status.message}` }
}

/**
 * Makes `given` (decoded). Refused: 400 for another namespace than the path's, 404 and 403 for a namespace that is not
 * there or going, 409 when the name is taken, 422 when it is invalid.
 */
export const create = async (
  registry: Registry,
  target: CreateTarget,
  given: ApiObject,
  options: WriteOptions,
): Promise<Result<Representation, Status>> => {
  const { resource, namespace } = target
  const mismatch = adoptNamespace(given, namespace)
  if (mismatch) return refused(mismatch)
  // 0 and what is no number say nothing, as in Kubernetes.
  if (Number(given.metadata.resourceVersion) > 0)
    return refused(unexplained('resourceVersion should not be set on objects to be created'))
  resource.kind.applyDefaults?.(given)
  const write = fieldWrite(registry, target, options)
  const owners = await withConversions(() => managedFieldsAfterUpdate(write, undefined, given))
  if (!owners.ok) return owners
  setOwners(given, owners.value)
  return createOwned(registry, target, given, options)
}

/** The same for an object whose entries say already who owns it. */
export const createOwned = async (
  registry: Registry,
  target: CreateTarget,
  given: ApiObject,
  options: WriteOptions,
): Promise<Result<Representation, Status>> => {
  const { resource } = target
  if (resource.kind.isClosed?.()) return refused(closed(resource.kind))
  const generated = !given.metadata.name && Boolean(given.metadata.generateName)
  for (const text of resource.kind.warnings?.(given) ?? []) options.warn(text)
  for (let names = 1; ; ) {
    const object = cloneJson(withoutOwners(given))
    setOwners(object, given.metadata.managedFields)
    const outcome = await attempt(registry, target, object, options)
    if (!outcome.ok) return outcome
    if (outcome.value === 'stale') continue
    if (outcome.value !== 'taken') return accepted(outcome.value)
    if (!generated || names++ >= NAME_TRIES) return refused(taken(target, object.metadata.name ?? ''))
  }
}
