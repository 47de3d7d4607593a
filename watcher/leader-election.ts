/**
 * One leader among several replicas, by a Lease (coordination.k8s.io/v1), with client-go's algorithm.
 *
 * Promised: a leader that cannot renew stops leading `renewDeadline` after its last renewal, and nobody else takes the
 * lease before `leaseDuration` has passed on their own clock since they last saw it change; so clocks may differ, as
 * long as they run at about the same speed. Not promised: that work which the old leader began before has ended.
 */
import { type Clock, type Milliseconds, sleep, systemClock } from '#lib/clock.ts'
import type { Component } from '#lib/lifecycle.ts'
import { type Logger, silentLogger } from '#lib/log.ts'
import { type Random, systemRandom } from '#lib/random.ts'
import { isConflict, isNotFound } from './api-status-error.ts'
import type { RestClient } from './client.ts'
import type { ApiObject, ObjectName } from './object.ts'
import type { Resource } from './resource.ts'

const LEASES: Resource = { group: 'coordination.k8s.io', version: 'v1', resource: 'leases' }

interface LeaseSpec {
  readonly holderIdentity?: string
  readonly leaseDurationSeconds?: number
  readonly acquireTime?: string
  readonly renewTime?: string
  readonly leaseTransitions?: number
}

interface Lease extends ApiObject {
  readonly spec?: LeaseSpec
}

export interface LeaderElectionOptions {
  readonly client: RestClient
  readonly lease: ObjectName & { readonly namespace: string }
  /** Different for every replica: host name and a random part. */
  readonly identity: string
  /**
   * The work. It is started when this replica becomes the leader, and its signal aborts when it no longer is. When it
   * ends by itself, the lease is given up.
   */
  readonly lead: (signal: AbortSignal) => Promise<void>
  readonly clock?: Clock
  readonly random?: Random
  readonly logger?: Logger
  /** How long others wait before they take the lease of a silent leader. Default 15 s. */
  readonly leaseDuration?: Milliseconds
  /** A leader that could not renew for this long stops. Below `leaseDuration`. Default 10 s. */
  readonly renewDeadline?: Milliseconds
  /** Between two tries. Default 2 s. */
  readonly retryPeriod?: Milliseconds
}

/** How much the retries of several candidates spread (client-go's JitterFactor). */
const JITTER = 1.2

export class LeaderElection implements Component {
  readonly name = 'leader election'
  readonly #options: LeaderElectionOptions
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #leaseDuration: Milliseconds
  readonly #renewDeadline: Milliseconds
  readonly #retryPeriod: Milliseconds
  readonly #abort = new AbortController()
  #running: Promise<void> | undefined
  #leading = false
  /** The lease as last seen, and when it was first seen like that (monotonic): the only time that is trusted. */
  #observed: Lease | undefined
  #observedRecord = ''
  #observedAt: Milliseconds = 0

  constructor(options: LeaderElectionOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? silentLogger
    this.#leaseDuration = options.leaseDuration ?? 15_000
    this.#renewDeadline = options.renewDeadline ?? 10_000
    this.#retryPeriod = options.retryPeriod ?? 2_000
  }

  get leading(): boolean {
    return this.#leading
  }

  /** Who holds the lease as far as this replica has seen, `''` when nobody does. */
  get leader(): string {
    return this.#observed?.spec?.holderIdentity ?? ''
  }

  /** Begins to stand for election; resolves at once. */
  async start(): Promise<void> {
    this.#running ??= this.#run(this.#abort.signal)
  }

  /** Stops leading, waits for the work to end, and gives the lease up so that another one need not wait. */
  async close(): Promise<void> {
    this.#abort.abort()
    await this.#running
  }

