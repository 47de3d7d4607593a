/**
 * Leases for objects that go by themselves. Objects written within a minute share one: an hour's Events take 60 leases
 * of the store, not thousands.
 *
 * Promised: an object stays at least its lifetime. Not promised: that it goes sooner than a minute after that.
 */

import type { LeaseId, Store } from '#cluster/store/kv.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'

/** How long a lease is given to new objects. */
const SHARED: Milliseconds = 60_000

interface Shared {
  readonly id: Promise<LeaseId>
  readonly until: Milliseconds
}

export class LeasePool {
  readonly #store: Store
  readonly #clock: Clock
  readonly #byLifetime = new Map<number, Shared>()

  constructor(store: Store, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** A lease that lasts at least `lifetime` seconds from now. */
  async lease(lifetime: number): Promise<LeaseId> {
    const shared = this.#byLifetime.get(lifetime)
    if (shared && this.#clock.monotonic() < shared.until) {
      const id = await shared.id
      // A machine that slept may find that its leases ended meanwhile.
      if (await this.#store.keepLease(id)) return id
    }
    return this.#grant(lifetime, shared)
  }

  /** One grant for all who find the same one missing. */
  #grant(lifetime: number, found: Shared | undefined): Promise<LeaseId> {
    const newer = this.#byLifetime.get(lifetime)
    if (newer && newer !== found) return newer.id
    const id = this.#store.grantLease(lifetime + SHARED / 1000).then(granted => granted.id)
    this.#byLifetime.set(lifetime, { id, until: this.#clock.monotonic() + SHARED })
    // Nobody shares a failure.
    id.catch(() => this.#byLifetime.delete(lifetime))
    return id
  }
}
