/**
 * Questions that could not be resolved, and when they may be asked again (RFC 9520): a name that fails for one client
 * fails for the next without a question to anybody. The time grows with each failure in a row.
 */
import type { Milliseconds } from '#lib/clock.ts'
import type { AnswerRoom } from './answer-room.ts'
import type { PackedAnswer } from './packed-answer.ts'

export interface Failure {
  /** What to answer, as a message; undefined: the failure only keeps what is stale from being asked for again. */
  readonly packed: PackedAnswer | undefined
  /** On the monotonic clock. */
  readonly at: Milliseconds
  /** Failures in a row. */
  readonly count: number
}

export interface FailureRules {
  /** Of the first failure; 0: failures are not answered from memory. */
  readonly initial: Milliseconds
  readonly maximum: Milliseconds
}

/** RFC 9520 §3.2: "at least 1 second", "longer than 5 minutes" never. */
export const SHORTEST_FAILURE: Milliseconds = 1000
export const LONGEST_FAILURE: Milliseconds = 300_000

/** RFC 9520 §3.2: "exponential or linear backoff". */
const intervalOf = ({ count }: Failure, { initial, maximum }: FailureRules): Milliseconds =>
  Math.min(initial * 2 ** (count - 1), maximum)

export class FailureMemory {
  readonly #room: AnswerRoom<Failure>
  readonly #rules: FailureRules

  constructor(room: AnswerRoom<Failure>, rules: FailureRules) {
    this.#room = room
    this.#rules = rules
  }

  get size(): number {
    return this.#room.size
  }

  /** The failure to answer with at this moment. */
  current(key: string, now: Milliseconds): Failure | undefined {
    if (this.#rules.initial === 0) return undefined
    const failure = this.#room.get(key)
    return failure?.packed && now - failure.at < intervalOf(failure, this.#rules) ? failure : undefined
  }

  /** Whether the question failed within the last `recheck`. */
  failedWithin(key: string, recheck: Milliseconds, now: Milliseconds): boolean {
    const failure = this.#room.get(key)
    return failure !== undefined && now - failure.at < recheck
  }

  note(key: string, packed: PackedAnswer | undefined, now: Milliseconds): void {
    const before = this.#room.get(key)
    const interval = before ? intervalOf(before, this.#rules) : 0
    // Questions under way together fail together: that is one failure.
    if (before && now - before.at < interval) return
    const isInARow = before !== undefined && now - before.at < interval + this.#rules.maximum
    this.#room.set(key, { packed, at: now, count: isInARow ? Math.min(before.count + 1, MAX_COUNT) : 1 })
  }

  forget(key: string): void {
    this.#room.delete(key)
  }
}

/** Doubling as often takes one second to five minutes and beyond. */
const MAX_COUNT = 10
