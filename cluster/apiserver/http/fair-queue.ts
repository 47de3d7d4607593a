/**
 * How many requests are answered at a time, and whose turn it is when there are more: each user's wait in a line of their
 * own, and lines take turns, so that whoever asks without end holds up nobody else (the aim of KEP-1040, without its
 * levels and shuffled hands: an apiserver of this size has few users).
 */
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { MaybePromise } from '#lib/maybe-promise.ts'

export interface FairQueueOptions {
  /** Requests that are answered at a time. */
  readonly limit: number
  readonly clock: Clock
}

/** `entered`: `leave` must follow. `full`: too many of this user's wait already. `late`: no turn came in time. */
export type Entry = 'entered' | 'full' | 'late'

/** Of one user. A client-go informer that starts lists some forty kinds. */
const LINE = 200
/** A quarter of kube-apiserver's --request-timeout, as there. */
const PATIENCE: Milliseconds = 15_000

interface Waiting {
  readonly enter: (entry: Entry) => void
  readonly timer: Timer
}

export class FairQueue {
  readonly #options: FairQueueOptions
  /** In the order of their turns; none is empty. */
  readonly #lines = new Map<string, Waiting[]>()
  #under = 0

  constructor(options: FairQueueOptions) {
    this.#options = options
  }

  enter(user: string): MaybePromise<Entry> {
    const { limit, clock } = this.#options
    if (this.#under < limit) {
      this.#under++
      return 'entered'
    }
    const line = this.#lines.get(user) ?? []
    if (line.length >= LINE) return 'full'
    if (line.length === 0) this.#lines.set(user, line)
    return new Promise(resolve => {
      const waiting: Waiting = { enter: resolve, timer: clock.after(PATIENCE, () => this.#giveUp(user, waiting)) }
      line.push(waiting)
    })
  }

  /** The next one's turn. */
  leave(): void {
    const next = this.#lines.entries().next()
    if (next.done) {
      this.#under--
      return
    }
    const [user, line] = next.value
    const { enter, timer } = line.shift()!
    timer.cancel()
    this.#lines.delete(user)
    if (line.length > 0) this.#lines.set(user, line)
    enter('entered')
  }

  #giveUp(user: string, waiting: Waiting): void {
    const left = this.#lines.get(user)!.filter(other => other !== waiting)
    if (left.length > 0) this.#lines.set(user, left)
    else this.#lines.delete(user)
    waiting.enter('late')
  }
}
