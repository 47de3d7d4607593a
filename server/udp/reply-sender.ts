/**
 * Sends datagrams from the main thread on workers' sockets, each from the address that the question came to: all that are
 * ready at one moment in one system call.
 */
import { MSG_DONTWAIT, systemCalls } from '../system-calls.ts'
import { CONTROL_SIZE, freeInterface, NAME_STRIDE, OUTPUT_SIZE } from './datagram-batch.ts'
import type { MissRecord } from './miss-records.ts'

/** struct mmsghdr of 64-bit Linux: msghdr (56), the length, padding. Offsets in words of 4 bytes. */
const MESSAGE = 16
const AT = { name: 0, nameLength: 2, iov: 4, iovLength: 6, control: 8, controlLength: 10 }
/** struct iovec: address, length. */
const VECTOR = 4
const VECTOR_LENGTH = 2
const WORD = 2 ** 32

/** Datagrams that wait at most: about as many as the dispatcher answers in one go. */
const SLOTS = 32

export class ReplySender {
  readonly #messages = new Uint32Array(SLOTS * MESSAGE)
  readonly #vectors = new Uint32Array(SLOTS * VECTOR)
  readonly #names = memory(SLOTS * NAME_STRIDE)
  readonly #controls = memory(SLOTS * CONTROL_SIZE)
  readonly #replies = memory(SLOTS * OUTPUT_SIZE)
  readonly #header = Buffer.from(this.#messages.buffer)
  readonly #sendmmsg = systemCalls().sendmmsg
  readonly #lost: () => void
  #fd = -1
  #count = 0

  /** `lost`: the system did not take a datagram. */
  constructor(lost: () => void) {
    this.#lost = lost
    for (let slot = 0; slot < SLOTS; slot++) {
      const header = slot * MESSAGE
      link(this.#messages, header + AT.name, this.#names, slot * NAME_STRIDE)
      link(this.#messages, header + AT.iov, Buffer.from(this.#vectors.buffer), slot * VECTOR * 4)
      this.#messages[header + AT.iovLength] = 1
      link(this.#messages, header + AT.control, this.#controls, slot * CONTROL_SIZE)
      link(this.#vectors, slot * VECTOR, this.#replies, slot * OUTPUT_SIZE)
    }
  }

  /** Whether none waits to be sent. */
  get isEmpty(): boolean {
    return this.#count === 0
  }

  /** Takes a reply of at most `OUTPUT_SIZE` bytes, which leaves with the next `flush`. */
  add(fd: number, { records, name, control, controlEnd }: MissRecord, reply: Buffer): void {
    if (fd !== this.#fd || this.#count === SLOTS) this.flush()
    this.#fd = fd
    const slot = this.#count++
    const header = slot * MESSAGE
    records.copy(this.#names, slot * NAME_STRIDE, name, control)
    this.#messages[header + AT.nameLength] = control - name
    this.#messages[header + AT.controlLength] = controlEnd - control
    if (controlEnd > control) {
      records.copy(this.#controls, slot * CONTROL_SIZE, control, controlEnd)
      freeInterface(this.#controls, slot * CONTROL_SIZE)
    }
    this.#vectors[slot * VECTOR + VECTOR_LENGTH] = reply.copy(this.#replies, slot * OUTPUT_SIZE)
  }

  /** A datagram that the system does not take is lost, as it may be anywhere on its way; those behind it are sent. */
  flush(): void {
    for (let done = 0; done < this.#count; ) {
      const rest = done === 0 ? this.#header : this.#header.subarray(done * MESSAGE * 4)
      const sent: number = this.#sendmmsg(this.#fd, rest, this.#count - done, MSG_DONTWAIT)
      if (sent <= 0) this.#lost()
      done += Math.max(sent, 1)
    }
    this.#count = 0
  }
}

/** That never moves. */
const memory = (size: number): Buffer => Buffer.from(new ArrayBuffer(size))

/** Writes the address of `target` at `offset` into two words. */
const link = (words: Uint32Array, at: number, target: Buffer, offset: number): void => {
  const address = Number(systemCalls().addressOf(target)) + offset
  words[at] = address % WORD
  words[at + 1] = Math.floor(address / WORD)
}
