/** deletecollection: deletes what a list gives, and answers with that list. */

import type { Status } from '#cluster/api/status.ts'
import { accepted, type Result } from '#lib/result.ts'
import type { Registry } from '../registry.ts'
import { remove } from './delete.ts'
import type { DeleteOptions } from './delete-options.ts'
import { type ListTarget, list, type ObjectList } from './list.ts'
import type { ListOptions } from './list-options.ts'
import type { WriteOptions } from './request.ts'

/** Deletions under way at a time: they share the store's syncs, and leave room for other writers. */
const CONCURRENCY = 16

export interface CollectionDeletion {
  readonly selection: ListOptions
  readonly options: DeleteOptions
  readonly writing: WriteOptions
}

/** Stops at the first refusal; an object that is gone by itself is none. */
export const deleteCollection = async (
  registry: Registry,
  target: ListTarget,
  { selection, options, writing }: CollectionDeletion,
): Promise<Result<ObjectList, Status>> => {
  const listed = await list(registry, target, selection)
  if (!listed.ok) return listed
  const { resource } = target
  let problem: { readonly ok: false; readonly problem: Status } | undefined
  const waiting = listed.value.items.values()
  const work = async (): Promise<void> => {
    for (const { object } of waiting) {
      if (problem) return
      const { namespace, name = '' } = object.metadata
      const removed = await remove(registry, { resource, namespace, name }, options, writing)
      if (!removed.ok && removed.problem.code !== 404) problem = removed
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, work))
  return problem ?? accepted(listed.value)
}
