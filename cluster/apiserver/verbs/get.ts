/** get: one object, from memory. */

import { notFound, type Status } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { Registry } from '../registry.ts'
import { objectKey } from '../storage/keys.ts'
import type { StoredObject } from '../storage/stored-object.ts'
import { becomeFresh } from './freshness.ts'
import { malformedVersion } from './list-options.ts'
import { type ObjectTarget, subjectOf } from './request.ts'

/** `resourceVersion`: '' for what is there now, '0' for whatever is known, else no older than that. */
export const get = async (
  registry: Registry,
  target: ObjectTarget,
  resourceVersion = '',
): Promise<Result<StoredObject, Status>> => {
  if (!/^\d*$/.test(resourceVersion)) return refused(malformedVersion(resourceVersion))
  const late = await becomeFresh(registry, resourceVersion)
  if (late) return refused(late)
  const { resource, namespace, name } = target
  const stored = resource.cache.get(objectKey(resource.kind, namespace, name))
  return stored ? accepted(stored) : refused(notFound(subjectOf(target)))
}
