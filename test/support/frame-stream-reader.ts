/** A reader of Frame Streams, for tests: accepts, keeps what comes, finishes. */
import { createServer, type Server, type Socket } from 'node:net'
import type { ExecutionContext } from 'ava'

const u32 = (...numbers: number[]) => {
  const bytes = Buffer.alloc(4 * numbers.length)
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * index)
  return bytes
}

const CONTENT = Buffer.from('protobuf:dnstap.Dnstap')
const ACCEPT = Buffer.concat([u32(0, 12 + CONTENT.length, 1, 1, CONTENT.length), CONTENT])
const FINISH = u32(0, 4, 5)

export class FrameStreamReader {
  readonly frames: Buffer[] = []
  /** Types of the control frames, in order. */
  readonly controls: number[] = []
  /** Whether bytes are taken; a reader that does not is slow. */
  reads = true
  readonly #sockets = new Set<Socket>()
  readonly #server: Server

  constructor(t: ExecutionContext) {
    this.#server = createServer(socket => this.take(socket))
    t.teardown(() => this.close())
  }

  /** Reads from a connection, whoever opened it. */
  take(socket: Socket): void {
    let received: Buffer = Buffer.alloc(0)
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', chunk => {
      received = Buffer.concat([received, chunk])
      for (;;) {
        const length = received.length >= 8 ? received.readUInt32BE(0) : undefined
        if (length === undefined) return
        const end = length === 0 ? 8 + received.readUInt32BE(4) : 4 + length
        if (received.length < end) return
        if (length === 0) this.#control(received.readUInt32BE(8), socket)
        else this.frames.push(Buffer.from(received.subarray(4, end)))
        received = received.subarray(end)
      }
    })
  }

  #control(type: number, socket: Socket): void {
    this.controls.push(type)
    if (type === 4) {
      socket.write(ACCEPT)
      if (!this.reads) socket.pause()
    }
    if (type === 3) socket.write(FINISH)
  }

  listen(path: string | number): Promise<void> {
    return new Promise(resolve => {
      if (typeof path === 'string') this.#server.listen(path, resolve)
      else this.#server.listen(path, '127.0.0.1', resolve)
    })
  }

  get port(): number {
    const address = this.#server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  /** As if the reader's machine had gone. */
  breakOff(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async close(): Promise<void> {
    this.breakOff()
    if (this.#server.listening) await new Promise<void>(resolve => void this.#server.close(() => resolve()))
  }
}
