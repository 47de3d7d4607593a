import { type Clock, type Milliseconds, sleep } from '#lib/clock.ts'

/** Counts what a socket has taken and not yet answered, so that it can be drained before it closes. */
export class InFlight {
  #count = 0
  #whenIdle: (() => void)[] = []

  add(): void {
    this.#count++
  }

  remove(): void {
    this.#count--
    if (this.#count > 0) return
    const waiting = this.#whenIdle
    this.#whenIdle = []
    for (const wake of waiting) wake()
  }

  /** Resolves when nothing is in flight, or after `deadline`. */
  async drained(clock: Clock, deadline: Milliseconds): Promise<void> {
    if (this.#count === 0) return
    const idle = new AbortController()
    this.#whenIdle.push(() => idle.abort())
    await sleep(clock, deadline, idle.signal)
  }
}
