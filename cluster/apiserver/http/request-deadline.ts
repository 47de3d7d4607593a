/**
 * When a connection must have sent its next request's head. Node holds no such deadline on the HTTP/1.1 connections of
 * an HTTP/2 server, and its session time-out starts anew with each PING. Nothing ends while a request is under way,
 * however long it takes (watches): bodies have a deadline of their own, in exchange.ts.
 */
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'

/** From the handshake to the first head (slow loris): a client connects because it has something to ask. */
export const FIRST_HEAD: Milliseconds = 30_000
/** From an answer to the next head, as kube-apiserver and Go's clients keep an idle connection. */
export const NEXT_HEAD: Milliseconds = 90_000

export class RequestDeadline {
  readonly #clock: Clock
  readonly #end: () => void
  #running = 0
  #timer: Timer

  /** `end` closes the connection. */
  constructor(clock: Clock, end: () => void) {
    this.#clock = clock
    this.#end = end
    this.#timer = clock.after(FIRST_HEAD, end)
  }

  /** A head is there; `finish` is due once, when the request is over. */
  begin(): void {
    this.#timer.cancel()
    this.#running++
  }

  finish(): void {
    this.#running--
    if (this.#running === 0) this.#timer = this.#clock.after(NEXT_HEAD, this.#end)
  }

  /** The connection is gone. */
  cancel(): void {
    this.#timer.cancel()
    // Requests that finish with their connection start nothing anew.
    this.#running = Number.POSITIVE_INFINITY
  }
}
