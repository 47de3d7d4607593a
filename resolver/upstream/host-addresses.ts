/**
 * The addresses of a server that is given by its host name: looked up at the start, and again when their TTL has run
 * out. What was found stays until something else is found.
 */
import { Backoff } from '#lib/backoff.ts'
import { type Clock, type Milliseconds, sleep } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import type { Random } from '#lib/random.ts'
import { recordTypes } from '../wire/codes.ts'
import { canonicalName } from '../wire/name.ts'
import { aaaaData, aData, nameData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import type { UpstreamPool } from './pool.ts'

export interface HostAddressesOptions {
  readonly host: string
  /** The resolvers that know it. */
  readonly pool: UpstreamPool
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly onChange: () => void
  readonly onClose: () => void
}

/** A TTL of 0 does not make a question a second of it; one of a week does not hold on to a server that has moved. */
const SHORTEST: Milliseconds = 5000
const LONGEST: Milliseconds = 3_600_000
/** After a failure. */
const RETRY = { initial: 1000, maximum: 60_000 } as const
/** Aliases in a row in one reply. */
const MAXIMUM_ALIASES = 16

export class HostAddresses {
  readonly #options: HostAddressesOptions
  readonly #closed = new AbortController()
  readonly #backoff: Backoff
  readonly #known = Promise.withResolvers<void>()
  #addresses: readonly string[] = []

  constructor(options: HostAddressesOptions) {
    this.#options = options
    this.#backoff = new Backoff({ ...RETRY, random: options.random })
  }

  /** Empty: none is known yet. */
  get addresses(): readonly string[] {
    return this.#addresses
  }

  /** Resolves after the first lookup. */
  get known(): Promise<void> {
    return this.#known.promise
  }

  start(): void {
    void this.#run()
  }

  close(): void {
    this.#closed.abort()
    this.#known.resolve()
    this.#options.onClose()
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed
    while (!signal.aborted) {
      const wait = await this.#lookUp()
      this.#known.resolve()
      await sleep(this.#options.clock, wait, signal)
    }
  }

  /** The time until the next lookup. */
  async #lookUp(): Promise<Milliseconds> {
    const { host, logger } = this.#options
    const name = canonicalName(host.endsWith('.') ? host : `${host}.`)
    const found = await Promise.allSettled([this.#ask(name, recordTypes.A), this.#ask(name, recordTypes.AAAA)])
    const records = found.flatMap(result => (result.status === 'fulfilled' ? result.value : []))
    const addresses = records.map(({ type, data }) =>
      type === recordTypes.A ? aData.decode(data) : aaaaData.decode(data),
    )
    if (addresses.length === 0) {
      const [error] = found.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))
      logger.warn({ host, error, kept: this.#addresses }, 'the addresses of an upstream were not found')
      return this.#backoff.next()
    }
    this.#backoff.reset()
    if (!this.#closed.signal.aborted && addresses.join() !== this.#addresses.join()) {
      this.#addresses = addresses
      this.#options.onChange()
    }
    const seconds = Math.min(...records.map(({ ttl }) => ttl))
    return Math.min(LONGEST, Math.max(SHORTEST, seconds * 1000))
  }

  async #ask(name: DnsName, type: number): Promise<readonly ResourceRecord[]> {
    const bits = { recursionDesired: true, checkingDisabled: false, authenticData: false, dnssecOk: false }
    const { response } = await this.#options.pool.ask({ name, type, ...bits }, 'udp')
    const whole = response.truncated
      ? (await this.#options.pool.ask({ name, type, ...bits }, 'tcp')).response
      : response
    return follow(whole.answers, name, type)
  }
}

/** The records of the type where the aliases lead; sorted, so that a server's rotation is no change. */
const follow = (answers: readonly ResourceRecord[], start: DnsName, type: number): readonly ResourceRecord[] => {
  const reachable = new Set([start])
  for (let step = 0; step < MAXIMUM_ALIASES; step++) {
    const before = reachable.size
    for (const record of answers)
      if (record.type === recordTypes.CNAME && reachable.has(canonicalName(record.name)))
        reachable.add(canonicalName(nameData.decode(record.data)))
    if (reachable.size === before) break
  }
  return answers
    .filter(record => record.type === type && reachable.has(canonicalName(record.name)))
    .toSorted((left, right) => Buffer.compare(left.data, right.data))
}
