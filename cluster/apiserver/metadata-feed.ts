/**
 * The metadata of all that is in memory, for what runs in the apiserver's process and would else watch every kind: each
 * object, then each change, in the turn in which memory takes it in. Nothing is copied: it is the frozen metadata of the
 * object that memory has.
 */
import type { Kind } from '#cluster/api/kind.ts'
import type { GroupVersionResource, ObjectMeta } from '#cluster/api/object.ts'
import type { Registry, Resource } from './registry.ts'
import { objectKey } from './storage/keys.ts'

export interface MetadataFeedChange {
  readonly resource: Kind
  /** Undefined: the object is gone. */
  readonly current: ObjectMeta | undefined
  readonly previous: ObjectMeta | undefined
}

export class MetadataFeed {
  readonly #registry: Registry

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /**
   * Tells `listener` of all objects, then of each change, for as long as the apiserver runs; of kinds that are defined
   * later, too. Where several versions of a kind are served, each is told.
   */
  subscribe(listener: (change: MetadataFeedChange) => void): void {
    const follow = ({ kind, cache }: Resource): void => {
      cache.subscribe(({ current, previous }) =>
        listener({ resource: kind, current: current?.object.metadata, previous: previous?.object.metadata }),
      )
      for (const { object } of cache.list()) listener({ resource: kind, current: object.metadata, previous: undefined })
    }
    for (const resource of this.#registry.resources) follow(resource)
    this.#registry.onAdd(follow)
  }

  kind(apiVersion: string, kind: string): { readonly resource: Kind; readonly namespaced: boolean } | undefined {
    const found = this.#registry.findKind(apiVersion, kind)?.kind
    return found && { resource: found, namespaced: found.namespaced }
  }

  get(path: GroupVersionResource, namespace: string | undefined, name: string): ObjectMeta | undefined {
    const resource = this.#registry.find(path)
    return resource?.cache.get(objectKey(resource.kind, namespace, name))?.object.metadata
  }
}
