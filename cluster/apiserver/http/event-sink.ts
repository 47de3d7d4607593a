/** Where the events of a watch go: the body of an answer, or the messages of a websocket. */
import type { EventEmitter } from 'node:events'
import type { Milliseconds } from '#lib/clock.ts'
import { endUnread, type Response } from './exchange.ts'

export interface EventSink {
  /** Says `drain` and `close`. */
  readonly signals: Pick<EventEmitter, 'on' | 'once' | 'off'>
  /** Bytes that wait to be sent. */
  readonly buffered: number
  /** The client learns that the watch stands, as it does by the first event. Idempotent. */
  open(): void
  /** `frame`: an event, as its form has it. False: wait for `drain`. */
  send(frame: Buffer): boolean
  /** The same of several. */
  sendAll(frames: readonly Buffer[]): boolean
  /** What was sent arrives. */
  end(): void
  /** At once: what is buffered is thrown away. */
  destroy(): void
}

export class ResponseSink implements EventSink {
  readonly signals: EventSink['signals']
  readonly #response: Response
  readonly #farewell: Milliseconds | undefined

  /** `farewell`: from the end to the end of the connection, for who does not read. Default: as of any answer. */
  constructor(response: Response, contentType: string, farewell?: Milliseconds) {
    this.#response = response
    this.#farewell = farewell
    this.signals = response
    response.statusCode = 200
    response.setHeader('content-type', contentType)
  }

  get buffered(): number {
    return this.#response.writableLength
  }

  open(): void {
    const response = this.#response
    if (response.headersSent) return
    if ('flushHeaders' in response) response.flushHeaders()
    else response.writeHead(200)
  }

  send(frame: Buffer): boolean {
    return (this.#response as NodeJS.WritableStream).write(frame)
  }

  sendAll(frames: readonly Buffer[]): boolean {
    return this.send(Buffer.concat(frames))
  }

  end(): void {
    if (this.#response.destroyed) return
    if (this.buffered > 0) endUnread(this.#response, this.#farewell)
    this.#response.end()
  }

  destroy(): void {
    this.#response.destroy()
  }
}
