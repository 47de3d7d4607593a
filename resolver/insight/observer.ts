/**
 * Who asks what, and what failed lately: told of replies, read by the pages. Of those from the memo, and where more than
 * a thousand come a second, who asks and for what is a sample, that stands for all. Bounded memory, whatever clients send;
 * who a client is (pod, namespace) is looked up by those who read, not here.
 */
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { CounterSeries, Registry } from '#lib/metrics.ts'
import { type MetricTable, registerMetrics } from '../metrics.ts'
import type { Reply, ReplyObserver } from '../plugin.ts'
import type { Query } from '../query.ts'
import { rcodes } from '../wire/codes.ts'
import type { ExtendedError } from '../wire/edns.ts'
import type { DnsName } from '../wire/record.ts'
import { HeavyHitters, type Hitter } from './heavy-hitters.ts'
import { Ring } from './ring.ts'
import { Sampler } from './sampler.ts'

export const observerMetrics = {
  wasted: {
    kind: 'counter',
    name: 'seamark_dns_wasted_requests_total',
    help: 'Queries that found nothing: `search`, no such name in a zone of our own (mostly candidates of search lists); `nodata`, no record of the type (mostly AAAA where there is IPv4 only).',
    labels: ['reason'],
  },
} as const satisfies MetricTable

export interface ClientHitter extends Hitter {
  /** Of `count`: found nothing (no such name, no record of the type). Counted since the entry was made. */
  wasted: number
  /** Of `count`: neither an answer nor "there is none". */
  failed: number
}

/** A reply that somebody may ask about. */
export interface Incident {
  /** Since the Unix epoch. */
  readonly time: Milliseconds
  readonly client: string
  readonly server: string
  readonly name: DnsName
  readonly type: number
  /** Undefined: silence. */
  readonly rcode: number | undefined
  /** The plugin that answered; `''`: none. */
  readonly by: string
  readonly causes: readonly ExtendedError[]
  readonly duration: Milliseconds
}

/** Heavy hitters that are certain to be seen: all above a thousandth of the queries. */
const TOP_CAPACITY = 1000
/** Some hours of a healthy cluster, some seconds of a broken one. */
const RING_SIZE = 512

/** Of an answer's bits: whether there was nothing to be had. */
const isEmpty = ({ answer }: Reply): boolean =>
  answer !== undefined &&
  (answer.rcode === rcodes.NXDOMAIN || (answer.rcode === rcodes.NOERROR && answer.answers.length === 0))

export class Observer implements ReplyObserver {
  readonly clients = new HeavyHitters<ClientHitter>(TOP_CAPACITY, hitter => ({ ...hitter, wasted: 0, failed: 0 }))
  /** By rcode (`''`: silence), type and name, with spaces between: `3 28 www.example.org.`. */
  readonly names = new HeavyHitters<Hitter>(TOP_CAPACITY, hitter => hitter)
  /** Queries by rcode; undefined: silence. */
  readonly rcodes = new Map<number | undefined, number>()
  /** Neither an answer nor "there is none". */
  readonly failures = new Ring<Incident>(RING_SIZE)
  /** "There is none" for a cause that was told (RFC 8914). */
  readonly negatives = new Ring<Incident>(RING_SIZE)
  readonly #clock: Clock
  readonly #sampler = new Sampler()
  readonly #search: CounterSeries
  readonly #nodata: CounterSeries

  constructor(clock: Clock, registry: Registry) {
    this.#clock = clock
    const { wasted } = registerMetrics(registry, observerMetrics)
    this.#search = wasted.child({ reason: 'search' })
    this.#nodata = wasted.child({ reason: 'nodata' })
  }

  observe(query: Query, reply: Reply): void {
    this.#count(reply, 1)
    // Each new name is held for a while, which costs more than all else here.
    const weight = this.#sampler.weight(query.received)
    if (weight > 0) this.#rank(query, reply, weight)
    this.#note(query, reply)
  }

  observeSample(query: Query, reply: Reply, weight: number): void {
    this.#rank(query, reply, weight)
    this.#note(query, reply)
  }

  #rank({ question, client }: Query, reply: Reply, weight: number): void {
    const rcode = reply.answer?.rcode
    const hitter = this.clients.count(client.address, weight)
    this.names.count(`${rcode ?? ''} ${question.type} ${question.canonicalName}`, weight)
    if (isEmpty(reply)) hitter.wasted += weight
    else if (rcode !== rcodes.NOERROR) hitter.failed += weight
  }

  #note(query: Query, reply: Reply): void {
    if (isEmpty(reply)) {
      if (reply.answer?.extendedErrors) this.negatives.add(this.#incident(query, reply))
    } else if (reply.answer?.rcode !== rcodes.NOERROR) this.failures.add(this.#incident(query, reply))
  }

  observeHits(_query: Query, reply: Reply, hits: number): void {
    this.#count(reply, hits)
  }

  #count(reply: Reply, times: number): void {
    const rcode = reply.answer?.rcode
    this.rcodes.set(rcode, (this.rcodes.get(rcode) ?? 0) + times)
    if (!isEmpty(reply)) return
    if (rcode === rcodes.NOERROR) this.#nodata.inc(times)
    else if (reply.answer?.authoritative) this.#search.inc(times)
  }

  #incident({ client, server, question }: Query, { answer, by, duration }: Reply): Incident {
    return {
      time: this.#clock.now(),
      client: client.address,
      server,
      name: question.name,
      type: question.type,
      rcode: answer?.rcode,
      by,
      causes: answer?.extendedErrors ?? [],
      duration,
    }
  }
}
