/**
 * A zone that is fetched from other servers and kept fresh by its SOA's timers (RFC 1035 §3.3.13): asked after `refresh`,
 * after `retry` where that failed, and given up when nobody was reached for `expire`.
 */
import { Backoff } from '#lib/backoff.ts'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import type { Random } from '#lib/random.ts'
import { extendedErrorCodes } from '../wire/codes.ts'
import type { ExtendedError } from '../wire/edns.ts'
import { type Soa, soaData } from '../wire/rdata.ts'
import type { DnsName } from '../wire/record.ts'
import { addressKey } from '../zone/address.ts'
import { type FetchedZone, fetchZone, type ZoneSource } from './fetch-zone.ts'
import type { TransferSlots } from './transfer-slots.ts'
import type { AuthorityZone } from './zone.ts'
import type { ZoneMetrics } from './zone-metrics.ts'
import type { HeldZone } from './zone-server.ts'

export interface TransferredZoneOptions {
  readonly origin: DnsName
  /** Asked in order, until one of them answers. */
  readonly sources: readonly ZoneSource[]
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly metrics: ZoneMetrics
  readonly slots: TransferSlots
  /** Told of new data before they are served. */
  readonly onTake: ((zone: AuthorityZone) => void) | undefined
}

/** However the SOA has it: no server is asked more often, and timers of Node go no further than 24 days. */
const LEAST_WAIT: Milliseconds = 5000
const MOST_WAIT: Milliseconds = 14 * 86_400_000

const wait = (seconds: number): Milliseconds => Math.min(Math.max(seconds * 1000, LEAST_WAIT), MOST_WAIT)

const noTransferYet: ExtendedError = {
  code: extendedErrorCodes.NOT_READY,
  text: 'the zone has not been transferred yet: ask again',
}
// RFC 8914 §4.25 names this very case.
const expired: ExtendedError = { code: extendedErrorCodes.INVALID_DATA, text: 'the zone has expired' }

export class TransferredZone implements HeldZone {
  readonly #options: TransferredZoneOptions
  readonly #abort = new AbortController()
  /** Before there is a zone, and so no `retry`. */
  readonly #backoff: Backoff
  #zone: AuthorityZone | undefined
  #soa: Soa | undefined
  /** When a server last said that the zone is this one; monotonic. */
  #confirmed: Milliseconds = 0
  #timer: Timer | undefined
  #isFetching = false
  /** Somebody said while it was being fetched that there is something newer. */
  #isStale = false
  onChange: (() => void) | undefined

  constructor(options: TransferredZoneOptions) {
    this.#options = options
    this.#backoff = new Backoff({ initial: LEAST_WAIT, maximum: 300_000, random: options.random })
  }

  get zone(): AuthorityZone | undefined {
    return this.#isExpired ? undefined : this.#zone
  }

  get problem(): ExtendedError {
    return this.#zone ? expired : noTransferYet
  }

  get #isExpired(): boolean {
    return this.#soa !== undefined && this.#options.clock.monotonic() - this.#confirmed >= this.#soa.expire * 1000
  }

  close(): void {
    this.#abort.abort()
    this.#timer?.cancel()
  }

  /** Fetches the zone, and again when it is time or when told to. Never rejects. */
  async refresh(): Promise<void> {
    this.#timer?.cancel()
    if (this.#isFetching) {
      this.#isStale = true
      return
    }
    this.#isFetching = true
    let reached: boolean
    do {
      this.#isStale = false
      reached = await this.#options.slots.run(() => this.#fetch())
    } while (this.#isStale && !this.#abort.signal.aborted)
    this.#isFetching = false
    if (this.#abort.signal.aborted) return
    this.#timer = this.#options.clock.after(this.#untilNext(reached), () => void this.refresh())
  }

  /** Whether the zone comes from an address. */
  isFrom(address: string): boolean {
    return this.#options.sources.some(source => addressKey(source.address) === addressKey(address))
  }

  #untilNext(reached: boolean): Milliseconds {
    const soa = this.#soa
    if (!soa) return this.#backoff.next()
    return wait(reached ? soa.refresh : soa.retry)
  }

  /** Whether a server answered. */
  async #fetch(): Promise<boolean> {
    const { origin, sources, clock, random, logger, metrics } = this.#options
    const { signal } = this.#abort
    for (const source of sources) {
      if (signal.aborted) return false
      const result = await fetchZone({ origin, source, zone: this.zone, clock, random, signal })
      if (signal.aborted) return false
      if (result.ok) {
        this.#confirmed = clock.monotonic()
        if (result.value !== 'current') this.#take(result.value, source)
        return true
      }
      logger.warn({ zone: origin, ...source, problem: result.problem }, 'zone transfer failed')
    }
    metrics.failures.inc({ zone: origin })
    return false
  }

  #take({ zone, by }: FetchedZone, source: ZoneSource): void {
    const { origin, logger, metrics } = this.#options
    this.#zone = zone
    this.#soa = soaData.decode(zone.soa.data)
    this.#backoff.reset()
    metrics.serial.set({ zone: origin }, zone.serial)
    logger.info({ zone: origin, serial: zone.serial, by, ...source }, 'zone transferred')
    this.#options.onTake?.(zone)
    this.onChange?.()
  }
}
