/** Deletes what one resource has in a namespace, and notes what stays. */
import { isNotFound } from '#watcher/api-status-error.ts'
import type { RestClient } from '#watcher/client.ts'
import type { ApiObject } from '#watcher/object.ts'
import type { NamespacedResource } from './discovery.ts'
import type { Emptying } from './namespace-conditions.ts'

export interface Content {
  /** Of the namespace. */
  readonly name: string
  readonly signal: AbortSignal
  /** Takes the findings. */
  readonly emptying: Emptying
}

const listAll = async (client: RestClient, resource: NamespacedResource, { name, signal }: Content) =>
  (await client.list<ApiObject>(resource, { namespace: name, signal })).items

const deleteEach = async (client: RestClient, resource: NamespacedResource, content: Content): Promise<void> => {
  const { name: namespace, signal } = content
  for (const { metadata } of await listAll(client, resource, content)) {
    if (metadata.deletionTimestamp !== undefined || metadata.name === undefined) continue
    try {
      await client.delete(resource, { namespace, name: metadata.name }, { signal, propagationPolicy: 'Background' })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
}

const note = (resource: NamespacedResource, items: readonly ApiObject[], emptying: Emptying): void => {
  if (items.length === 0) return
  emptying.remaining.push({ resource, count: items.length })
  for (const { metadata } of items)
    for (const finalizer of metadata.finalizers ?? [])
      emptying.finalizers.set(finalizer, (emptying.finalizers.get(finalizer) ?? 0) + 1)
}

/** A failure of one resource does not keep the others: it is noted. */
export const deleteContent = async (
  client: RestClient,
  resource: NamespacedResource,
  content: Content,
): Promise<void> => {
  const { name: namespace, signal, emptying } = content
  try {
    const before = await listAll(client, resource, content)
    if (before.length === 0) return
    if (resource.verbs.includes('deletecollection'))
      await client.deleteCollection(resource, { namespace, signal, propagationPolicy: 'Background' })
    else await deleteEach(client, resource, content)
    note(resource, await listAll(client, resource, content), emptying)
  } catch (error) {
    signal.throwIfAborted()
    emptying.deleteFailures.push(`${resource.resource}: ${error instanceof Error ? error.message : String(error)}`)
  }
}
