/** When leases end. The backend keeps them; their time runs here, on the clock that was passed in. */
import type { Clock, Timer } from '#lib/clock.ts'
import type { Lease, LeaseId } from './kv.ts'

/** Seconds. The longest time that a timer of Node can wait is 2^31 - 1 ms. */
export const LONGEST_LEASE = 2_147_483

interface Running {
  readonly lease: Lease
  timer: Timer
}

export class Leases {
  readonly #clock: Clock
  readonly #expire: (id: LeaseId) => void
  readonly #running = new Map<LeaseId, Running>()

  /** `expire` is called once for each lease whose time ran out, which has ended then. */
  constructor(clock: Clock, expire: (id: LeaseId) => void) {
    this.#clock = clock
    this.#expire = expire
  }

  /** Starts the time of a lease. */
  start(lease: Lease): void {
    this.#running.set(lease.id, { lease, timer: this.#arm(lease) })
  }

  /** Gives it its whole time again. False when it has ended. */
  keep(id: LeaseId): boolean {
    const running = this.#running.get(id)
    if (!running) return false
    running.timer.cancel()
    running.timer = this.#arm(running.lease)
    return true
  }

  /** Its time no longer runs. False when it had ended. */
  stop(id: LeaseId): boolean {
    this.#running.get(id)?.timer.cancel()
    return this.#running.delete(id)
  }

  close(): void {
    for (const { timer } of this.#running.values()) timer.cancel()
    this.#running.clear()
  }

  #arm({ id, ttl }: Lease): Timer {
    return this.#clock.after(ttl * 1_000, () => {
      this.#running.delete(id)
      this.#expire(id)
    })
  }
}
