/**
 * A second question beside one that is late. Late is what takes longer than 95 of 100 of the upstream's last replies; a
 * budget keeps an hour in which everything is late from doubling the questions.
 */
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Latency } from './latency.ts'
import type { Outcome } from './outcome.ts'

/** Of all questions, and how many at once after a quiet time: what goes to a server in the moment of its death. */
const SHARE = 0.05
const BURST = 50

export class HedgeBudget {
  #tokens = BURST

  /** For each question that might be hedged. */
  earn(): void {
    this.#tokens = Math.min(BURST, this.#tokens + SHARE)
  }

  take(): boolean {
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}

/** Until enough replies have come. */
const UNKNOWN: Milliseconds = 100
const DELAYS = {
  /** Below, it would be the machine's own load that is measured. */
  another: { minimum: 5, maximum: 1000 },
  /** The same server is asked again for a lost datagram; one that is only slow should not get the work twice. */
  same: { minimum: 200, maximum: 1000 },
} as const

/** When a question to a server of this latency is late enough to be put to `whom` beside it. */
export const hedgeDelay = ({ percentile95 = UNKNOWN }: Latency, whom: keyof typeof DELAYS): Milliseconds => {
  const { minimum, maximum } = DELAYS[whom]
  return Math.min(maximum, Math.max(minimum, percentile95))
}

/** What becomes of what `start` begins; where that is still open after `delay`, what becomes of `whenLate`. */
export const unlessLate = <Value>(
  start: (outcome: Outcome<Value>) => void,
  lateness: Lateness<Value>,
): Promise<Value> => new Promise((resolve, reject) => start(new Patience(lateness, resolve, reject)))

interface Lateness<Value> {
  readonly delay: Milliseconds
  readonly clock: Clock
  /** `first`: what becomes of what was begun. */
  readonly whenLate: (first: Promise<Value>) => Promise<Value>
}

class Patience<Value> implements Outcome<Value> {
  readonly #resolve: (value: Value) => void
  readonly #reject: (error: unknown) => void
  readonly #timer: Timer
  #isOpen = true
  /** What was begun, once it is late. */
  #late: PromiseWithResolvers<Value> | undefined

  constructor(
    { delay, clock, whenLate }: Lateness<Value>,
    resolve: (value: Value) => void,
    reject: (error: unknown) => void,
  ) {
    this.#resolve = resolve
    this.#reject = reject
    // Timers run before sockets are read: a reply that waits while the program itself stood still is read first.
    this.#timer = clock.after(delay, () => setImmediate(() => this.#lose(whenLate)))
  }

  replied(value: Value): void {
    this.#end()
    if (this.#late) this.#late.resolve(value)
    else this.#resolve(value)
  }

  failed(error: unknown): void {
    this.#end()
    if (this.#late) this.#late.reject(error)
    else this.#reject(error)
  }

  #end(): void {
    this.#isOpen = false
    this.#timer.cancel()
  }

  #lose(whenLate: Lateness<Value>['whenLate']): void {
    if (!this.#isOpen) return
    this.#late = Promise.withResolvers()
    // Nobody may wait for it.
    this.#late.promise.catch(() => {})
    whenLate(this.#late.promise).then(this.#resolve, this.#reject)
  }
}

/** The first value that is good; else the first value; else the first error. */
export const firstGood = <Value>(promises: readonly Promise<Value>[], isGood: (value: Value) => boolean) =>
  new Promise<Value>((resolve, reject) => {
    let left = promises.length
    let other: { readonly value: Value } | undefined
    let failure: { readonly error: unknown } | undefined
    const settled = () => {
      if (--left > 0) return
      if (other) resolve(other.value)
      else reject(failure?.error)
    }
    for (const promise of promises) {
      promise.then(
        value => {
          if (isGood(value)) resolve(value)
          other ??= { value }
          settled()
        },
        error => {
          failure ??= { error }
          settled()
        },
      )
    }
  })
