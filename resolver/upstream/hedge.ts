/**
 * A second question beside one that is late. Late is what takes longer than 95 of 100 of the upstream's last replies; a
 * budget keeps an hour in which everything is late from doubling the questions.
 */
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Latency } from './latency.ts'

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

/** What becomes of `first`; where that is still open after `delay`, what becomes of `whenLate`. */
export const unlessLate = <Value>(first: Promise<Value>, { delay, clock, whenLate }: Lateness<Value>): Promise<Value> =>
  new Promise((resolve, reject) => {
    let isOpen = true
    const late = () => {
      if (!isOpen) return
      isOpen = false
      whenLate().then(resolve, reject)
    }
    // Timers run before sockets are read: a reply that waits while the program itself stood still is read first.
    const timer = clock.after(delay, () => setImmediate(late))
    first.then(
      value => {
        timer.cancel()
        if (isOpen) resolve(value)
        isOpen = false
      },
      error => {
        timer.cancel()
        if (isOpen) reject(error)
        isOpen = false
      },
    )
  })

interface Lateness<Value> {
  readonly delay: Milliseconds
  readonly clock: Clock
  readonly whenLate: () => Promise<Value>
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
