/**
 * Replies that were given again without asking the resolver still are replies: who counts them is told how many there
 * were of a kind. A kind is what counters tell apart: zone of the block, protocol, family, type, rcode, plugin, sizes, and
 * what a plugin has a counter of its own for.
 */
import type { Milliseconds } from '#lib/clock.ts'
import type { HitListener } from './memo.ts'
import type { HitCount } from './memo-terms.ts'
import type { Plugin, Reply, ReplyObserver } from './plugin.ts'
import type { Endpoint, Query } from './query.ts'
import { decodeQuery } from './wire/message.ts'
import { isSubdomain } from './wire/name.ts'
import type { DnsName, ResourceRecord } from './wire/record.ts'

interface HitAudience {
  /** The block's. */
  readonly zones: readonly DnsName[]
  readonly reporters: readonly Plugin[]
  readonly observer: ReplyObserver | undefined
  /** Of this reply alone (resolver/memo.ts). */
  readonly counted: readonly HitCount[]
}

/** More are not held: kinds that clients have made up must not fill the memory. Those that come again are new ones. */
const MAX_KINDS = 4096

/**
 * What is held for long must not hold the memory that it came in: packets are views of all that was received with them,
 * and what is made is a view of Node's pool, 64 KiB.
 */
const copyOf = (bytes: Buffer): Buffer => {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}

const ownQuery = (query: Query): Query => {
  const { transport, client, local, server, received } = query
  const packet = copyOf(query.packet)
  const decoded = decodeQuery(packet, { transport, client, local, server }, received)
  return { ...query, packet, edns: decoded.verdict === 'query' ? decoded.query.edns : undefined }
}

/** Nobody who counts looks into records. */
const ownReply = ({ answer, packet, ...rest }: Reply): Reply => ({
  ...rest,
  answer: answer && {
    ...answer,
    ...{
      answers: answer.answers.map(bare),
      authority: answer.authority.map(bare),
      additional: answer.additional.map(bare),
    },
  },
  packet: packet && copyOf(packet),
})

const NO_DATA = Buffer.alloc(0)

const bare = (record: ResourceRecord): ResourceRecord => ({ ...record, data: NO_DATA })

/** One kind. */
class HitCounter implements HitListener {
  readonly #query: Query
  readonly #reply: Reply
  readonly #told: HitAudience

  constructor(query: Query, reply: Reply, told: HitAudience) {
    this.#query = ownQuery(query)
    this.#reply = ownReply(reply)
    this.#told = told
  }

  add(hits: number, duration: Milliseconds): void {
    const reply = { ...this.#reply, duration }
    for (const plugin of this.#told.reporters) plugin.reportHits?.(this.#query, reply, hits)
    for (const listener of this.#told.counted) listener.add(hits, duration)
    this.#told.observer?.observeHits(this.#query, reply, hits)
  }

  sample(question: Buffer, client: Endpoint, weight: number): void {
    const { transport, local, server, received } = this.#query
    const decoded = decodeQuery(question, { transport, client, local, server }, received)
    if (decoded.verdict === 'query') this.#told.observer?.observeSample(decoded.query, this.#reply, weight)
  }
}

/** The kinds of a block. */
export class HitCounters {
  readonly #kinds = new Map<string, HitCounter>()
  readonly #numbers = new WeakMap<HitCount, number>()
  #listeners = 0

  of(query: Query, reply: Reply, told: HitAudience): HitCounter {
    const { question, client, transport, server, edns, packet } = query
    const { answer } = reply
    const family = client.address.includes(':') ? 6 : 4
    const kind = [
      ...[
        server,
        transport,
        family,
        question.type,
        edns?.dnssecOk === true,
        zoneOf(question.canonicalName, told.zones),
      ],
      ...[answer?.rcode, answer?.authoritative, answer?.answers.length === 0, reply.by],
      ...[packet.length, reply.packet?.length, ...told.counted.map(listener => this.#numberOf(listener))],
    ].join()
    const known = this.#kinds.get(kind)
    if (known) return known
    if (this.#kinds.size >= MAX_KINDS) this.#kinds.clear()
    const counter = new HitCounter(query, reply, told)
    this.#kinds.set(kind, counter)
    return counter
  }

  #numberOf(listener: HitCount): number {
    const known = this.#numbers.get(listener) ?? this.#listeners++
    this.#numbers.set(listener, known)
    return known
  }
}

/** The longest of the zones that the name lies in. */
const zoneOf = (name: DnsName, zones: readonly DnsName[]): DnsName =>
  zones.reduce((longest, zone) => (zone.length > longest.length && isSubdomain(name, zone) ? zone : longest), '')
