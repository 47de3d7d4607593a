/** What can be in a namespace, as the apiserver tells (discovery documents of every group's preferred version). */
import type { RestClient } from '#watcher/client.ts'
import type { Resource } from '#watcher/resource.ts'

export interface NamespacedResource extends Resource {
  readonly verbs: readonly string[]
}

export interface Discovery {
  readonly resources: readonly NamespacedResource[]
  /** Groups that could not be read, each with the reason. */
  readonly failures: readonly string[]
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string
    readonly namespaced: boolean
    readonly verbs: readonly string[]
  }[]
}

interface GroupList {
  readonly groups?: readonly { readonly name: string; readonly preferredVersion: { readonly version: string } }[]
}

const readGroup = async (client: RestClient, group: string, version: string, signal: AbortSignal) => {
  const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const { resources = [] } = JSON.parse(await client.raw(path, { signal })) as ResourceList
  return resources
    .filter(({ name, namespaced, verbs }) => namespaced && !name.includes('/') && verbs.includes('list'))
    .filter(({ verbs }) => verbs.includes('delete') || verbs.includes('deletecollection'))
    .map(({ name, verbs }): NamespacedResource => ({ group, version, resource: name, verbs }))
}

export const discoverNamespaced = async (client: RestClient, signal: AbortSignal): Promise<Discovery> => {
  const { groups = [] } = JSON.parse(await client.raw('/apis', { signal })) as GroupList
  const all = [['', 'v1'] as const, ...groups.map(group => [group.name, group.preferredVersion.version] as const)]
  const resources: NamespacedResource[] = []
  const failures: string[] = []
  for (const [group, version] of all) {
    try {
      resources.push(...(await readGroup(client, group, version, signal)))
    } catch (error) {
      signal.throwIfAborted()
      failures.push(`${group || 'v1'}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return { resources, failures }
}
