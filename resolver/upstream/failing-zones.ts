/**
 * Zones that a server has lately failed to answer for (RFC 9520 §3.2): other servers are asked first about names there,
 * though the server is well for others. A forwarder does not see zone cuts: the parent of the name stands for its zone.
 */
import { LRUCache } from 'lru-cache'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import { parentName, ROOT } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'

/** RFC 9520 §3.2: at least one second; growing with each failure; five minutes at most. */
const FIRST: Milliseconds = 1000
const LONGEST: Milliseconds = 300_000
/** About 100 KB a server when all of its zones fail. */
const MAXIMUM_ZONES = 1000

interface Failing {
  readonly until: Milliseconds
  readonly duration: Milliseconds
}

export class FailingZones {
  readonly #clock: Clock
  readonly #zones = new LRUCache<DnsName, Failing>({ max: MAXIMUM_ZONES })

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `name`: canonical. */
  has(name: DnsName): boolean {
    if (this.#zones.size === 0) return false
    const failing = this.#zones.get(zoneOf(name))
    return failing !== undefined && failing.until > this.#clock.monotonic()
  }

  failed(name: DnsName): void {
    const zone = zoneOf(name)
    const before = this.#zones.get(zone)
    const now = this.#clock.monotonic()
    // Failures of questions that were sent together are one.
    if (before && before.until > now) return
    const duration = before ? Math.min(2 * before.duration, LONGEST) : FIRST
    this.#zones.set(zone, { until: now + duration, duration })
  }

  answered(name: DnsName): void {
    if (this.#zones.size > 0) this.#zones.delete(zoneOf(name))
  }

  clear(): void {
    this.#zones.clear()
  }
}

/** `www.example.org.` is in `example.org.`; so is `example.org.` itself. */
const zoneOf = (name: DnsName): DnsName => {
  const parent = parentName(name)
  return parent === undefined || parent === ROOT || parentName(parent) === ROOT ? name : parent
}
