/**
 * Wakes those who wait for the server with the first answer that any call of the same client gets, so that what one
 * call has found out is not found out again by each after a wait of its own.
 * Not promised: that the server serves those who wake. Who fails again goes on backing off.
 */
import type { Clock, Milliseconds } from '#lib/clock.ts'

export class Recovery {
  readonly #clock: Clock
  readonly #waiting = new Set<() => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A 5xx, of the server or of a proxy before it, is no sign that it is back. */
  answered(status: number): void {
    if (status >= 500) return
    for (const wake of this.#waiting) wake()
  }

  /** Resolves after `delay`, when a call is answered, or when `signal` aborts; says whether a call was answered. */
  sleep(delay: Milliseconds, signal: AbortSignal): Promise<boolean> {
    return new Promise(resolve => {
      if (signal.aborted) return resolve(false)
      const end = (answered: boolean): void => {
        timer.cancel()
        signal.removeEventListener('abort', stop)
        this.#waiting.delete(wake)
        resolve(answered)
      }
      const stop = () => end(false)
      const wake = () => end(true)
      const timer = this.#clock.after(delay, stop)
      signal.addEventListener('abort', stop, { once: true })
      this.#waiting.add(wake)
    })
  }
}
