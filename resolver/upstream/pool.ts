/**
 * Several upstreams as one: which is asked first (policy), which next when it fails, a second one beside the first when
 * that is late (hedge), and the same question under way only once. Promised: a reply or an ExchangeError within
 * `totalTimeout`; no server is sent one question more than three times (RFC 9520 §3.1).
 */
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import { rcodes } from '../wire/codes.ts'
import type { ResponseMessage } from '../wire/message.ts'
import { ExchangeError, isLocal } from './exchange-error.ts'
import { firstGood, HedgeBudget, hedgeDelay, unlessLate } from './hedge.ts'
import { type Outcome, promised } from './outcome.ts'
import type { UpstreamQuestion } from './question.ts'
import type { Channel } from './transport.ts'
import type { Upstream, UpstreamReply } from './upstream.ts'

export const policies = ['fastest', 'random', 'round_robin', 'sequential'] as const
export type Policy = (typeof policies)[number]

export interface PoolOptions {
  /** Asked anew for each question: a resolv.conf may change. */
  readonly upstreams: () => readonly Upstream[]
  /** Resolves when `upstreams` is known for the first time. */
  readonly known: () => Promise<void>
  readonly policy: Policy
  /** For one question, with all its attempts. */
  readonly totalTimeout: Milliseconds
  /** Attempts for one question; 0: twice as many as there are upstreams. */
  readonly maximumAttempts: number
  /** Whether to give up at once when all upstreams are down, instead of trying one now and then. */
  readonly failFast: boolean
  /** Rcodes after which the next upstream is asked. */
  readonly failover: ReadonlySet<number>
  readonly clock: Clock
  readonly random: Random
  readonly events: PoolEvents
}

export interface PoolEvents {
  readonly allDown: () => void
  /** A question joined an equal one that was under way. */
  readonly joined: () => void
  /** A second upstream was asked beside the first; whether it was the one that answered. */
  readonly hedged: (won: boolean) => void
}

/**
 * A question that others may join. Each table of a Map leads to the next one that it grew or shrank to, and so do those
 * that wait to be collected: where one has grown old, so do all that follow, with what they held. That must not be replies,
 * and a Map that is empty begins anew.
 */
interface UnderWay {
  /** Undefined: it has come, or failed. */
  reply: Promise<UpstreamReply> | undefined
}

/** One question on its way from upstream to upstream. */
interface Run {
  readonly question: UpstreamQuestion
  readonly channel: Channel
  readonly order: readonly Upstream[]
  readonly deadline: Milliseconds
  /** How often each was asked, by its place in the order. */
  readonly asked: number[]
  attempts: number
}

/** One that has not been answered for long, and who is asked beside. */
interface LateQuestion {
  readonly first: Promise<UpstreamReply>
  readonly asked: Upstream
  readonly sent: Milliseconds
  readonly second: Upstream
}

/** How often one upstream is asked one question, one time after the other. */
const ASKED_EACH = 2

export class UpstreamPool {
  readonly #options: PoolOptions
  readonly #hedges = new HedgeBudget()
  #underWay = new Map<string, UnderWay>()
  #turn = 0

  constructor(options: PoolOptions) {
    this.#options = options
  }

  ask(question: UpstreamQuestion, channel: Channel): Promise<UpstreamReply> {
    const key = keyOf(question, channel)
    const asked = this.#underWay.get(key)
    if (asked?.reply) {
      this.#options.events.joined()
      return asked.reply
    }
    const underWay: UnderWay = { reply: undefined }
    this.#underWay.set(key, underWay)
    return (underWay.reply = this.#ask(question, channel, key))
  }

  #ended(key: string): void {
    const underWay = this.#underWay.get(key)
    if (underWay) underWay.reply = undefined
    if (this.#underWay.size > 1) this.#underWay.delete(key)
    else this.#underWay = new Map()
  }

  #runOf(question: UpstreamQuestion, channel: Channel): Run {
    const { clock, totalTimeout, maximumAttempts } = this.#options
    const order = this.#order(question)
    const attempts = maximumAttempts || ASKED_EACH * order.length
    const deadline = clock.monotonic() + totalTimeout
    return { question, channel, order, deadline, asked: order.map(() => 0), attempts }
  }

