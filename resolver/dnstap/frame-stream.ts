/**
 * A Frame Streams writer (fstrm, bidirectional): READY, the reader's ACCEPT, START, then frames of data. It connects by
 * itself and again, with backoff, when the reader goes away.
 *
 * Promised: whoever writes never waits; what finds the queue full is dropped and counted. Not promised: that what was
 * handed to the socket arrives; a reader that breaks off may have lost the last of it.
 */
import type { Socket } from 'node:net'
import { Backoff } from '#lib/backoff.ts'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'

export interface FrameStreamOptions {
  /** Starts a connection; `onReady` when bytes may be written (for TLS: after the handshake), not at once. */
  readonly open: (onReady: () => void) => Socket
  /** Whether another one is opened when it is lost. */
  readonly reconnects: boolean
  readonly contentType: string
  /** Frames that may wait. */
  readonly capacity: number
  /** Bytes that may wait in the socket. */
  readonly buffer: number
  readonly clock: Clock
  readonly random: Random
  readonly onDrop: () => void
  readonly onConnect: () => void
  /** Why there is no connection, or none any more. */
  readonly onDisconnect: (reason: string) => void
}

const controls = { ACCEPT: 1, START: 2, STOP: 3, READY: 4, FINISH: 5 } as const
/** The one field of control frames. */
const CONTENT_TYPE = 1
/** As fstrm has it: a reader that sends more than this at once is none. */
const MOST_CONTROL = 512

const FIRST_RETRY: Milliseconds = 500
const LAST_RETRY: Milliseconds = 30_000
/** For the reader to accept, and to say that it has all at the end. */
const PATIENCE: Milliseconds = 5000
/** Frames go to the socket in chunks of about so many bytes. */
const CHUNK = 64 * 1024

const unsigned = (...numbers: readonly number[]): Buffer => {
  const bytes = Buffer.allocUnsafe(4 * numbers.length)
  for (const [index, number] of numbers.entries()) bytes.writeUInt32BE(number, 4 * index)
  return bytes
}

/** An escape of zero, the control frame's length, its type, and the content type if it has one. */
const controlFrame = (type: number, contentType?: string): Buffer => {
  if (contentType === undefined) return unsigned(0, 4, type)
  const content = Buffer.from(contentType)
  return Buffer.concat([unsigned(0, 12 + content.length, type, CONTENT_TYPE, content.length), content])
}

const contentTypes = (fields: Buffer): string[] => {
  const types: string[] = []
  for (let at = 0; at + 8 <= fields.length; ) {
    const end = at + 8 + fields.readUInt32BE(at + 4)
    if (fields.readUInt32BE(at) === CONTENT_TYPE) types.push(fields.toString('utf8', at + 8, end))
    at = end
  }
  return types
}

type Phase = 'idle' | 'connecting' | 'ready' | 'streaming' | 'stopping' | 'closed'

export class FrameStream {
  readonly #options: FrameStreamOptions
  readonly #backoff: Backoff
  #phase: Phase = 'idle'
  #socket: Socket | undefined
  #timer: Timer | undefined
  #queue: Buffer[] = []
  #flushing = false
  #received: Buffer = Buffer.alloc(0)
  /** While it closes: the reader has all, or is gone. */
  #finished: (() => void) | undefined

  constructor(options: FrameStreamOptions) {
    this.#options = options
    this.#backoff = new Backoff({ initial: FIRST_RETRY, maximum: LAST_RETRY, random: options.random })
  }

