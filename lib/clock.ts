/**
 * Time, passed in. Rooms never call `Date.now` or `setTimeout` themselves, so tests can move time by hand
 * (`test/support/virtual-clock.ts`).
 */

/** Milliseconds; a duration, or a point in time since the Unix epoch where the name says so. */
export type Milliseconds = number

export interface Timer {
  /** Idempotent; a timer that already fired ignores it. */
  cancel(): void
}

export interface Clock {
  /** Wall time, milliseconds since the Unix epoch. May jump. */
  now(): Milliseconds
  /** Never goes back; origin arbitrary. For durations. */
  monotonic(): Milliseconds
  /** Calls `task` once after `delay`. A pending timer does not keep the process alive. */
  after(delay: Milliseconds, task: () => void): Timer
}

/** One is made for each question to another server, and mostly cancelled: an object, and no closure. */
class SystemTimer implements Timer {
  readonly #handle: NodeJS.Timeout

  constructor(delay: Milliseconds, task: () => void) {
    // Late already, where this process stood still: Node would warn.
    this.#handle = setTimeout(task, Math.max(0, delay))
    this.#handle.unref()
  }

  cancel(): void {
    clearTimeout(this.#handle)
  }
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delay, task) => new SystemTimer(delay, task),
}

/** Resolves after `delay`, or at once when `signal` aborts (it never rejects: look at the signal). */
export const sleep = (clock: Clock, delay: Milliseconds, signal?: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal?.aborted) return resolve()
    const wake = () => {
      timer.cancel()
      signal?.removeEventListener('abort', wake)
      resolve()
    }
    const timer = clock.after(delay, wake)
    signal?.addEventListener('abort', wake, { once: true })
  })
