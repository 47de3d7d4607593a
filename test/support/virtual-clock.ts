import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'

interface Pending {
  readonly at: Milliseconds
  readonly task: () => void
}

/** A clock that stands still until it is told to move. */
export class VirtualClock implements Clock {
  readonly #origin: Milliseconds
  #elapsed: Milliseconds = 0
  #pending: Pending[] = []

  constructor(origin: Milliseconds = Date.UTC(2031, 0, 1)) {
    this.#origin = origin
  }

  now(): Milliseconds {
    return this.#origin + this.#elapsed
  }

  monotonic(): Milliseconds {
    return this.#elapsed
  }

  after(delay: Milliseconds, task: () => void): Timer {
    const entry = { at: this.#elapsed + delay, task }
    this.#pending.push(entry)
    return { cancel: () => void (this.#pending = this.#pending.filter(other => other !== entry)) }
  }

  /** Moves time on, firing what falls due in order; lets promises settle between timers. */
  async advance(duration: Milliseconds): Promise<void> {
    const end = this.#elapsed + duration
    for (;;) {
      await new Promise(resolve => setImmediate(resolve))
      const due = this.#pending.filter(entry => entry.at <= end).sort((a, b) => a.at - b.at)[0]
      if (!due) break
      this.#pending = this.#pending.filter(entry => entry !== due)
      this.#elapsed = Math.max(this.#elapsed, due.at)
      due.task()
    }
    this.#elapsed = end
    await new Promise(resolve => setImmediate(resolve))
  }
}
