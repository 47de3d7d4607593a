/**
 * Questions over UDP, each from a random port (RFC 5452 §9.2) on which no other waits: of a socket that is new, or drawn
 * at random from those that are free. Each is closed after few questions and a short time, so that a port that somebody
 * has found out is worth nothing by then.
 */
import type { Milliseconds, Timer } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import { ExchangeError, isLocal } from './exchange-error.ts'
import { type UdpExchange, type UdpOptions, UdpSocket, type UdpSocketUser } from './udp-socket.ts'

export interface UdpUpstreamOptions extends UdpOptions {
  readonly random: Random
}

/** What is asked over UDP, and since when. */
export interface UdpQuestion extends UdpExchange {
  /** On the clock's monotonic scale; set when it goes out. */
  asked: Milliseconds
  deadline: Milliseconds
}

/** Below so many free sockets a question gets a new one: a draw among few could be guessed. */
const CHOICE = 16
const MAXIMUM_FREE = 64
/** Opening and closing a socket costs as much as three questions: by then it is a small part of them. */
const MAXIMUM_USES = 16
const MAXIMUM_AGE: Milliseconds = 5000

export class UdpUpstream {
  readonly #options: UdpUpstreamOptions
  /** All that are open. */
  readonly #sockets = new Set<UdpSocket>()
  #free: UdpSocket[] = []
  #sweep: Timer | undefined
  #closed = false
  /** Questions for which there was no socket, in order. */
  readonly #waiting = new Set<() => void>()
  readonly #user: UdpSocketUser = {
    free: socket => {
      this.#release(socket)
      this.#wakeNext()
    },
    closed: socket => {
      this.#sockets.delete(socket)
      const at = this.#free.indexOf(socket)
      if (at >= 0) this.#takeFree(at)
    },
    // Sockets that were opened in the same moment are connected by then.
    failed: (question, error) => queueMicrotask(() => this.#exchangeAgain(question as UdpQuestion, error)),
  }

  constructor(options: UdpUpstreamOptions) {
    this.#options = options
  }

  /** `replied`: when the socket is free for another question already. */
  exchange(question: UdpQuestion, timeout: Milliseconds): void {
    question.asked = this.#options.clock.monotonic()
    question.deadline = question.asked + timeout
    this.#exchangeOnce(question, timeout, CHOICE)
  }

  /** On a socket that is drawn where at least so many are free, else on a new one. */
  #exchangeOnce(question: UdpQuestion, timeout: Milliseconds, atLeast: number): void {
    const socket = this.#draw(atLeast) ?? this.#open()
    socket.exchange(question, timeout)
  }

  /** Where this machine had no socket or port, as soon as another question leaves it one. */
  #exchangeAgain(question: UdpQuestion, failure: ExchangeError): void {
    const wasLocal = isLocal(failure)
    // Where this server's address or the way there has changed, sockets are of no more use; those are that heard of the
    // server since the question was sent.
    if (!wasLocal) this.#closeFree(({ heard }) => heard < question.asked)
    const left = question.deadline - this.#options.clock.monotonic()
    if (!wasLocal || !this.#isAnyConnected || left <= 0) {
      this.#wakeNext()
      question.failed(failure)
    } else if (this.#free.length > 0) {
      this.#exchangeOnce(question, left, 1)
    } else {
      void this.#socketFreed(left).then(() =>
        this.#exchangeOnce(question, question.deadline - this.#options.clock.monotonic(), 1),
      )
    }
  }

  /** There is a socket again, or the last one had none to wait for, and neither has the next. */
  #wakeNext(): void {
    if (this.#waiting.size > 0) this.#waiting.values().next().value?.()
  }

  /** Questions that are put to it all the same, after one that ended by this, leave no socket behind. */
  close(): void {
    this.#closed = true
    this.#sweep?.cancel()
    this.#free = []
    for (const socket of this.#sockets) socket.close(closed)
  }

  get #isAnyConnected(): boolean {
    for (const { isConnected } of this.#sockets) if (isConnected) return true
    return false
  }

  #open(): UdpSocket {
    const socket = new UdpSocket(this.#options, this.#user)
    this.#sockets.add(socket)
    return socket
  }

  #draw(atLeast: number): UdpSocket | undefined {
    if (this.#free.length < atLeast) return undefined
    return this.#takeFree(this.#options.random.integer(this.#free.length))
  }

  #takeFree(at: number): UdpSocket {
    const socket = this.#free[at]!
    const last = this.#free.pop()!
    if (last !== socket) this.#free[at] = last
    return socket
  }

  #release(socket: UdpSocket): void {
    const isOld = socket.heard - socket.opened >= MAXIMUM_AGE
    const isWorn = socket.uses >= MAXIMUM_USES || this.#free.length >= MAXIMUM_FREE || isOld
    if (isWorn || this.#closed) socket.close(closed)
    // An error may have closed it since the reply came.
    else if (this.#sockets.has(socket)) this.#free.push(socket)
    if (this.#free.length > 0) this.#sweep ??= this.#options.clock.after(MAXIMUM_AGE, () => this.#sweepOld())
  }

  #sweepOld(): void {
    this.#sweep = undefined
    const now = this.#options.clock.monotonic()
    this.#closeFree(({ opened }) => now - opened >= MAXIMUM_AGE)
    if (this.#free.length > 0) this.#sweep = this.#options.clock.after(MAXIMUM_AGE, () => this.#sweepOld())
  }

  #closeFree(which: (socket: UdpSocket) => boolean): void {
    for (const socket of this.#free.filter(which)) socket.close(closed)
  }

  /** Resolves when an exchange has ended, or after `timeout`. */
  #socketFreed(timeout: Milliseconds): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        timer.cancel()
        this.#waiting.delete(wake)
        resolve()
      }
      const timer = this.#options.clock.after(timeout, wake)
      this.#waiting.add(wake)
    })
  }
}

const closed = () => new ExchangeError('closed', 'the upstream is not asked any more')
