/**
 * Several upstreams as one: which is asked first (policy), which next when it fails, and the same question under way
 * only once. Promised: a reply or an ExchangeError within `totalTimeout`.
 */
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import type { ResponseMessage } from '../wire/message.ts'
import { ExchangeError } from './exchange-error.ts'
import type { UpstreamQuestion } from './question.ts'
import type { Channel, Upstream } from './upstream.ts'

export const policies = ['random', 'round_robin', 'sequential'] as const
export type Policy = (typeof policies)[number]

export interface PoolOptions {
  /** Asked anew for each question: a resolv.conf may change. */
  readonly upstreams: () => readonly Upstream[]
  readonly policy: Policy
  /** For one question, with all its attempts. */
  readonly totalTimeout: Milliseconds
  /** Attempts for one question; 0: twice as many as there are upstreams. */
  readonly maximumAttempts: number
  /** Whether to give up at once when all upstreams are down, instead of trying one at random. */
  readonly failFast: boolean
  /** Rcodes after which the next upstream is asked. */
  readonly failover: ReadonlySet<number>
  readonly clock: Clock
  readonly random: Random
  /** All were down. */
  readonly onAllDown: () => void
}

export interface PoolReply {
  readonly response: ResponseMessage
  /** The label of the upstream that answered. */
  readonly upstream: string
}

export class UpstreamPool {
  readonly #options: PoolOptions
  readonly #underWay = new Map<string, Promise<PoolReply>>()
  #turn = 0

  constructor(options: PoolOptions) {
    this.#options = options
  }

  ask(question: UpstreamQuestion, channel: Channel): Promise<PoolReply> {
    const key = keyOf(question, channel)
    const asked = this.#underWay.get(key)
    if (asked) return asked
    const reply = this.#ask(question, channel).finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, reply)
    return reply
  }

  async #ask(question: UpstreamQuestion, channel: Channel): Promise<PoolReply> {
    const { clock, totalTimeout, maximumAttempts, failover } = this.#options
    const order = this.#order()
    const deadline = clock.monotonic() + totalTimeout
    const attempts = maximumAttempts || 2 * order.length
    let last: PoolReply | undefined
    let failure = new ExchangeError('unreachable', 'no upstream is configured')
    for (let attempt = 0; attempt < attempts && clock.monotonic() < deadline; attempt++) {
      const upstream = this.#choose(order, attempt)
      try {
        const response = await upstream.ask(question, channel, deadline - clock.monotonic())
        last = { response, upstream: upstream.label }
        // Each upstream is asked once: it would say the same again.
        if (!failover.has(response.rcode) || attempt + 1 >= order.length) return last
      } catch (error) {
        if (!(error instanceof ExchangeError)) throw error
        failure = error
      }
    }
    if (last) return last
    throw failure
  }

  /** The upstream whose turn it is, or the next after it that is not down. */
  #choose(order: readonly Upstream[], attempt: number): Upstream {
    for (let step = 0; step < order.length; step++) {
      const upstream = order[(attempt + step) % order.length]!
      if (!upstream.isDown) return upstream
    }
    // All down: probes may be what fails, so one is tried all the same.
    const { failFast, onAllDown, random } = this.#options
    onAllDown()
    if (failFast) throw new ExchangeError('unreachable', 'all upstreams are down')
    return order[random.integer(order.length)]!
  }

  #order(): readonly Upstream[] {
    const { policy, random, upstreams } = this.#options
    const all = upstreams()
    if (all.length < 2 || policy === 'sequential') return all
    if (policy === 'round_robin') {
      const start = this.#turn++ % all.length
      return [...all.slice(start), ...all.slice(0, start)]
    }
    const order = [...all]
    for (let index = order.length - 1; index > 0; index--) {
      const other = Math.floor(random.unit() * (index + 1))
      const moved = order[index]!
      order[index] = order[other]!
      order[other] = moved
    }
    return order
  }
}

const keyOf = (question: UpstreamQuestion, channel: Channel): string => {
  const { name, type, recursionDesired, checkingDisabled, authenticData, dnssecOk } = question
  const bits =
    Number(recursionDesired) + 2 * Number(checkingDisabled) + 4 * Number(authenticData) + 8 * Number(dnssecOk)
  return `${type} ${bits} ${channel} ${name}`
}
