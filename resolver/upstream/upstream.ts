/**
 * Another server that questions are sent to, with what is known of it: whether it is there (health), how quick it is
 * (latency), where it fails (zones), whether it leads back to this server (`exclude`).
 */
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { HistogramSeries } from '#lib/metrics.ts'
import type { Random } from '#lib/random.ts'
import type { Metrics } from '../metrics.ts'
import { rcodeName, rcodes, recordTypes } from '../wire/codes.ts'
import type { ResponseMessage } from '../wire/message.ts'
import type { DnsName } from '../wire/record.ts'
import type { Datagrams } from './datagrams.ts'
import { ExchangeError, isLocal } from './exchange-error.ts'
import type { ExchangeTap } from './exchange-tap.ts'
import { FailingZones } from './failing-zones.ts'
import { Health, type HealthOptions } from './health.ts'
import { Latency } from './latency.ts'
import { type Outcome, promised } from './outcome.ts'
import type { proxyMetrics } from './proxy-metrics.ts'
import type { UpstreamQuestion } from './question.ts'
import { isOnSite } from './special-names.ts'
import { targetLabel, type UpstreamProtocol, type UpstreamTarget } from './target.ts'
import { type Channel, Transport, type TransportSettings } from './transport.ts'

export interface UpstreamReply {
  readonly response: ResponseMessage
  readonly upstream: Upstream
}

export interface UpstreamOptions extends TransportSettings {
  readonly target: UpstreamTarget
  readonly clock: Clock
  readonly random: Random
  /** UDP by the system's own calls; absent: by node:dgram. */
  readonly datagrams?: Datagrams | undefined
  readonly metrics: Metrics<typeof proxyMetrics>
  readonly readTimeout: Milliseconds
  readonly health: HealthOptions
  /** How probes go out: as questions do. */
  readonly probeChannel: Channel
  /** Told of every message and what came back, probes included. */
  readonly tap: ExchangeTap
}

/** A server that is down is probed at this timeout, not the (longer) one of questions. */
const PROBE_TIMEOUT: Milliseconds = 1000

/** The `proxy_name` label. */
const PROXY_NAME = 'forward'

const protocolLabels: Readonly<Record<UpstreamProtocol, string>> = { dns: 'tcp', tls: 'tcp-tls', https: 'https' }

export class Upstream {
  /** `192.0.2.1:53`. */
  readonly label: string
  readonly target: UpstreamTarget
  /** Whether its address is nobody's on the Internet. */
  readonly isOnSite: boolean
  readonly health: Health
  readonly latency = new Latency()
  readonly failingZones: FailingZones
  readonly #options: UpstreamOptions
  readonly #transport: Transport
  /** Of replies, by rcode. */
  readonly #durations = new Map<number, HistogramSeries>()
  #excluded = false
  #queries = 0
  #errors = 0

