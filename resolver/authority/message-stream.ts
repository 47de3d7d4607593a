/** One TCP connection to a server, for exchanges whose reply is several messages: messages in order, each in time. */
import { connect, type Socket } from 'node:net'
import type { Clock, Milliseconds } from '#lib/clock.ts'

export interface MessageStreamOptions {
  readonly address: string
  readonly port: number
  /** The longest wait for the connection, and for each message. */
  readonly timeout: Milliseconds
  readonly clock: Clock
  readonly signal: AbortSignal
}

export class MessageStream {
  readonly #options: MessageStreamOptions
  readonly #socket: Socket
  #received: Buffer[] = []
  #length = 0
  #failure: Error | undefined
  #wake: (() => void) | undefined

  constructor(options: MessageStreamOptions) {
    this.#options = options
    const { address, port, signal } = options
    this.#socket = connect({ host: address, port, signal, noDelay: true })
    this.#socket.on('data', chunk => {
      this.#received.push(chunk)
      this.#length += chunk.length
      // Who sends faster than the zone is built waits.
      this.#socket.pause()
      this.#wake?.()
    })
    this.#socket.on('error', error => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the connection was closed')))
  }

  /** Two length bytes stand before a message (RFC 1035 §4.2.2). */
  send(packet: Buffer): void {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(packet.length)
    this.#socket.write(Buffer.concat([length, packet]))
  }

  /** The next message. Rejects when the connection breaks or none comes in time. */
  async next(): Promise<Buffer> {
    const { clock, timeout } = this.#options
    const timer = clock.after(timeout, () => this.#fail(new Error(`no message in ${timeout} ms`)))
    try {
      for (;;) {
        const message = this.#takeMessage()
        if (message) return message
        if (this.#failure) throw this.#failure
        await new Promise<void>(resolve => {
          this.#wake = resolve
          this.#socket.resume()
        })
      }
    } finally {
      timer.cancel()
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  #takeMessage(): Buffer | undefined {
    if (this.#length < 2) return undefined
    const [first] = this.#received
    const all = this.#received.length === 1 ? first! : Buffer.concat(this.#received)
    const end = 2 + all.readUInt16BE(0)
    this.#received = [all]
    if (all.length < end) return undefined
    this.#received = [all.subarray(end)]
    this.#length -= end
    return all.subarray(2, end)
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.#socket.destroy()
    this.#wake?.()
  }
}
