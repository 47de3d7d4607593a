/**
 * A watch over a websocket (RFC 6455), as Kubernetes has them: each event is a message, of text where it is JSON and
 * binary where it is protobuf. What the client says is read and dropped. Nothing is compressed.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws'
import type { Milliseconds } from '#lib/clock.ts'
import { FRAME_HEAD } from '../forms/protobuf.ts'
import type { EventSink } from './event-sink.ts'
import { otherProtocols } from './websocket-protocols.ts'

/** Bytes of a message of the client's, who has nothing to say. */
const MAX_MESSAGE = 64 * 1024
/** From our farewell to the end of the connection, for who does not answer it. */
const FAREWELL: Milliseconds = 10_000
/** RFC 6455 §7.4.1: it has done what it was for. */
const NORMAL_CLOSURE = 1000

const NOTHING = Buffer.alloc(0)

/** By request: what its answer says of it to who looks for it in the log. */
const auditIds = new WeakMap<IncomingMessage, string>()

/** The time-out is not known to the package's types. */
const OPTIONS: ServerOptions & { readonly closeTimeout: Milliseconds } = {
  noServer: true,
  clientTracking: false,
  perMessageDeflate: false,
  maxPayload: MAX_MESSAGE,
  closeTimeout: FAREWELL,
  handleProtocols: offered => otherProtocols([...offered].join(',')) ?? false,
}
const SERVER = new WebSocketServer(OPTIONS)
SERVER.on('headers', (headers, request) => {
  const id = auditIds.get(request)
  if (id !== undefined) headers.push(`audit-id: ${id}`)
})

export class WebsocketSink implements EventSink {
  readonly signals: Socket
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #binary: boolean
  #websocket: WebSocket | undefined
  #opened = false

  /** Of a handshake without problems, on a connection that is given up for it. `binary`: events are protobuf. */
  constructor(request: IncomingMessage, response: ServerResponse, binary: boolean) {
    this.#request = request
    this.#response = response
    this.#binary = binary
    this.signals = request.socket
  }

  get buffered(): number {
    return this.signals.writableLength
  }

  open(): void {
    if (this.#opened) return
    this.#opened = true
    this.#websocket = this.#accept()
  }

  send(frame: Buffer): boolean {
    this.open()
    const message = this.#binary ? frame.subarray(FRAME_HEAD) : frame
    this.#websocket?.send(message, { binary: this.#binary })
    return !this.signals.writableNeedDrain
  }

  sendAll(frames: readonly Buffer[]): boolean {
    for (const frame of frames) this.send(frame)
    return !this.signals.writableNeedDrain
  }

  end(): void {
    if (this.#websocket) this.#websocket.close(NORMAL_CLOSURE)
    else this.destroy()
  }

  destroy(): void {
    this.signals.destroy()
  }

  /** Undefined: the client has gone. */
  #accept(): WebSocket | undefined {
    let accepted: WebSocket | undefined
    auditIds.set(this.#request, String(this.#response.getHeader('audit-id')))
    this.#response.detachSocket(this.signals)
    SERVER.handleUpgrade(this.#request, this.signals, NOTHING, websocket => (accepted = websocket))
    // Who breaks the protocol is told so and left; nothing of ours failed.
    accepted?.on('error', () => {})
    // RFC 6455 §7.1.1: it ends both ways. What waits for who does not read would wait for ever, and not be bounded any more.
    this.signals.once('end', () => this.destroy())
    return accepted
  }
}
