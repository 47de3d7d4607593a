/** An informer without a server: the test puts objects in and says when the first list is complete. */
import type { Following, FollowState } from '#watcher/following.ts'
import type { Change, Informer, Listener, ObjectKey } from '#watcher/informer.ts'

/** What a list follows, as the test says. */
export class StaticFollowing implements Following {
  state: FollowState = 'following'
  /** What `retry` leads to; absent: nothing comes of it. */
  onRetry = (): void => {}
  retries = 0
  readonly #listeners = new Set<(state: FollowState) => void>()

  subscribe(listener: (state: FollowState) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  retry(): void {
    this.retries++
    this.onRetry()
  }

  enter(...states: readonly FollowState[]): void {
    for (const state of states) {
      this.state = state
      for (const listener of this.#listeners) listener(state)
    }
  }
}

export class StaticInformer<Object> implements Informer<Object> {
  readonly #entries = new Map<ObjectKey, Object>()
  readonly #listeners = new Set<Listener<Object>>()
  #waiting: (() => void)[] = []
  #revision = 0
  #synced: boolean
  readonly following = new StaticFollowing()

  constructor(synced = true) {
    this.#synced = synced
  }

  get synced(): boolean {
    return this.#synced
  }

  get resourceVersion(): string {
    return this.#synced ? String(this.#revision) : ''
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: ObjectKey): Object | undefined {
    return this.#entries.get(key)
  }

  entries(): IterableIterator<readonly [ObjectKey, Object]> {
    return this.#entries.entries()
  }

  subscribe(listener: Listener<Object>): () => void {
    for (const [key, object] of this.#entries) listener({ type: 'added', key, object })
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  async whenSynced(signal?: AbortSignal): Promise<void> {
    if (this.#synced) return
    await new Promise<void>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      this.#waiting.push(resolve)
    })
  }

  put(key: ObjectKey, object: Object): void {
    const previous = this.#entries.get(key)
    this.#entries.set(key, object)
    this.#tell(previous === undefined ? { type: 'added', key, object } : { type: 'modified', key, object, previous })
  }

  remove(key: ObjectKey): void {
    const previous = this.#entries.get(key)
    if (previous === undefined) return
    this.#entries.delete(key)
    this.#tell({ type: 'deleted', key, previous })
  }

  sync(): void {
    this.#synced = true
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #tell(change: Change<Object>): void {
    this.#revision++
    for (const listener of this.#listeners) listener(change)
  }
}
