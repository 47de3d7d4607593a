/**
 * Replies that were given again without asking the resolver still are replies: who counts them is told how many there
 * were of a kind. A kind is what counters tell apart: block, protocol, family, type, rcode, plugin, sizes.
 */
import { isIPv6 } from 'node:net'
import type { Milliseconds } from '#lib/clock.ts'
import type { HitListener } from './memo.ts'
import type { Plugin, Reply, ReplyObserver } from './plugin.ts'
import type { Endpoint, Query } from './query.ts'
import { decodeQuery } from './wire/message.ts'

interface HitAudience {
  readonly reporters: readonly Plugin[]
  readonly observer: ReplyObserver | undefined
}

/** One kind. */
export class HitCounter implements HitListener {
  readonly #query: Query
  readonly #reply: Reply
  readonly #told: HitAudience

  constructor(query: Query, reply: Reply, told: HitAudience) {
    this.#query = query
    this.#reply = reply
    this.#told = told
  }

  add(hits: number, duration: Milliseconds): void {
    const reply = { ...this.#reply, duration }
    for (const plugin of this.#told.reporters) plugin.reportHits?.(this.#query, reply, hits)
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

  of(query: Query, reply: Reply, told: HitAudience): HitCounter {
    const { question, client, transport, server, edns, packet } = query
    const family = isIPv6(client.address) ? 6 : 4
    const kind = [
      ...[server, transport, family, question.type, edns?.dnssecOk === true],
      ...[reply.answer?.rcode, reply.by, packet.length, reply.packet?.length],
    ].join()
    let counter = this.#kinds.get(kind)
    if (!counter) this.#kinds.set(kind, (counter = new HitCounter(query, reply, told)))
    return counter
  }
}