  async #run(signal: AbortSignal): Promise<void> {
    const random = this.#options.random ?? systemRandom
    while (!signal.aborted) {
      if (await this.#acquireOrRenew(signal)) await this.#lead(signal)
      if (signal.aborted) return
      await sleep(this.#clock, this.#retryPeriod * (1 + random.unit() * JITTER), signal)
    }
  }

  async #lead(signal: AbortSignal): Promise<void> {
    const { lead, identity } = this.#options
    const term = new AbortController()
    const stop = () => term.abort(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    this.#leading = true
    this.#logger.info({ identity }, 'leading')
    const work = lead(term.signal).then(
      () => term.abort(),
      error => {
        this.#logger.error({ error }, 'the work of the leader failed')
        term.abort(error)
      },
    )
    await this.#renewUntilLost(term.signal)
    term.abort(new Error('the lease was lost'))
    this.#leading = false
    await work
    signal.removeEventListener('abort', stop)
    await this.#release()
    this.#logger.info({ identity }, 'no longer leading')
  }

  async #renewUntilLost(signal: AbortSignal): Promise<void> {
    let renewedAt = this.#clock.monotonic()
    while (!signal.aborted) {
      await sleep(this.#clock, this.#retryPeriod, signal)
      if (signal.aborted) return
      const left = renewedAt + this.#renewDeadline - this.#clock.monotonic()
      if (left <= 0) return
      const startedAt = this.#clock.monotonic()
      if (await this.#acquireOrRenew(signal, left)) renewedAt = startedAt
      else if (this.leader !== '' && this.leader !== this.#options.identity) return
    }
  }

  /** Says whether this replica holds the lease now. */
  async #acquireOrRenew(signal: AbortSignal, timeout: Milliseconds = this.#renewDeadline): Promise<boolean> {
    try {
      return await this.#try({ signal, timeout })
    } catch (error) {
      if (!signal.aborted) this.#logger.debug({ problem: String(error) }, 'lease not taken')
      return false
    }
  }

  async #try(limits: { readonly signal: AbortSignal; readonly timeout: Milliseconds }): Promise<boolean> {
    const { client, lease: name, identity } = this.#options
    const now = microTime(this.#clock.now())
    const own = {
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(this.#leaseDuration / 1000),
      renewTime: now,
    }
    let current: Lease
    try {
      current = await client.get<Lease>(LEASES, name, limits)
    } catch (error) {
      if (!isNotFound(error)) throw error
      const fresh = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: name }
      this.#observe(
        await client.create<Lease>(
          LEASES,
          { ...fresh, spec: { ...own, acquireTime: now, leaseTransitions: 0 } },
          limits,
        ),
      )
      return true
    }
    this.#observe(current)
    const { holderIdentity = '', leaseTransitions = 0, acquireTime = now } = current.spec ?? {}
    const mine = holderIdentity === identity
    if (!mine && holderIdentity !== '' && !this.#expired(current)) return false
    const spec = mine
      ? { ...current.spec, ...own, acquireTime }
      : { ...current.spec, ...own, acquireTime: now, leaseTransitions: leaseTransitions + 1 }
    // The revision in `current` makes this a compare-and-swap: of two candidates one gets a conflict.
    this.#observe(await client.update<Lease>(LEASES, { ...current, spec }, limits))
    return true
  }

  #expired({ spec }: Lease): boolean {
    const duration = (spec?.leaseDurationSeconds ?? 0) * 1000 || this.#leaseDuration
    return this.#clock.monotonic() - this.#observedAt >= duration
  }

  #observe(lease: Lease): void {
    this.#observed = lease
    const record = JSON.stringify(lease.spec ?? {})
    if (record === this.#observedRecord) return
    this.#observedRecord = record
    this.#observedAt = this.#clock.monotonic()
  }

  /** As client-go's ReleaseOnCancel: within the renew deadline, no holder, and a duration of one second. */
  async #release(): Promise<void> {
    const end = this.#clock.monotonic() + this.#renewDeadline
    while (this.leader === this.#options.identity) {
      const timeout = end - this.#clock.monotonic()
      try {
        if (timeout > 0) await this.#giveUp({ timeout })
        return
      } catch (error) {
        // A renewal that was cut off arrived all the same, after the lease was read.
        if (isConflict(error)) continue
        this.#logger.debug({ problem: String(error) }, 'lease not given up; it runs out by itself')
        return
      }
    }
  }

  async #giveUp(limits: { readonly timeout: Milliseconds }): Promise<void> {
    const { client, lease: name, identity } = this.#options
    const current = await client.get<Lease>(LEASES, name, limits)
    if (current.spec?.holderIdentity !== identity) return
    const now = microTime(this.#clock.now())
    const { holderIdentity: _, ...rest } = current.spec
    const spec = { ...rest, leaseDurationSeconds: 1, renewTime: now, acquireTime: now }
    this.#observe(await client.update<Lease>(LEASES, { ...current, spec }, limits))
  }
}

/** metav1.MicroTime: six digits of a second. */
const microTime = (at: Milliseconds): string => new Date(at).toISOString().replace(/Z$/, '000Z')
