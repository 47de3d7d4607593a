/**
 * Whether a server is there. It is probed only after it has failed a question, at growing intervals with jitter, so that
 * the replicas of a cluster's DNS do not probe in step; any reply, to a probe or a question, ends that.
 */
import { Backoff } from '#lib/backoff.ts'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import type { DnsName } from '../wire/record.ts'
import { isLocal } from './exchange-error.ts'

export interface HealthOptions {
  /** Between probes of a server that failed, at first. */
  readonly interval: Milliseconds
  /** Probes without a reply, in a row, after which a server is down; 0: never, and no probes. */
  readonly maximumFailures: number
  readonly recursionDesired: boolean
  readonly domain: DnsName
}

export interface HealthCheck extends HealthOptions {
  readonly clock: Clock
  readonly random: Random
  /** Resolves with any reply at all, rejects without. */
  readonly probe: () => Promise<void>
  readonly onProbeFailed: () => void
  /** The server went down, or came back. */
  readonly onChange: (isDown: boolean) => void
}

/** The longest time between probes: how late a server that is back may be found to be, while others serve. */
const LONGEST_INTERVAL: Milliseconds = 10_000

export class Health {
  readonly #check: HealthCheck
  readonly #backoff: Backoff
  #failures = 0
  #probe: Timer | undefined
  #probing = false
  #closed = false
  #nextTrial = Number.NEGATIVE_INFINITY

  constructor(check: HealthCheck) {
    this.#check = check
    const { interval, random } = check
    this.#backoff = new Backoff({ initial: interval, maximum: Math.max(interval, LONGEST_INTERVAL), random })
  }

  get isDown(): boolean {
    const { maximumFailures } = this.#check
    return maximumFailures > 0 && this.#failures >= maximumFailures
  }

  /** A question got no reply. */
  failed(): void {
    if (this.#check.maximumFailures > 0 && !this.#probing && !this.#probe) this.#probeIn(0)
  }

  /** Something came. */
  answered(): void {
    const wasDown = this.isDown
    this.#failures = 0
    this.#backoff.reset()
    if (wasDown) this.#check.onChange(false)
  }

  /**
   * Whether a question may go to the server although it is down: one an interval, since it may be the probes that fail.
   * Taken by asking.
   */
  takeTrial(): boolean {
    const now = this.#check.clock.monotonic()
    if (now < this.#nextTrial) return false
    this.#nextTrial = now + this.#check.interval
    return true
  }

  close(): void {
    this.#closed = true
    this.#probe?.cancel()
  }

  #probeIn(delay: Milliseconds): void {
    if (this.#closed) return
    this.#probe = this.#check.clock.after(delay, () => {
      this.#probe = undefined
      void this.#probeOnce()
    })
  }

  #missed(): void {
    const wasDown = this.isDown
    this.#failures++
    this.#check.onProbeFailed()
    if (this.isDown && !wasDown) this.#check.onChange(true)
  }

  async #probeOnce(): Promise<void> {
    this.#probing = true
    try {
      await this.#check.probe()
      this.answered()
    } catch (error) {
      // A limit of this machine tells nothing about the server.
      if (!isLocal(error)) this.#missed()
      this.#probeIn(this.#backoff.next())
    } finally {
      this.#probing = false
    }
  }
}
