/**
 * Hands packets to the resolver in the check phase of the event loop, one whole turn after they were read.
 *
 * The law of order (docs/architecture.md): a query is answered after everything that had reached this process before
 * it. The poll phase of a turn asks the system which sockets are ready and then reads those, the watch streams among
 * them, in no order that anybody promises. A query that comes while they are being read is read too, but an event that
 * came just before it to a socket that had not been ready is not. The poll phase of the next turn finds it: so packets
 * wait until that is over, and all that came in one turn are answered in one go.
 *
 * Questions go in two lanes: those for the server's own zones are taken first, and find room when upstreams are so slow
 * that the others fill theirs (docs/decisions/0021-lanes.md).
 */
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import type { RequestContext, Responder } from '#resolver/listener.ts'
import { failureReply } from '#resolver/wire/header.ts'
import { Arrivals } from './arrivals.ts'
import type { ServerMetrics } from './metrics.ts'
import { OwnZones } from './own-zones.ts'

/** Called exactly once for each packet; `undefined`: there is nothing to send. Must not throw. */
export type Deliver = (reply: Buffer | undefined) => void

interface Request {
  readonly packet: Buffer
  readonly context: RequestContext
  readonly deliver: Deliver
  readonly begun: (() => void) | undefined
  readonly lane: Lane
}

/** For the server's own zones, or for names that others may have to be asked for. */
type Lane = 'own' | 'others'

/** What came meanwhile from the apiserver holds up all answers of the workers (decision 18): it must not wait long. */
const TURN: Milliseconds = 2

/** Of `maxInFlight`, questions that may wait for other servers: the rest is for the own zones. */
const OTHERS_SHARE = 3 / 4

export interface DispatcherOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: ServerMetrics
  readonly maxInFlight: number
}

export class Dispatcher {
  /** Swapped between two packets: each is answered by the one that is current when its turn comes. */
  responder: Responder
  ownZones = new OwnZones([])
  readonly #options: DispatcherOptions
  readonly #maxOthers: number
  readonly #arrivals = new Arrivals<Request>(batch => this.#answerAll(batch))
  /** Whose turn has come: of all turns together, lest those of each take their time in every one. */
  readonly #ripe = { own: [] as Request[], others: [] as Request[] }
  #answering = false
  /** Whether questions are being answered at this moment, and what is to be done when they are. */
  #isInTurn = false
  #turnEnds: (() => void)[] = []
  readonly #inFlight = { own: 0, others: 0 }
  /** When a query last came. */
  #lastArrival = Number.NEGATIVE_INFINITY

  constructor(responder: Responder, options: DispatcherOptions) {
    this.responder = responder
    this.#options = options
    this.#maxOthers = Math.ceil(options.maxInFlight * OTHERS_SHARE)
  }

  /** How long no query has come. */
  quietFor(): Milliseconds {
    return this.#options.clock.monotonic() - this.#lastArrival
  }

  /** `begun`: its turn has come, or it is dropped; what it waits for from then on is no work for this program. */
  submit(packet: Buffer, context: RequestContext, deliver: Deliver, begun?: () => void): void {
    const lane = this.ownZones.has(packet) ? 'own' : 'others'
    if (this.#isFull(lane)) {
      this.#options.metrics.drop(lane === 'own' ? 'in-flight' : 'in-flight-others')
      begun?.()
      deliver(undefined)
      return
    }
    this.#inFlight[lane]++
    this.#arrivals.add({ packet, context, deliver, begun, lane })
  }

  /**
   * Calls `task` (which must not throw) when the questions that are being answered have been; where there are none, when
   * all that has come has been read: what other servers reply comes together, and is ready one after the other.
   */
  whenAnswered(task: () => void): void {
    if (this.#turnEnds.push(task) === 1 && !this.#isInTurn) setImmediate(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    if (this.#turnEnds.length > 0) for (const task of this.#turnEnds.splice(0)) task()
  }

  #isFull(lane: Lane): boolean {
    const { own, others } = this.#inFlight
    return own + others >= this.#options.maxInFlight || (lane === 'others' && others >= this.#maxOthers)
  }

  #answerAll(batch: readonly Request[]): void {
    this.#lastArrival = this.#options.clock.monotonic()
    for (const request of batch) this.#ripe[request.lane].push(request)
    if (!this.#answering) this.#answerSome()
  }

  /**
   * For some time; the rest in the next turn, before which the watch streams are read again. Later is always in order. One
   * of the others has its turn in any case: they must not starve.
   */
  readonly #answerSome = (): void => {
    const { own, others } = this.#ripe
    const end = this.#options.clock.monotonic() + TURN
    this.#isInTurn = true
    this.#answerUntil(end, own)
    this.#answerUntil(end, others)
    this.#isInTurn = false
    this.#endTurn()
    this.#answering = own.length + others.length > 0
    if (this.#answering) setImmediate(this.#answerSome)
  }

  #answerUntil(end: Milliseconds, ripe: Request[]): void {
    const { clock } = this.#options
    let answered = 0
    while (answered < ripe.length) {
      this.#answer(ripe[answered++]!)
      if (clock.monotonic() >= end) break
    }
    ripe.splice(0, answered)
  }

  #answer(request: Request): void {
    request.begun?.()
    let reply: ReturnType<Responder>
    try {
      reply = this.responder(request.packet, request.context)
    } catch (error) {
      this.#fail(request, error)
      return
    }
    if (reply instanceof Promise) {
      reply.then(
        late => this.#settle(request, late),
        error => this.#fail(request, error),
      )
    } else {
      this.#settle(request, reply)
    }
  }

  #settle({ deliver, lane }: Request, reply: Buffer | undefined): void {
    this.#inFlight[lane]--
    deliver(reply)
  }

  /** A responder never throws and never rejects; one that does is broken, and its client must not wait for nothing. */
  #fail(request: Request, error: unknown): void {
    this.#options.metrics.failures.inc()
    this.#options.logger.error({ error }, 'the resolver threw')
    this.#settle(request, failureReply(request.packet))
  }
}
