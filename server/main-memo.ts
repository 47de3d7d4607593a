/**
 * The memo of the main thread: finished replies for all that comes by node:dgram, TCP, TLS and HTTPS.
 *
 * It is asked at the very moment at which the readable path would be, a whole turn of the loop after a query was read: all
 * that the main thread had taken in by then has ended what rested on it. So the law of order (docs/architecture.md) needs
 * nothing of its own here, unlike in the workers, which do not take part in the event loop.
 *
 * Replies to one question differ by transport (how long they may be, padding), and by how long the connection may stay
 * (RFC 7828), which may be another one on the same listener after a reload; and they are counted by the client's family.
 */
import type { ChangeBoard } from '#lib/change-board.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { RequestContext, Responder } from '#resolver/listener.ts'
import { EVERYTHING, type Memo } from '#resolver/memo.ts'
import type { Endpoint } from '#resolver/query.ts'
import type { ServerCookies } from '#resolver/wire/cookie.ts'
import { clientBytes } from '#resolver/zone/address.ts'
import { Answers } from './answers.hot.ts'
import { HitProfiles, PROFILES } from './hit-profiles.ts'
import type { ServerMetrics } from './metrics.ts'

/** RFC 1035 §4.2.2: no message is longer. */
const MAX_MESSAGE = 0xffff
/** A byte of the keys. */
const MAX_SPACES = 256

/** Those who are not asked before they are read (`/top`) are not far behind. */
const SETTLE_AFTER: Milliseconds = 1000
/** As in the workers: one hit in so long is shown to those who rank clients and names, and stands for all since. */
const SAMPLE_PAUSE: Milliseconds = 20

/** What replies are kept apart by, beside their question. */
interface Space {
  readonly transport: RequestContext['transport']
  readonly server: string
  readonly family: 4 | 6
  readonly idleTimeout: Milliseconds | undefined
}

export interface MainMemoOptions {
  readonly board: ChangeBoard
  readonly cookies: ServerCookies
  readonly clock: Clock
  readonly metrics: ServerMetrics
  /** Bytes of replies that may be kept. */
  readonly budget: number
}

export class MainMemo {
  readonly #options: MainMemoOptions
  /** Questions are read where they are always read, which is faster than where each of them happens to lie. */
  readonly #input = Buffer.allocUnsafeSlow(MAX_MESSAGE)
  readonly #output = Buffer.allocUnsafeSlow(MAX_MESSAGE)
  readonly #profiles: HitProfiles
  readonly #counts = new Uint32Array(PROFILES)
  #answers: Answers
  #spaces: Space[] = []
  /** Since the last settling. */
  #hits = 0
  #misses = 0
  #hitTime: Milliseconds = 0
  /** Hits that no sample stands for yet, and the last of them. */
  #unsampled = 0
  #lastPacket: Buffer | undefined
  #lastClient: Endpoint | undefined
  #lastProfile = 0
  #lastSample = Number.NEGATIVE_INFINITY
  #lastHitAt = Number.NEGATIVE_INFINITY
  #willSettle = false

