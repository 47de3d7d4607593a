/**
 * The readable path of a query, and the specification of what a faster one may do:
 *
 *   bytes → decode (header gate first) → the server block → its plugins, in order → bytes → report
 *
 * Promised: a reply for everything that may be answered, whatever a plugin does: a throw becomes SERVFAIL, is counted
 * and logged. Answers that need no waiting come back without a promise.
 */
import assert from 'node:assert'
import type { ChangeBoard } from '#lib/change-board.ts'
import type { Clock } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import type { Counter } from '#lib/metrics.ts'
import { type Chain, runIn } from './chain.ts'
import type { RequestContext, Responder } from './listener.ts'
import { memoOf } from './memo.ts'
import type { Next } from './next.ts'
import type { Plugin, Reply, ReplyObserver } from './plugin.ts'
import type { Query } from './query.ts'
import { findChain, hasZoneBelow, isAlone, isServed, type Routes } from './routes.ts'
import { Trace } from './trace.ts'
import type { UnroutedMessages } from './unrouted.ts'
import { type Answer, answered, emptyAnswer, type Verdict } from './verdict.ts'
import { classes, ednsOptionCodes, extendedErrorCodes, rcodes, recordTypes } from './wire/codes.ts'
import type { ServerCookies } from './wire/cookie.ts'
import { type CookieRequest, cookieReply, readCookieRequest } from './wire/cookie-request.ts'
import { type EdnsOption, encodeKeepalive, findOption, OWN_UDP_SIZE } from './wire/edns.ts'
import { type EncodeOptions, encodeAnswer, encodeTransfer } from './wire/encode.ts'
import { failureReply } from './wire/header.ts'
import { decodeQuery } from './wire/message.ts'
import { parentName } from './wire/name.ts'
import { notifyReply, readNotify } from './wire/notify.ts'
import type { DnsName } from './wire/record.ts'
import { clientBytes } from './zone/address.ts'

export interface ResolverOptions {
  readonly routes: Routes
  readonly clock: Clock
  readonly board: ChangeBoard
  readonly logger: Logger
  readonly panics: Counter
  readonly cookies: ServerCookies
  readonly unrouted: UnroutedMessages
  /** Told of replies to questions that no server block is for. */
  readonly unroutedReporters: readonly Plugin[]
  /** Told of every reply, whatever the server block. Must not throw or wait. */
  readonly observer?: ReplyObserver
}

export class Resolver {
  readonly #options: ResolverOptions

  constructor(options: ResolverOptions) {
    this.#options = options
  }

  /** Bytes in, bytes out; the door for the server. */
  readonly respond: Responder = (packet, context) => {
    try {
      return this.#respond(packet, context)
    } catch (error) {
      this.#panicked(error, { client: context.client.address })
      return failureReply(packet)
    }
  }

  /** Asks the whole chain of the block that the question belongs to, as if a client had asked. */
  readonly ask: Next = query => {
    const chain = this.#chainOf(query)
    return chain ? runIn(chain, query) : this.#unserved(query)
  }

  #unserved(query: Query): Verdict {
    return isServed(this.#options.routes, query) ? noView : noServerBlock
  }

  #respond(packet: Buffer, context: RequestContext): MaybePromise<Buffer | undefined> {
    const { clock, unrouted } = this.#options
    const { server } = context
    const notify = readNotify(packet)
    const rcode = notify && this.#notified(notify.zone, context)
    if (notify && rcode !== undefined) {
      unrouted.count(server, 'notify', rcode)
      return notifyReply(packet, notify, rcode)
    }
    const asked = readCookieRequest(packet)
    if (asked) return this.#cookieReply(packet, asked, context)
    const now = clock.monotonic()
    const decoded = decodeQuery(packet, context, now)
    if (decoded.verdict !== 'query') {
      const isTold = decoded.verdict === 'refused' && unrouted.mayBeRefused(context.transport, now)
      const refusal = isTold ? decoded : undefined
      unrouted.count(server, 'other', refusal?.rcode)
      return refusal?.reply
    }
    const chain = this.#chainOf(decoded.query)
    const query = chain?.traced ? { ...decoded.query, trace: new Trace(clock) } : decoded.query
    const verdict = this.#run(query, chain)
    if (!(verdict instanceof Promise)) {
      const reply = this.#reply(query, verdict, chain, context)
      if (context.memoise && reply && chain?.steady) this.#memoise(query, verdict, reply, chain, context.memoise)
      return reply
    }
    const reply = (value: Verdict): Buffer | undefined => {
      try {
        return this.#reply(query, value, chain, context)
      } catch (error) {
        this.#panicked(error, describeQuery(query))
        return failureReply(packet)
      }
    }
    return verdict.then(reply, error => reply(this.#failed(error, query)))
  }

  #cookieReply(
    packet: Buffer,
    asked: CookieRequest,
    { server, transport, client }: RequestContext,
  ): Buffer | undefined {
    const { clock, cookies, unrouted } = this.#options
    const given = unrouted.mayHaveCookie(transport, clock.monotonic())
      ? cookieReply(packet, asked, cookies, clientBytes(client.address))
      : undefined
    unrouted.count(server, 'cookie', given?.rcode)
    return given?.reply
  }

