/**
 * Token buckets by key (a client, a namespace), for as many keys as there is room: a bucket that has to go is full when
 * its key comes again.
 */
import { LRUCache } from 'lru-cache'
import type { Milliseconds } from '#lib/clock.ts'

export interface Rate {
  /** A second. */
  readonly tokens: number
  /** The most that are saved up. */
  readonly burst: number
}

/**
 * One bucket of a key, as the time at which it is full again (GCRA, ITU-T I.371): one number instead of a level and the
 * time of that level.
 */
interface Account {
  readonly fullAt: number[]
  /** How often a budget was overdrawn. */
  overdrafts: number
}

/** What sums of fractions may be off by. */
const TOLERANCE: Milliseconds = 0.001

export class Budgets {
  readonly #rates: readonly Rate[]
  readonly #accounts: LRUCache<string, Account>

  /** One bucket a key for each of `rates`. */
  constructor(rates: readonly Rate[], maximum: number) {
    this.#rates = rates
    this.#accounts = new LRUCache({ max: maximum })
  }

  /** Keys that have buckets. */
  get size(): number {
    return this.#accounts.size
  }

  /**
   * Takes a token of the budget `index` of `key`. 0: there was one; else how often the key has asked for one in vain, all
   * its budgets together. `now`: on a monotonic scale.
   */
  overdraft(key: string, index: number, now: Milliseconds): number {
    const { tokens, burst } = this.#rates[index]!
    const account = this.#account(key)
    const full = Math.max(account.fullAt[index]!, now) + 1000 / tokens
    if (full - now > (burst * 1000) / tokens + TOLERANCE) return ++account.overdrafts
    account.fullAt[index] = full
    return 0
  }

  #account(key: string): Account {
    const known = this.#accounts.get(key)
    if (known) return known
    const account = { fullAt: this.#rates.map(() => Number.NEGATIVE_INFINITY), overdrafts: 0 }
    this.#accounts.set(key, account)
    return account
  }
}
