/**
 * One kind in memory: every object by key, in key order, and the last changes, so that lists and watches never ask the
 * store.
 *
 * Promised: `apply` is called in revision order, and subscribers hear of each change once, in that order, while `apply`
 * has already been done; a watch that starts at a revision the ring still reaches misses nothing. Not promised: that the
 * ring reaches back further than `historySize` changes.
 */
import type { Kind } from '#cluster/api/kind.ts'
import type { Change, Revision } from '#cluster/store/kv.ts'
import { kindPrefix } from './keys.ts'
import { StoredObject } from './stored-object.ts'

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED'

/** What happened to one object. */
export class ObjectEvent {
  readonly revision: Revision
  /** What the object is now; undefined: it is gone. */
  readonly current: StoredObject | undefined
  readonly previous: StoredObject | undefined
  /** Finished frames by content form, shared by all watchers that ask for the same one. */
  readonly frames = new Map<string, Buffer>()
  #departed: StoredObject | undefined

  constructor(revision: Revision, current: StoredObject | undefined, previous: StoredObject | undefined) {
    this.revision = revision
    this.current = current
    this.previous = previous
  }

  /** The last state, under the revision at which it was left: what a DELETED event carries. */
  get departed(): StoredObject | undefined {
    this.#departed ??= this.previous?.at(this.revision)
    return this.#departed
  }
}

export type Subscriber = (event: ObjectEvent) => void

/** The place of `key` in sorted `keys`: the first index whose key is not less. */
const lowerBound = (keys: readonly string[], key: string): number => {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (keys[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}

/** Keys that are put in one by one rather than by going through all there are. */
const FEW = 8

/** Of two sorted lists. */
const merged = (left: readonly string[], right: readonly string[]): string[] => {
  const all: string[] = []
  let next = 0
  for (const key of left) {
    while (next < right.length && right[next]! < key) all.push(right[next++]!)
    all.push(key)
  }
  while (next < right.length) all.push(right[next++]!)
  return all
}

export class WatchCache {
  readonly kind: Kind
  readonly #prefix: string
  readonly #historySize: number
  readonly #objects = new Map<string, StoredObject>()
  /** Sorted, but for those that came since somebody looked: `sortedKeys`. */
  #keys: string[] = []
  #newKeys: string[] = []
  #history: ObjectEvent[] = []
  /** Changes up to and with this revision are no longer (or never were) in the history. */
  #floor: Revision = 0
  readonly #subscribers = new Set<Subscriber>()
  readonly #endings = new Set<() => void>()

  constructor(kind: Kind, historySize: number) {
    this.kind = kind
    this.#prefix = kindPrefix(kind)
    this.#historySize = historySize
  }

  /** The state at `revision`, all at once or a part after the other, before the first `apply`. */
  load(objects: Iterable<{ key: string; value: Uint8Array; modRevision: Revision }>, revision: Revision): void {
    for (const entry of objects) this.#put(this.#decode(entry))
    this.#floor = revision
  }

  /** Takes a change in; the event is for `publish`, once all changes of its transaction are in. */
  apply({ type, keyValue }: Change): ObjectEvent | undefined {
    const key = keyValue.key.slice(this.#prefix.length)
    const previous = this.#objects.get(key)
    if (type === 'delete') {
      if (!previous) return undefined
      this.#remove(key)
      return this.#remember(new ObjectEvent(keyValue.modRevision, undefined, previous))
    }
    const current = this.#decode(keyValue)
    this.#put(current)
    return this.#remember(new ObjectEvent(keyValue.modRevision, current, previous))
  }

  publish(event: ObjectEvent): void {
    for (const subscriber of this.#subscribers) subscriber(event)
  }

  get(key: string): StoredObject | undefined {
    return this.#objects.get(key)
  }

  get size(): number {
    return this.#objects.size
  }

  get subscribers(): number {
    return this.#subscribers.size
  }

  /** All objects, or one namespace's, by key order, from the key `from` on. A snapshot: later changes do not show. */
  list(namespace?: string, from?: string): StoredObject[] {
    const all = !this.kind.namespaced || namespace === undefined
    const keys = this.#sortedKeys()
    const start = lowerBound(keys, from ?? (all ? '' : `${namespace}/`))
    // 0x30 follows the slash.
    const end = all ? keys.length : lowerBound(keys, `${namespace}0`)
    const objects: StoredObject[] = new Array(Math.max(0, end - start))
    for (let index = start; index < end; index++) objects[index - start] = this.#objects.get(keys[index]!)!
    return objects
  }

  /** The changes after `revision`, oldest first; undefined when the history does not reach back so far. */
  since(revision: Revision): readonly ObjectEvent[] | undefined {
    if (revision < this.#floor) return undefined
    const start = this.#history.findIndex(event => event.revision > revision)
    return start < 0 ? [] : this.#history.slice(start)
  }

  /** The oldest revision that a watch may start from. */
  get floor(): Revision {
    return this.#floor
  }

  subscribe(subscriber: Subscriber): () => void {
    this.#subscribers.add(subscriber)
    return () => void this.#subscribers.delete(subscriber)
  }

  /** `ended` runs when the kind is served no more, unless the caller has lost interest by what this returns. */
  onEnd(ended: () => void): () => void {
    this.#endings.add(ended)
    return () => void this.#endings.delete(ended)
  }

  /** No change follows. */
  end(): void {
    this.#subscribers.clear()
    for (const ended of this.#endings) ended()
    this.#endings.clear()
  }

  #decode(entry: { key: string; value: Uint8Array; modRevision: Revision }): StoredObject {
    return StoredObject.decode(this.kind, entry.key.slice(this.#prefix.length), entry)
  }

  #put(stored: StoredObject): void {
    if (!this.#objects.has(stored.key)) {
      const last = this.#keys.at(-1)
      // Among those that are sorted only where it is their last: any other place costs as much as there are keys.
      if (this.#newKeys.length === 0 && (last === undefined || last < stored.key)) this.#keys.push(stored.key)
      else this.#newKeys.push(stored.key)
    }
    this.#objects.set(stored.key, stored)
  }

  #remove(key: string): void {
    this.#objects.delete(key)
    const keys = this.#sortedKeys()
    keys.splice(lowerBound(keys, key), 1)
  }

  #sortedKeys(): string[] {
    const added = this.#newKeys
    if (added.length === 0) return this.#keys
    this.#newKeys = []
    added.sort()
    if (added.length > FEW) this.#keys = merged(this.#keys, added)
    else for (const key of added) this.#keys.splice(lowerBound(this.#keys, key), 0, key)
    return this.#keys
  }

  /** Drops the older half at twice the size, so that remembering costs the same whatever the size. */
  #remember(event: ObjectEvent): ObjectEvent {
    this.#history.push(event)
    if (this.#history.length >= 2 * this.#historySize) {
      this.#floor = this.#history[this.#history.length - this.#historySize - 1]!.revision
      this.#history = this.#history.slice(-this.#historySize)
    }
    return event
  }
}