  /** Begins to connect. */
  start(): void {
    if (this.#phase !== 'idle') return
    this.#phase = 'connecting'
    const { clock, contentType } = this.#options
    this.#timer = clock.after(PATIENCE, () => this.#lose(`the reader did not accept in ${PATIENCE} ms`))
    const socket = this.#options.open(() => {
      if (this.#socket !== socket) return
      this.#phase = 'ready'
      socket.write(controlFrame(controls.READY, contentType))
    })
    this.#socket = socket
    this.#received = Buffer.alloc(0)
    socket.on('data', chunk => this.#socket === socket && this.#read(chunk))
    socket.on('drain', () => this.#socket === socket && this.#flush())
    socket.on('error', error => this.#socket === socket && this.#lose(error.message))
    socket.on('close', () => this.#socket === socket && this.#lose('the connection was closed'))
    // The program may end while it is open.
    socket.unref()
  }

  /** Sends a frame of data, in its turn. */
  write(payload: Buffer): void {
    if (this.#phase === 'closed' || this.#queue.length >= this.#options.capacity) {
      this.#options.onDrop()
      return
    }
    this.#queue.push(payload)
    if (this.#phase !== 'streaming' || this.#flushing) return
    // Those of one turn of the event loop go together.
    this.#flushing = true
    setImmediate(() => {
      this.#flushing = false
      this.#flush()
    })
  }

  /** Sends what waits, if there is a reader, and waits until it says that it has all. Idempotent. */
  async close(): Promise<void> {
    if (this.#phase === 'closed' || this.#phase === 'stopping') return
    this.#timer?.cancel()
    if (this.#phase === 'streaming') {
      this.#flush()
      this.#phase = 'stopping'
      await new Promise<void>(resolve => {
        this.#finished = resolve
        this.#timer = this.#options.clock.after(PATIENCE, resolve)
        this.#socket!.write(Buffer.concat([...this.#framed(this.#queue), controlFrame(controls.STOP)]))
      })
      this.#timer?.cancel()
    }
    this.#phase = 'closed'
    const socket = this.#socket
    this.#socket = undefined
    socket?.destroy()
  }

  #flush(): void {
    const socket = this.#socket
    if (!socket || this.#phase !== 'streaming') return
    let taken = 0
    while (taken < this.#queue.length && socket.writableLength < this.#options.buffer) {
      const first = taken
      for (let bytes = 0; taken < this.#queue.length && bytes < CHUNK; taken++) bytes += 4 + this.#queue[taken]!.length
      socket.write(Buffer.concat([...this.#framed(this.#queue.slice(first, taken))]))
    }
    if (taken > 0) this.#queue = this.#queue.slice(taken)
  }

  *#framed(payloads: readonly Buffer[]): Generator<Buffer> {
    for (const payload of payloads) {
      yield unsigned(payload.length)
      yield payload
    }
  }

  #read(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk])
    while (this.#received.length >= 8) {
      const length = this.#received.readUInt32BE(4)
      if (this.#received.readUInt32BE(0) !== 0 || length < 4 || length > MOST_CONTROL) {
        this.#lose('the reader does not speak Frame Streams')
        return
      }
      if (this.#received.length < 8 + length) return
      const type = this.#received.readUInt32BE(8)
      const fields = this.#received.subarray(12, 8 + length)
      this.#received = this.#received.subarray(8 + length)
      if (type === controls.ACCEPT && this.#phase === 'ready') this.#begin(contentTypes(fields))
      else if (type === controls.FINISH) this.#lose('the reader finished')
    }
  }

  #begin(types: readonly string[]): void {
    const { contentType } = this.#options
    if (types.length > 0 && !types.includes(contentType)) {
      this.#lose(`the reader does not take ${contentType}`)
      return
    }
    this.#timer?.cancel()
    this.#phase = 'streaming'
    this.#backoff.reset()
    this.#options.onConnect()
    this.#socket!.write(controlFrame(controls.START, contentType))
    this.#flush()
  }

  #lose(reason: string): void {
    const socket = this.#socket
    this.#socket = undefined
    this.#timer?.cancel()
    socket?.destroy()
    if (this.#finished) {
      this.#finished()
      return
    }
    const { reconnects, onDisconnect, clock } = this.#options
    this.#phase = reconnects ? 'idle' : 'closed'
    if (reconnects) this.#timer = clock.after(this.#backoff.next(), () => this.start())
    onDisconnect(reason)
  }
}
