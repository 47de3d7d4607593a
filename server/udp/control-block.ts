/** The memory that the main thread and one UDP worker share: what to do, and what was counted. */

import { PROFILES } from '../hit-profiles.ts'

/** Listeners have numbers below that: a byte of the memo's keys. */
const SPACES = 256
/** Of those beyond: nothing is kept for them. */
export const NO_SPACE = SPACES - 1

/** What the threads tell each other. */
export const Word = {
  /** Not 0: the worker ends. */
  stop: 0,
  /** Grows with each message to the worker. */
  mail: 1,
  /** Datagrams that the worker handed over and the main thread has not dealt with. */
  missesInHand: 2,
} as const
type Word = (typeof Word)[keyof typeof Word]
const WORDS = 4

/** What is counted: datagrams, but for `batches` and `hitTime`. */
export const Count = {
  batches: 0,
  received: 1,
  hits: 2,
  misses: 3,
  /** Dropped, because too many wait for the main thread. */
  shed: 4,
  /** Replies that the system did not take. */
  sendFailures: 5,
  /** From port 0, where nothing can be sent. */
  badSource: 6,
  /** Milliseconds that hits took in all, from their arrival. */
  hitTime: 7,
  /** Queries that came before, a few seconds ago. */
  retries: 8,
  /** Dropped like `shed`, of names that are not the server's own. */
  shedOthers: 9,
} as const
export type Count = (typeof Count)[keyof typeof Count]
const COUNTS = 10

export class ControlBlock {
  readonly shared: SharedArrayBuffer
  readonly #words: Int32Array
  readonly #counts: Float64Array
  /** Hits by profile. */
  readonly hits: Uint32Array
  /** Datagrams by the number of the listener's space. */
  readonly arrivals: Uint32Array

  constructor(shared = new SharedArrayBuffer(8 * COUNTS + 4 * (WORDS + PROFILES + SPACES))) {
    this.shared = shared
    this.#counts = new Float64Array(shared, 0, COUNTS)
    this.#words = new Int32Array(shared, 8 * COUNTS, WORDS)
    this.hits = new Uint32Array(shared, 8 * COUNTS + 4 * WORDS, PROFILES)
    this.arrivals = new Uint32Array(shared, 8 * COUNTS + 4 * (WORDS + PROFILES), SPACES)
  }

  get(word: Word): number {
    return Atomics.load(this.#words, word)
  }

  add(word: Word, value: number): void {
    Atomics.add(this.#words, word, value)
  }

  /** Only the worker counts. */
  count(what: Count, value: number): void {
    this.#counts[what]! += value
  }

  total(what: Count): number {
    return this.#counts[what]!
  }
}
