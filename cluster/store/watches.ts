/**
 * The watches of one process over a store's changes. The backend feeds it every change set in order and pages of
 * history on request; it delivers to each watch its range, history first, then live.
 *
 * It relies on the backend's one promise: a page of history that was read at revision N is handed over after every
 * change set up to N was dispatched, and before any above it. So a watch that reads history needs no buffer: what is
 * dispatched meanwhile is in its pages.
 */
import type { ChangeSet, KeyRange, Revision, StoreProblem, StoreWatch, WatchOptions } from './kv.ts'

export type HistoryOutcome =
  | {
      readonly ok: true
      readonly sets: readonly ChangeSet[]
      /** Where the next page begins; undefined: there is nothing more up to now. */
      readonly next: Revision | undefined
    }
  | { readonly ok: false; readonly problem: StoreProblem }

/** Reads a page of history and hands it to `use` in the order promised above. */
export type ReadHistory = (range: KeyRange, from: Revision, use: (outcome: HistoryOutcome) => void) => void

export interface WatchesOptions {
  readonly readHistory: ReadHistory
  /** A `deliver` or `ended` that threw: a bug of the watcher, which must not touch the others. */
  readonly onBug: (error: unknown) => void
}

export class Watches {
  readonly #options: WatchesOptions
  readonly #watches = new Set<Watch>()
  #revision: Revision

  /** `revision`: the last one that was dispatched. */
  constructor(revision: Revision, options: WatchesOptions) {
    this.#revision = revision
    this.#options = options
  }

  get revision(): Revision {
    return this.#revision
  }

  add(range: KeyRange, options: WatchOptions): StoreWatch {
    const from = options.from ?? this.#revision + 1
    const watch = new Watch(range, from, options, this.#options.onBug)
    this.#watches.add(watch)
    if (from > this.#revision) watch.live = true
    else this.#readOn(watch, from)
    return {
      close: () => {
        watch.closed = true
        this.#watches.delete(watch)
      },
    }
  }

  /** Tells every watch of the changes of one transaction. Revisions must come in order, without a gap. */
  dispatch(set: ChangeSet): void {
    this.#revision = set.revision
    // A watch that is added by a delivery starts behind this set.
    for (const watch of [...this.#watches]) if (watch.live) watch.deliver(set)
  }

  end(problem: StoreProblem): void {
    for (const watch of [...this.#watches]) this.#end(watch, problem)
  }

  #readOn(watch: Watch, from: Revision): void {
    this.#options.readHistory(watch.range, from, outcome => {
      if (watch.closed) return
      if (!outcome.ok) return this.#end(watch, outcome.problem)
      for (const set of outcome.sets) watch.deliver(set)
      if (outcome.next === undefined) watch.live = true
      else this.#readOn(watch, outcome.next)
    })
  }

  #end(watch: Watch, problem: StoreProblem): void {
    this.#watches.delete(watch)
    watch.end(problem)
  }
}

class Watch {
  readonly range: KeyRange
  /** False while history is read. */
  live = false
  closed = false
  readonly #from: Revision
  readonly #options: WatchOptions
  readonly #onBug: (error: unknown) => void

  constructor(range: KeyRange, from: Revision, options: WatchOptions, onBug: (error: unknown) => void) {
    this.range = range
    this.#from = from
    this.#options = options
    this.#onBug = onBug
  }

  deliver(set: ChangeSet): void {
    if (this.closed || set.revision < this.#from) return
    const changes = set.changes.filter(({ keyValue }) => isWithin(keyValue.key, this.range))
    if (changes.length === 0) return
    this.#call(() => this.#options.deliver(changes.length === set.changes.length ? set : { ...set, changes }))
  }

  end(problem: StoreProblem): void {
    if (this.closed) return
    this.closed = true
    this.#call(() => this.#options.ended(problem))
  }

  #call(task: () => void): void {
    try {
      task()
    } catch (error) {
      this.#onBug(error)
    }
  }
}

/** From here on UTF-16 (JavaScript's order) and UTF-8 (the store's) sort differently. */
const BEYOND = /[\ud800-\uffff]/

/** Whether `key` lies in `range` by the order of UTF-8. */
const isWithin = (key: string, { start, end }: KeyRange): boolean =>
  BEYOND.test(key)
    ? Buffer.compare(Buffer.from(key), Buffer.from(start)) >= 0 &&
      Buffer.compare(Buffer.from(key), Buffer.from(end)) < 0
    : key >= start && key < end
