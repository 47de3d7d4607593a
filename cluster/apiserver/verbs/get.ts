/** get: one object, from memory. */

import { notFound, type Status } from '#cluster/api/status.ts'
import { type Result, refused } from '#lib/result.ts'
import type { Registry } from '../registry.ts'
import { objectKey } from '../storage/keys.ts'
import { servedObject } from '../storage/served-objects.ts'
import type { StoredObject } from '../storage/stored-object.ts'
import { becomeFresh } from './freshness.ts'
import { malformedVersion } from './list-options.ts'
import { type ObjectTarget, subjectOf } from './request.ts'

/** As memory has it now. Refused: 404, and the 500 of a conversion that failed. */
export const find = async ({ resource, namespace, name }: ObjectTarget): Promise<Result<StoredObject, Status>> => {
  const stored = resource.cache.get(objectKey(resource.kind, namespace, name))
  return stored ? servedObject(resource.kind, stored) : refused(notFound(subjectOf({ resource, name })))
}

/** `resourceVersion`: '' for what is there now, '0' for whatever is known, else no older than that. */
export const get = async (
  registry: Registry,
  target: ObjectTarget,
  resourceVersion = '',
): Promise<Result<StoredObject, Status>> => {
  if (!/^\d*$/.test(resourceVersion)) return refused(malformedVersion(resourceVersion))
  const late = await becomeFresh(registry, resourceVersion)
  return late ? refused(late) : find(target)
}
