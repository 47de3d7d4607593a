/**
 * Hands packets to the resolver in the check phase of the event loop, one whole turn after they were read.
 *
 * The law of order (docs/architecture.md): a query is answered after everything that had reached this process before
 * it. The poll phase of a turn asks the system which sockets are ready and then reads those, the watch streams among
 * them, in no order that anybody promises. A query that comes while they are being read is read too, but an event that
 * came just before it to a socket that had not been ready is not. The poll phase of the next turn finds it: so packets
 * wait until that is over, and all that came in one turn are answered in one go.
 */
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import type { RequestContext, Responder } from '#resolver/listener.ts'
import { failureReply } from '#resolver/wire/header.ts'
import type { ServerMetrics } from './metrics.ts'

/** Called exactly once for each packet; `undefined`: there is nothing to send. Must not throw. */
export type Deliver = (reply: Buffer | undefined) => void

interface Request {
  readonly packet: Buffer
  readonly context: RequestContext
  readonly deliver: Deliver
  readonly begun: (() => void) | undefined
}

/** What came meanwhile from the apiserver holds up all answers of the workers (decision 18): it must not wait long. */
const TURN: Milliseconds = 2

export interface DispatcherOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: ServerMetrics
  readonly maxInFlight: number
}

export class Dispatcher {
  /** Swapped between two packets: each is answered by the one that is current when its turn comes. */
  responder: Responder
  readonly #options: DispatcherOptions
  /** Read in this turn of the loop. */
  #arrived: Request[] = []
  /** Whose turn has come: of all turns together, lest those of each take their time in every one. */
  readonly #ripe: Request[] = []
  #answering = false
  #inFlight = 0
  /** When a query last came. */
  #lastArrival = Number.NEGATIVE_INFINITY

  constructor(responder: Responder, options: DispatcherOptions) {
    this.responder = responder
    this.#options = options
  }

  /** How long no query has come. */
  quietFor(): Milliseconds {
    return this.#options.clock.monotonic() - this.#lastArrival
  }

  /** `begun`: its turn has come, or it is dropped; what it waits for from then on is no work for this program. */
  submit(packet: Buffer, context: RequestContext, deliver: Deliver, begun?: () => void): void {
    if (this.#inFlight >= this.#options.maxInFlight) {
      this.#options.metrics.drop('in-flight')
      begun?.()
      deliver(undefined)
      return
    }
    this.#inFlight++
    if (this.#arrived.push({ packet, context, deliver, begun }) === 1) setImmediate(this.#endTurn)
  }

  /** What was read in this turn is answered at the end of the next. */
  readonly #endTurn = (): void => {
    const batch = this.#arrived
    this.#arrived = []
    this.#lastArrival = this.#options.clock.monotonic()
    setImmediate(this.#answerAll, batch)
  }

  readonly #answerAll = (batch: readonly Request[]): void => {
    for (const request of batch) this.#ripe.push(request)
    if (!this.#answering) this.#answerSome()
  }

  /** For some time; the rest in the next turn, before which the watch streams are read again. Later is always in order. */
  readonly #answerSome = (): void => {
    const { clock } = this.#options
    const end = clock.monotonic() + TURN
    let answered = 0
    while (answered < this.#ripe.length) {
      this.#answer(this.#ripe[answered++]!)
      if (clock.monotonic() >= end) break
    }
    this.#ripe.splice(0, answered)
    this.#answering = this.#ripe.length > 0
    if (this.#answering) setImmediate(this.#answerSome)
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

  #settle({ deliver }: Request, reply: Buffer | undefined): void {
    this.#inFlight--
    deliver(reply)
  }

  /** A responder never throws and never rejects; one that does is broken, and its client must not wait for nothing. */
  #fail(request: Request, error: unknown): void {
    this.#options.metrics.failures.inc()
    this.#options.logger.error({ err: error }, 'the resolver threw')
    this.#settle(request, failureReply(request.packet))
  }
}
