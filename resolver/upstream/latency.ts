/**
 * How long a server takes to reply, as far as is known: a moving mean that fades with time, so that a server that
 * was slow is tried again, and the 95th percentile of the last replies.
 */
import type { Milliseconds } from '#lib/clock.ts'

/** Weight of one reply in the mean. */
const REPLY_WEIGHT = 0.1
/** What is known of a server that is not asked halves in this time. */
const HALF_LIFE: Milliseconds = 10_000
/** Questions without a reply that make a silence of what may be one slow name. */
const SILENCE = 3
/** Servers that are quicker than this are alike. */
const RESOLUTION: Milliseconds = 0.1
/** Replies that the percentile is of, how many it takes at least, and how many come between two reckonings. */
const SAMPLES = 128
const ENOUGH_SAMPLES = 20
const RECKON_EVERY = 16

export class Latency {
  readonly #samples = new Float64Array(SAMPLES)
  #count = 0
  #mean: Milliseconds = 0
  /** What the last question cost that got no reply, if none has come since. */
  #penalty: Milliseconds = 0
  /** When one of the two last changed. */
  #learned: Milliseconds = 0
  #percentile: Milliseconds | undefined
  /** Questions under way, and since when nothing has come although there are some. */
  #underWay = 0
  #silentSince: Milliseconds = 0

  /** `now`: on the clock's monotonic scale, as everywhere here. */
  sent(now: Milliseconds): void {
    if (this.#underWay++ === 0) this.#silentSince = now
  }

  replied(now: Milliseconds, duration: Milliseconds): void {
    this.#underWay--
    this.#silentSince = now
    const weight = this.#count === 0 ? 1 : REPLY_WEIGHT
    this.#mean = this.#fading(this.#mean, now) * (1 - weight) + duration * weight
    this.#penalty = 0
    this.#learned = now
    this.#samples[this.#count++ % SAMPLES] = duration
    if (this.#count >= ENOUGH_SAMPLES && this.#count % RECKON_EVERY === 0) this.#reckon()
  }

  failed(now: Milliseconds, duration: Milliseconds): void {
    this.#underWay--
    this.#mean = this.#fading(this.#mean, now)
    this.#penalty = duration
    this.#learned = now
  }

  /** The server is there after all: what was lost was one message. */
  forgive(): void {
    this.#penalty = 0
  }

  /** Neither a reply nor a failure of the server's. */
  abandoned(): void {
    this.#underWay--
  }

  get underWay(): number {
    return this.#underWay
  }

  /** Whether several questions are under way and nothing has come since `moment`. */
  isSilentSince(moment: Milliseconds): boolean {
    return this.#underWay >= SILENCE && this.#silentSince <= moment
  }

  /** Below 0.95 of all replies; undefined: too few have come. */
  get percentile95(): Milliseconds | undefined {
    return this.#percentile
  }

  /** What a reply is expected to take; 0: nothing is known. */
  mean(now: Milliseconds): Milliseconds {
    return this.#fading(this.#mean, now)
  }

  /**
   * What another question costs here, for comparing servers: the expected time, or for how long the server has been
   * silent although it was asked, times the questions that stand in line. A server that has died is last within the time
   * that the others take to reply.
   */
  cost(now: Milliseconds): number {
    const silence = this.#underWay > 0 ? now - this.#silentSince : 0
    const expected = this.#fading(Math.max(this.#mean, this.#penalty), now)
    const least = this.#count === 0 ? 0 : RESOLUTION
    return Math.max(expected, silence, least) * (1 + this.#underWay)
  }

  #fading(value: Milliseconds, now: Milliseconds): Milliseconds {
    return value * 0.5 ** ((now - this.#learned) / HALF_LIFE)
  }

  #reckon(): void {
    const sorted = this.#samples.slice(0, Math.min(this.#count, SAMPLES)).sort()
    this.#percentile = sorted[Math.floor(sorted.length * 0.95)]
  }
}