  /** RFC 1996 §3: the RCODE for who announces a change; undefined: no block that the zone is in has zones of others. */
  #notified(name: DnsName, { server, client }: RequestContext): number | undefined {
    const zones = this.#options.routes.get(server)
    let hasSecondaries = false
    for (let zone: DnsName | undefined = name; zone !== undefined; zone = parentName(zone)) {
      for (const plugin of zones?.get(zone)?.flatMap(chain => chain.secondaries) ?? []) {
        const verdict = plugin.notified!(name, client)
        if (verdict) return verdict === 'accepted' ? rcodes.NOERROR : rcodes.REFUSED
        hasSecondaries = true
      }
    }
    return hasSecondaries ? rcodes.NOTAUTH : undefined
  }

  #chainOf(query: Query): Chain | undefined {
    const chain = findChain(this.#options.routes, query)
    query.trace?.add('resolver', chain ? 'server block chosen' : 'no server block is for the name', { ...chain?.block })
    return chain
  }

  /** The verdict on a client's question; never throws. */
  conclude(query: Query): MaybePromise<Verdict> {
    const verdict = this.#run(query, this.#chainOf(query))
    return verdict instanceof Promise ? verdict.catch(error => this.#failed(error, query)) : verdict
  }

  /** The same, but that it may reject. */
  #run(query: Query, chain: Chain | undefined): MaybePromise<Verdict> {
    if (!chain) return this.#unserved(query)
    const refusal = refusalOf(query, chain)
    if (refusal) return refusal
    try {
      const isOtherClass = query.question.class !== classes.IN
      return isOtherClass ? runOtherClass(query, chain) : runIn(chain, query)
    } catch (error) {
      return this.#failed(error, query)
    }
  }

  #failed(error: unknown, query: Query): Verdict {
    this.#panicked(error, describeQuery(query))
    query.trace?.add('resolver', 'a plugin failed by a bug', { error: String(error) })
    return failedByBug
  }

  #panicked(error: unknown, fields: Readonly<Record<string, unknown>>): void {
    this.#options.panics.inc()
    this.#options.logger.error({ ...fields, error }, 'query failed by a bug')
  }

  #reply(query: Query, verdict: Verdict, chain: Chain | undefined, { follow }: RequestContext): Buffer | undefined {
    const answer = answerOf(verdict, follow !== undefined)
    const options = this.#encodeOptions(query, chain)
    const packet =
      verdict.verdict === 'transferred' && follow
        ? this.#transfer(query, encodeTransfer(query, verdict.records, options), follow)
        : answer && encodeAnswer(query, answer, options)
    const reporters = chain?.reporters ?? this.#options.unroutedReporters
    const { observer, clock } = this.#options
    if (reporters.length > 0 || observer) {
      const by = verdict.verdict === 'unhandled' ? '' : verdict.by
      const reply: Reply = { answer, by, packet, duration: clock.monotonic() - query.received }
      for (const plugin of reporters) plugin.report!(query, reply)
      observer?.observe(query, reply)
    }
    return packet
  }

  /** What had to be waited for may rest on more than its terms say, and is not kept. */
  #memoise(
    query: Query,
    verdict: Verdict,
    packet: Buffer,
    chain: Chain,
    memoise: NonNullable<RequestContext['memoise']>,
  ): void {
    if (verdict.verdict !== 'answered' || !verdict.memo || !isAlone(this.#options.routes, query)) return
    const { board, clock } = this.#options
    const reply: Reply = { answer: verdict.answer, by: verdict.by, packet, duration: 0 }
    const memo = memoOf(query, verdict, packet, {
      board,
      now: clock.monotonic(),
      hits: counted => {
        const told = { zones: chain.block.zones, reporters: chain.reporters, observer: this.#options.observer, counted }
        return chain.hits.of(query, reply, told)
      },
      isAloneBelow: name =>
        chain.sources.every(
          (plugin, index) =>
            plugin.name === verdict.by || index > chain.sources.findIndex(({ name }) => name === verdict.by),
        ) && !hasZoneBelow(this.#options.routes, query.server, name),
    })
    if (memo) memoise(memo)
  }

  /** The first message; the others follow as the client takes them. */
  #transfer(query: Query, messages: Generator<Buffer, void>, follow: NonNullable<RequestContext['follow']>): Buffer {
    const first = messages.next()
    assert(!first.done, 'a zone begins with its SOA')
    follow(this.#guard(query, messages))
    return first.value
  }

  /** Whoever is asked for a message outside of the resolver hears of a bug by a throw, and has no reply to send. */
  *#guard(query: Query, messages: Iterable<Buffer>): Generator<Buffer, void> {
    try {
      yield* messages
    } catch (error) {
      this.#panicked(error, describeQuery(query))
      throw error
    }
  }

  #encodeOptions(query: Query, chain: Chain | undefined): EncodeOptions {
    const udpSize = chain?.udpSize ?? OWN_UDP_SIZE
    const { edns } = query
    if (!edns) return { udpSize }
    const options: EdnsOption[] = chain?.optioners.flatMap(plugin => plugin.replyOptions!(query)) ?? []
    const cookie = findOption(edns, ednsOptionCodes.COOKIE)
    // RFC 7828 §3.3.2: whoever sends OPT may be told; whoever is to go should be.
    const { idleTimeout } = query
    if (idleTimeout !== undefined && (idleTimeout === 0 || findOption(edns, ednsOptionCodes.KEEPALIVE)))
      options.push(encodeKeepalive(idleTimeout))
    if (cookie) options.push(this.#options.cookies.reply(cookie.data, clientBytes(query.client.address)))
    return { udpSize, options }
  }
}

/** RFC 8914 §4.21: asked about a name that this server is not for. */
const notOurs = (text: string): Verdict =>
  answered('', emptyAnswer(rcodes.REFUSED, { extendedErrors: [{ code: extendedErrorCodes.NOT_AUTHORITATIVE, text }] }))

const noServerBlock = notOurs('no server block for this name')
const noView = notOurs('no view of its zone is for this question')
const refusedBecause = (code: number, text: string): Answer =>
  emptyAnswer(rcodes.REFUSED, { extendedErrors: [{ code, text }] })

const wrongClass = answered('', refusedBecause(extendedErrorCodes.NOT_SUPPORTED, 'no data of this class here'))
const noTransfer = answered('', refusedBecause(extendedErrorCodes.PROHIBITED, 'no zone is transferred from here'))
const noStream = refusedBecause(extendedErrorCodes.NOT_SUPPORTED, 'a zone is transferred over TCP alone')

const runOtherClass = (query: Query, chain: Chain): MaybePromise<Verdict> => {
  return whenKnown(chain.runOtherClass(query), orWrongClass)
}

const orWrongClass = (verdict: Verdict): Verdict => (verdict.verdict === 'unhandled' ? wrongClass : verdict)

/** Refusals that no plugin can change. */
const refusalOf = ({ question }: Query, chain: Chain): Verdict | undefined => {
  // RFC 5936 §2.2.1: a transfer that is not permitted is REFUSED.
  const transfer = question.type === recordTypes.AXFR || question.type === recordTypes.IXFR
  return transfer && !chain.transfers ? noTransfer : undefined
}

const failedByBug = answered(
  '',
  emptyAnswer(rcodes.SERVFAIL, {
    extendedErrors: [{ code: extendedErrorCodes.OTHER, text: 'the server failed by a bug; its log says how' }],
  }),
)

const nobodyAnswered = emptyAnswer(rcodes.SERVFAIL, {
  extendedErrors: [{ code: extendedErrorCodes.OTHER, text: 'no plugin of the server block answers this name' }],
})

/** What the first message of a zone says in its header. */
const zoneFollows = emptyAnswer(rcodes.NOERROR, { authoritative: true })

const answerOf = (verdict: Verdict, streams: boolean): Answer | undefined => {
  switch (verdict.verdict) {
    case 'answered':
      return verdict.answer
    case 'transferred':
      // RFC 5936 §4.2: "not defined" over UDP.
      return streams ? zoneFollows : noStream
    case 'dropped':
      return undefined
    case 'unhandled':
      return nobodyAnswered
  }
}

const describeQuery = ({ question, client, server }: Query): Readonly<Record<string, unknown>> => ({
  name: question.name,
  type: question.type,
  client: client.address,
  server,
})