  constructor(options: UpstreamOptions) {
    this.#options = options
    const { target, clock, random, metrics, health } = options
    this.target = target
    this.isOnSite = isOnSite(target.address)
    this.label = targetLabel(target)
    this.failingZones = new FailingZones(clock)
    const proto = protocolLabels[target.protocol]
    const proxy = { proxy_name: PROXY_NAME, to: this.label }
    this.#transport = new Transport({
      ...options,
      onReuse: reused => (reused ? metrics.connectionHits : metrics.connectionMisses).inc({ ...proxy, proto }),
    })
    this.health = new Health({
      ...health,
      clock,
      random,
      probe: async () => {
        await this.probe(health.domain, recordTypes.NS)
        this.latency.forgive()
      },
      onProbeFailed: () => metrics.healthcheckFailures.inc(proxy),
      onChange: isDown => metrics.down.set({ to: this.label }, Number(isDown)),
    })
  }

  /** Questions that were sent to it, and how many of them got no usable reply; since it is known. */
  get counters(): { readonly queries: number; readonly errors: number } {
    return { queries: this.#queries, errors: this.#errors }
  }

  /** Whether it leads back to this server: it is asked nothing. */
  get isExcluded(): boolean {
    return this.#excluded
  }

  exclude(excluded: boolean): void {
    this.#excluded = excluded
  }

  /** `outcome`: the reply, or an ExchangeError, after which the server is probed until it answers. */
  ask(question: UpstreamQuestion, channel: Channel, timeout: Milliseconds, outcome: Outcome<UpstreamReply>): void {
    const { clock, readTimeout } = this.#options
    const start = clock.monotonic()
    this.#queries++
    this.latency.sent(start)
    const asked = new Asked(this.#books, question, start, outcome)
    try {
      this.#transport.ask(question, channel, Math.min(timeout, readTimeout), asked)
    } catch (bug) {
      asked.failed(bug)
    }
  }

  /** What is known of it grows with what becomes of each question. */
  readonly #books: Books = {
    replied: (response, question, start) => {
      this.#answered(response, question, start)
      return { response, upstream: this }
    },
    failed: (error, question, start) => this.#failed(error, question, start),
  }

  #answered({ rcode }: ResponseMessage, question: UpstreamQuestion, start: Milliseconds): void {
    const now = this.#options.clock.monotonic()
    this.#durationOf(rcode).observe((now - start) / 1000)
    this.latency.replied(now, now - start)
    this.health.answered()
    if (rcode === rcodes.SERVFAIL) this.failingZones.failed(question.name)
    else this.failingZones.answered(question.name)
  }

  /** Held, so that no reply looks labels up. */
  #durationOf(rcode: number): HistogramSeries {
    const known = this.#durations.get(rcode)
    if (known) return known
    const labels = { proxy_name: PROXY_NAME, to: this.label, rcode: rcodeName(rcode) }
    const series = this.#options.metrics.requestDuration.child(labels)
    this.#durations.set(rcode, series)
    return series
  }

  /** Asks outside of all bookkeeping. The RCODE of any reply at all. */
  async probe(name: DnsName, type: number): Promise<number> {
    const { recursionDesired } = this.#options.health
    const bits = { checkingDisabled: false, authenticData: false, dnssecOk: false }
    const question = { name, type, recursionDesired, ...bits }
    const { rcode } = await promised<ResponseMessage>(outcome =>
      this.#transport.ask(question, this.#options.probeChannel, PROBE_TIMEOUT, outcome),
    )
    return rcode
  }

  close(): void {
    this.health.close()
    this.#transport.close()
    this.#options.metrics.down.remove({ to: this.label })
  }

  #failed(error: unknown, question: UpstreamQuestion, start: Milliseconds): void {
    const { clock, metrics } = this.#options
    // A limit of this machine tells nothing about the server.
    if (!(error instanceof ExchangeError) || isLocal(error)) {
      this.latency.abandoned()
      if (error instanceof ExchangeError) metrics.localErrors.inc()
      return
    }
    this.#errors++
    const now = clock.monotonic()
    // A refusal comes quickly, and is no quick reply for it.
    this.latency.failed(now, Math.max(now - start, this.#options.readTimeout))
    this.failingZones.failed(question.name)
    this.health.failed()
  }
}

interface Books {
  readonly replied: (response: ResponseMessage, question: UpstreamQuestion, start: Milliseconds) => UpstreamReply
  readonly failed: (error: unknown, question: UpstreamQuestion, start: Milliseconds) => void
}

/** A question that is under way. */
class Asked implements Outcome<ResponseMessage> {
  readonly #books: Books
  readonly #question: UpstreamQuestion
  readonly #start: Milliseconds
  readonly #outcome: Outcome<UpstreamReply>

  constructor(books: Books, question: UpstreamQuestion, start: Milliseconds, outcome: Outcome<UpstreamReply>) {
    this.#books = books
    this.#question = question
    this.#start = start
    this.#outcome = outcome
  }

  replied(response: ResponseMessage): void {
    this.#outcome.replied(this.#books.replied(response, this.#question, this.#start))
  }

  failed(error: unknown): void {
    this.#books.failed(error, this.#question, this.#start)
    this.#outcome.failed(error)
  }
}
