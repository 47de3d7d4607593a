/**
 * Hands packets to the resolver in the check phase of the event loop, never as they are read.
 *
 * The law of order (docs/architecture.md): a query is answered after everything that had reached this process before
 * it. In one turn of the loop the poll phase reads all sockets that are ready, the watch streams among them, in no order
 * that anybody promises; `setImmediate` runs once all of them have been read. So packets wait until then, and all that
 * came in one turn are answered in one go.
 */
import type { Logger } from '#lib/log.ts'
import type { RequestContext, Responder } from '#resolver/listener.ts'
import { failureReply } from '#resolver/wire/header.ts'
import type { ServerMetrics } from './metrics.ts'

/** Called exactly once for each packet; `undefined`: there is nothing to send. */
export type Deliver = (reply: Buffer | undefined) => void

interface Request {
  readonly packet: Buffer
  readonly context: RequestContext
  readonly deliver: Deliver
}

export interface DispatcherOptions {
  readonly logger: Logger
  readonly metrics: ServerMetrics
  readonly maxInFlight: number
}

export class Dispatcher {
  /** Swapped between two packets: each is answered by the one that is current when its turn comes. */
  responder: Responder
  readonly #options: DispatcherOptions
  #waiting: Request[] = []
  #inFlight = 0

  constructor(responder: Responder, options: DispatcherOptions) {
    this.responder = responder
    this.#options = options
  }

  submit(packet: Buffer, context: RequestContext, deliver: Deliver): void {
    if (this.#inFlight >= this.#options.maxInFlight) {
      this.#options.metrics.drop('in-flight')
      deliver(undefined)
      return
    }
    this.#inFlight++
    if (this.#waiting.push({ packet, context, deliver }) === 1) setImmediate(this.#answerWaiting)
  }

  readonly #answerWaiting = (): void => {
    const batch = this.#waiting
    this.#waiting = []
    for (const request of batch) this.#answer(request)
  }

  #answer(request: Request): void {
    try {
      const reply = this.responder(request.packet, request.context)
      if (reply instanceof Promise) {
        reply.then(
          late => this.#settle(request, late),
          error => this.#fail(request, error),
        )
      } else {
        this.#settle(request, reply)
      }
    } catch (error) {
      this.#fail(request, error)
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