  constructor(options: MainMemoOptions) {
    this.#options = options
    this.#answers = this.#newAnswers()
    this.#profiles = new HitProfiles(() => {
      // Whoever is listened to by a number that is given anew must not be counted by it any more.
      options.board.changed(EVERYTHING)
      this.settleHits()
    })
  }

  /** The responder, asked only for what the memo has no reply to. */
  before(responder: Responder): Responder {
    const { clock } = this.#options
    return (packet, context) => {
      // A worker has looked into its own.
      if (context.memoise) return responder(packet, context)
      const { transport, server, client, idleTimeout } = context
      const space = this.spaceOf(transport, server, client.address.includes(':') ? 6 : 4, idleTimeout)
      const begun = clock.monotonic()
      const hit = this.find(space, packet, client, begun)
      if (hit) {
        this.answered(1, clock.monotonic() - begun)
        return hit
      }
      this.#misses++
      let memo: Memo | undefined
      const memoise = (kept: Memo): void => {
        memo = kept
      }
      const reply = responder(packet, { ...context, memoise })
      if (memo && reply instanceof Buffer) this.#keep(space, packet, reply, memo)
      return reply
    }
  }

  /** Tells those who count of the replies that were given. */
  readonly settleHits = (): void => {
    this.#willSettle = false
    const { metrics } = this.#options
    metrics.memoHits.inc(this.#hits)
    metrics.memoMisses.inc(this.#misses)
    this.#misses = 0
    if (this.#hits === 0) return
    const duration = this.#hitTime / this.#hits
    this.#hits = 0
    this.#hitTime = 0
    this.#sample()
    for (const [listener, profile] of this.#profiles.entries()) {
      const count = this.#counts[profile]!
      if (count === 0) continue
      this.#counts[profile] = 0
      listener.add(count, duration)
    }
  }

  #newAnswers(): Answers {
    const { board, budget } = this.#options
    return new Answers(board.shared, budget)
  }

  /** The reply that is kept, of the caller's own. `now`: the clock's. The caller tells of its hits when they are done. */
  find(space: number, packet: Buffer, client: Endpoint, now: Milliseconds): Buffer | undefined {
    const answers = this.#answers
    const size = packet.copy(this.#input)
    const length = answers.find(space, this.#input, 0, size, this.#output, 0, now)
    if (length === 0) return undefined
    const { cookieAt, askedCookieAt, askedCookieLength, profile } = answers
    const reply = Buffer.allocUnsafe(length)
    this.#output.copy(reply, 0, 0, length)
    if (cookieAt > 0) {
      const address = clientBytes(client.address)
      const { cookies } = this.#options
      cookies.write(packet, askedCookieAt, askedCookieLength, address, 0, address.length, reply, cookieAt)
    }
    this.#counts[profile]!++
    this.#lastPacket = packet
    this.#lastClient = client
    this.#lastProfile = profile
    return reply
  }

  /** So many hits one after the other took so long, each of them. */
  answered(hits: number, duration: Milliseconds): void {
    const { clock } = this.#options
    const now = clock.monotonic()
    this.#hits += hits
    this.#hitTime += hits * duration
    this.#unsampled += hits
    this.#lastHitAt = now
    if (now - this.#lastSample >= SAMPLE_PAUSE) this.#sample(now)
    if (this.#willSettle) return
    this.#willSettle = true
    clock.after(SETTLE_AFTER, this.settleHits)
  }

  /** How long nothing was asked that is kept. */
  quietFor(): Milliseconds {
    return this.#options.clock.monotonic() - this.#lastHitAt
  }

  #keep(space: number, packet: Buffer, reply: Buffer, { hits, ...memo }: Memo): void {
    this.#answers.keep(space, packet, { ...memo, reply, profile: this.#profiles.of(hits) })
  }

  #sample(now = this.#options.clock.monotonic()): void {
    if (!this.#lastPacket || !this.#lastClient) return
    // A view of all that was received with it must not be held.
    const question = Buffer.from(this.#lastPacket)
    this.#profiles.listener(this.#lastProfile)?.sample(question, this.#lastClient, this.#unsampled)
    this.#unsampled = 0
    this.#lastPacket = undefined
    this.#lastSample = now
  }

  /** The number of the space; a few are in use at a time. */
  spaceOf(transport: Space['transport'], server: string, family: 4 | 6, idleTimeout?: Milliseconds): number {
    for (let number = 0; number < this.#spaces.length; number++) {
      const space = this.#spaces[number]!
      const isSame = space.transport === transport && space.family === family && space.server === server
      if (isSame && space.idleTimeout === idleTimeout) return number
    }
    if (this.#spaces.length === MAX_SPACES) {
      this.#spaces = []
      this.#answers = this.#newAnswers()
    }
    return this.#spaces.push({ transport, server, family, idleTimeout }) - 1
  }
}
