/**
 * Whoever knows the metadata of everything that there is, with each change of it. The apiserver does, and it runs in the
 * same process: nobody watches each kind over the network, and nothing is in memory twice.
 *
 * Promised: changes of one object come in their order, after they show in `get`. Not promised: that an object is told
 * once only, or that what is not here is not anywhere: kinds of extension servers are not.
 */
import type { ObjectMeta } from '#cluster/api/object.ts'
import type { Resource } from '#watcher/resource.ts'

export interface MetadataChange {
  readonly resource: Resource & { readonly kind: string }
  /** Undefined: the object is gone. */
  readonly current: ObjectMeta | undefined
  readonly previous: ObjectMeta | undefined
}

export interface ServedKind {
  readonly resource: Resource
  readonly namespaced: boolean
}

export interface MetadataSource {
  /** Tells `listener` of every object that there is, then of each change, kinds that come later included. */
  subscribe(listener: (change: MetadataChange) => void): void
  /** By what an owner reference says; undefined: no such kind here. */
  kind(apiVersion: string, kind: string): ServedKind | undefined
  get(resource: Resource, namespace: string | undefined, name: string): ObjectMeta | undefined
}

/** For controllers that run without an apiserver in their process. */
export const NO_METADATA: MetadataSource = { subscribe() {}, kind: () => undefined, get: () => undefined }