  async #ask(question: UpstreamQuestion, channel: Channel, key: string): Promise<UpstreamReply> {
    const { clock, totalTimeout, failover, upstreams, known } = this.#options
    let reply: UpstreamReply | undefined
    let failure: ExchangeError | undefined
    try {
      if (upstreams().length === 0) await known()
      const run = this.#runOf(question, channel)
      while (run.attempts > 0 && clock.monotonic() < run.deadline) {
        const upstream = this.#choose(run)
        if (upstream instanceof ExchangeError) {
          failure ??= upstream
          break
        }
        try {
          reply = await this.#attempt(run, upstream)
          if (!failover.has(reply.response.rcode)) return reply
          // It would say the same again.
          run.asked[run.order.indexOf(reply.upstream)] = ASKED_EACH
        } catch (error) {
          if (!(error instanceof ExchangeError)) throw error
          failure = error
          // Nor has it a socket for the next attempt; another may have one that is free, or a connection.
          if (isLocal(error)) run.asked[run.order.indexOf(upstream)] = ASKED_EACH
        }
      }
    } finally {
      this.#ended(key)
    }
    if (reply) return reply
    throw failure ?? new ExchangeError('timeout', `no reply in ${totalTimeout} ms`)
  }

  /** Of those that are not down, the first that was asked least. */
  #choose({ order, asked }: Run): Upstream | ExchangeError {
    for (let times = 0; times < ASKED_EACH; times++)
      for (let index = 0; index < order.length; index++) {
        const upstream = order[index]!
        if (!upstream.health.isDown && asked[index]! <= times) return upstream
      }
    if (order.some(upstream => !upstream.health.isDown)) return new ExchangeError('none', 'all upstreams were asked')
    const { failFast, events, random } = this.#options
    events.allDown()
    const down = new ExchangeError('none', `all upstreams are down: ${order.map(({ label }) => label).join(', ')}`)
    if (failFast || asked.some(times => times > 0)) return down
    // Probes may be what fails, so one is tried all the same, but not for every question.
    const ready = order.filter(upstream => upstream.health.takeTrial())
    return ready[random.integer(Math.max(1, ready.length))] ?? down
  }

  #attempt(run: Run, upstream: Upstream): Promise<UpstreamReply> {
    const { policy, clock } = this.#options
    const sent = clock.monotonic()
    this.#count(run, upstream)
    const start = (outcome: Outcome<UpstreamReply>) => this.#send(run, upstream, outcome)
    const second = policy === 'fastest' ? this.#second(run, upstream) : undefined
    if (!second) return promised(start)
    this.#hedges.earn()
    const delay = hedgeDelay(upstream.latency, second === upstream ? 'same' : 'another')
    const whenLate = (first: Promise<UpstreamReply>) => this.#hedge(run, { first, asked: upstream, sent, second })
    return unlessLate(start, { delay, clock, whenLate })
  }

  async #hedge(run: Run, { first, asked, sent, second }: LateQuestion): Promise<UpstreamReply> {
    const { events } = this.#options
    if (run.attempts === 0) return first
    // A server that has fallen silent is looked at before the questions to it are given up; what waits there goes
    // elsewhere whatever the budget says, since no more is sent there.
    const isSilent = asked.latency.isSilentSince(sent)
    if (isSilent) asked.health.failed()
    else if (!this.#hedges.take()) return first
    this.#count(run, second)
    const other = promised<UpstreamReply>(outcome => this.#send(run, second, outcome))
    const contest = [first.then(reply => ({ reply, won: false })), other.then(reply => ({ reply, won: true }))]
    const { reply, won } = await firstGood(contest, ({ reply: { response } }) => !isFailure(response))
    events.hedged(won)
    return reply
  }

  /** Whom to ask beside `first`: the next that is not down; alone, over UDP, the same again, for a lost datagram. */
  #second({ order, asked, channel }: Run, first: Upstream): Upstream | undefined {
    if (order.length === 1) {
      const isDatagram = first.target.protocol === 'dns' && channel === 'udp'
      return isDatagram && asked[0]! < ASKED_EACH ? first : undefined
    }
    return order.find((upstream, index) => upstream !== first && !upstream.health.isDown && asked[index]! < ASKED_EACH)
  }

  #count(run: Run, upstream: Upstream): void {
    run.attempts--
    run.asked[run.order.indexOf(upstream)]!++
  }

  #send(run: Run, upstream: Upstream, outcome: Outcome<UpstreamReply>): void {
    upstream.ask(run.question, run.channel, run.deadline - this.#options.clock.monotonic(), outcome)
  }

  #order(question: UpstreamQuestion): readonly Upstream[] {
    const known = this.#options.upstreams()
    const all = question.siteOnly ? known.filter(upstream => upstream.isOnSite) : known
    if (all.length === 0) throw new ExchangeError('none', 'no address of an upstream is known')
    const asked = all.some(upstream => upstream.isExcluded) ? all.filter(upstream => !upstream.isExcluded) : all
    if (asked.length === 0) throw new ExchangeError('none', `loop: ${labels(all)} leads back to this server`)
    if (asked.length === 1) return asked
    const order = this.#byPolicy(asked)
    const failing = order.filter(upstream => upstream.failingZones.has(question.name))
    return failing.length === 0 ? order : [...order.filter(upstream => !failing.includes(upstream)), ...failing]
  }

  #byPolicy(all: readonly Upstream[]): readonly Upstream[] {
    const { policy, random, clock } = this.#options
    switch (policy) {
      case 'sequential':
        return all
      case 'round_robin': {
        const start = this.#turn++ % all.length
        return [...all.slice(start), ...all.slice(0, start)]
      }
      case 'random':
        return shuffled(all, random)
      case 'fastest': {
        const now = clock.monotonic()
        const costs = new Map(all.map(upstream => [upstream, upstream.latency.cost(now)]))
        return shuffled(all, random).sort((left, right) => costs.get(left)! - costs.get(right)!)
      }
    }
  }
}

/** Another upstream may know better. */
const isFailure = ({ rcode }: ResponseMessage): boolean => rcode === rcodes.SERVFAIL || rcode === rcodes.REFUSED

const labels = (upstreams: readonly Upstream[]): string => upstreams.map(({ label }) => label).join(', ')

const shuffled = (all: readonly Upstream[], random: Random): Upstream[] => {
  const order = [...all]
  for (let index = order.length - 1; index > 0; index--) {
    const other = Math.floor(random.unit() * (index + 1))
    const moved = order[index]!
    order[index] = order[other]!
    order[other] = moved
  }
  return order
}

const keyOf = (question: UpstreamQuestion, channel: Channel): string => {
  const { name, type, recursionDesired, checkingDisabled, authenticData, dnssecOk, siteOnly = false } = question
  const options = question.options?.map(({ code, data }) => `${code}=${data.toString('hex')}`).join() ?? ''
  let bits = recursionDesired ? 1 : 0
  if (checkingDisabled) bits |= 2
  if (authenticData) bits |= 4
  if (dnssecOk) bits |= 8
  if (siteOnly) bits |= 16
  return `${type} ${bits} ${channel} ${options} ${name}`
}
