/**
 * Keys that wait for a worker. As client-go's queue:
 * - fair: keys are handed out in the order in which they were added;
 * - stingy: a key is never with two workers at once, and a key added many times before it is handed out comes once;
 * - re-entrant: a key that is added while a worker has it comes again after `done`.
 * Failed keys come back after a delay that grows with their failures; the worker only says `retry` or `forget`.
 * Keys, not objects: whoever works on a key looks up the newest object.
 */
import { Backoff } from '#lib/backoff.ts'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'

export interface WorkQueueObserver {
  /** Keys that wait, not counting those with workers or with a delay. */
  depth(keys: number): void
  added(): void
  /** Between `add` and `take`. */
  waited(duration: Milliseconds): void
  /** Between `take` and `done`. */
  worked(duration: Milliseconds): void
  retried(): void
}

export interface WorkQueueOptions {
  readonly clock: Clock
  readonly random: Random
  /** The first delay of a failed key. Default 5 ms, client-go's. */
  readonly initialDelay?: Milliseconds
  /** No delay is longer. Default 1,000 s, client-go's. */
  readonly maximumDelay?: Milliseconds
  readonly observer?: WorkQueueObserver
}

interface Delayed {
  readonly at: Milliseconds
  readonly timer: Timer
}

export class WorkQueue<Key> {
  readonly #options: WorkQueueOptions
  /** Waiting keys in order, each with the time of its first `add`. */
  readonly #waiting = new Map<Key, Milliseconds>()
  readonly #working = new Map<Key, Milliseconds>()
  /** Added while being worked on. */
  readonly #again = new Set<Key>()
  readonly #delayed = new Map<Key, Delayed>()
  readonly #failures = new Map<Key, { readonly backoff: Backoff; count: number }>()
  #takers: ((key: Key | undefined) => void)[] = []
  #drained: (() => void)[] = []
  #closed = false

  constructor(options: WorkQueueOptions) {
    this.#options = options
  }

  /** Keys that wait for a worker. */
  get size(): number {
    return this.#waiting.size
  }

  add(key: Key): void {
    if (this.#closed) return
    if (this.#working.has(key)) {
      this.#again.add(key)
      return
    }
    if (this.#waiting.has(key)) return
    this.#options.observer?.added()
    this.#waiting.set(key, this.#options.clock.monotonic())
    this.#hand()
  }

  /** Of several delays of one key, the one that ends first counts. A delay of 0 adds at once. */
  addAfter(key: Key, delay: Milliseconds): void {
    if (this.#closed) return
    if (delay <= 0) {
      this.add(key)
      return
    }
    const at = this.#options.clock.monotonic() + delay
    const earlier = this.#delayed.get(key)
    if (earlier && earlier.at <= at) return
    earlier?.timer.cancel()
    const timer = this.#options.clock.after(delay, () => {
      this.#delayed.delete(key)
      this.add(key)
    })
    this.#delayed.set(key, { at, timer })
  }

  /** The work on a key failed: it comes again after a delay that doubles with each failure until `forget`. */
  retry(key: Key): void {
    if (this.#closed) return
    const { random, initialDelay: initial = 5, maximumDelay: maximum = 1_000_000, observer } = this.#options
    const failures = this.#failures.get(key) ?? { backoff: new Backoff({ initial, maximum, random }), count: 0 }
    failures.count++
    this.#failures.set(key, failures)
    observer?.retried()
    this.addAfter(key, failures.backoff.next())
  }

  /** The work on a key succeeded, or is given up: its failures are forgotten. */
  forget(key: Key): void {
    this.#failures.delete(key)
  }

  /** How often `retry` was called since the last `forget`. */
  failures(key: Key): number {
    return this.#failures.get(key)?.count ?? 0
  }

  /** The next key; `undefined` once the queue is closed and empty. Whoever takes a key calls `done` for it. */
  take(): Promise<Key | undefined> {
    if (this.#empty) return Promise.resolve(undefined)
    return new Promise(resolve => {
      this.#takers.push(resolve)
      this.#hand()
    })
  }

  done(key: Key): void {
    const since = this.#working.get(key)
    if (since === undefined) return
    this.#working.delete(key)
    this.#options.observer?.worked(this.#options.clock.monotonic() - since)
    if (this.#again.delete(key)) {
      // Also after `close`: the change came while the queue was open.
      this.#waiting.set(key, this.#options.clock.monotonic())
      this.#hand()
    }
    this.#settle()
  }

  /**
   * No new keys; delays and retries are dropped. What waits is still handed out. Resolves when all of it is done.
   * Idempotent.
   */
  close(): Promise<void> {
    this.#closed = true
    for (const { timer } of this.#delayed.values()) timer.cancel()
    this.#delayed.clear()
    const drained = new Promise<void>(resolve => this.#drained.push(resolve))
    this.#hand()
    this.#settle()
    return drained
  }

  #hand(): void {
    const { clock, observer } = this.#options
    while (this.#takers.length > 0 && this.#waiting.size > 0) {
      const [key, since] = this.#waiting.entries().next().value!
      this.#waiting.delete(key)
      this.#working.set(key, clock.monotonic())
      observer?.waited(clock.monotonic() - since)
      this.#takers.shift()!(key)
    }
    observer?.depth(this.#waiting.size)
  }

  /** Closed, and nothing more can come: not even a key that changed while somebody works on it. */
  get #empty(): boolean {
    return this.#closed && this.#waiting.size === 0 && this.#again.size === 0
  }

  #settle(): void {
    if (!this.#empty) return
    for (const taker of this.#takers.splice(0)) taker(undefined)
    if (this.#working.size > 0) return
    for (const resolve of this.#drained.splice(0)) resolve()
  }
}
