/**
 * What a reader of the cluster sees: a list that stays right.
 *
 * Promised: after `synced` turns true, the informer holds every object of its resource as of one revision, and every
 * later change is applied in the order in which the API made it; listeners are called synchronously, in that order,
 * after the change is visible through `get`; nobody is told of a change twice. A relist tells only differences.
 * Not promised: that every state between two is seen (several changes of one object may arrive as one), or an order
 * between different resources.
 */
import type { Following } from './following.ts'

export type ObjectKey = string

/** `namespace/name`, or `name` for what is not namespaced. */
export const objectKey = (namespace: string | undefined, name: string): ObjectKey =>
  namespace === undefined || namespace === '' ? name : `${namespace}/${name}`

export type Change<Object> =
  | { readonly type: 'added'; readonly key: ObjectKey; readonly object: Object }
  | { readonly type: 'modified'; readonly key: ObjectKey; readonly object: Object; readonly previous: Object }
  | { readonly type: 'deleted'; readonly key: ObjectKey; readonly previous: Object }

export type Listener<Object> = (change: Change<Object>) => void

export interface Informer<Object> {
  /** Whether the first list is complete. Never turns false again. */
  readonly synced: boolean
  /** How it stands to the server; before `synced`, states of it are about the first list. */
  readonly following: Following
  /** The revision that it has reached, `''` before the first list. */
  readonly resourceVersion: string
  readonly size: number
  get(key: ObjectKey): Object | undefined
  entries(): IterableIterator<readonly [ObjectKey, Object]>
  /** Tells `listener` of every object that is there (as `added`), then of every change. Returns the way to stop. */
  subscribe(listener: Listener<Object>): () => void
  /** Resolves when `synced`; rejects when `signal` aborts first. */
  whenSynced(signal?: AbortSignal): Promise<void>
}
