/**
 * Room for many datagrams that are received and answered with one system call each way: the arrays of `struct mmsghdr`
 * that recvmmsg(2) and sendmmsg(2) take, over one block of memory that is made once.
 *
 * Slot i of what was received is answered in slot i: the client's address and, on a wildcard, the address that it asked
 * are the same memory for both calls, so a reply leaves from where the question came to (IP_PKTINFO, RFC 3542 §4).
 */
import { MSG_DONTWAIT, MSG_WAITFORONE, systemCalls } from '../system-calls.ts'

/** As the prototype measured: beyond 64 a call gains nothing any more, and the last one waits for the first. */
export const SLOTS = 64
/** A query with everything that is known today stays below 1,500 bytes; what is longer is cut, and so is malformed. */
export const INPUT_SIZE = 4096
/** The longest reply over UDP that this server gives (1,232 bytes), and room for what a later option may allow. */
export const OUTPUT_SIZE = 4096

/** struct sockaddr_in. */
export const SOCKADDR_IN = 16
/** sockaddr_in6 is the longest. */
export const NAME_SIZE = 28
/** struct cmsghdr (16) and in6_pktinfo (20), aligned. */
export const CONTROL_SIZE = 40

/** From one name to the next: aligned. */
export const NAME_STRIDE = 32

/** struct mmsghdr of 64-bit Linux: msghdr (56), the length, padding. Offsets in bytes. */
const MESSAGE_SIZE = 64
const AT = { name: 0, nameLength: 8, iov: 16, iovLength: 24, control: 32, controlLength: 40, length: 56 }
const IOV_SIZE = 16
/** struct cmsghdr: length (8), level, type, then the data. */
const CMSG = { level: 8, data: 16 }
const IPPROTO_IP = 0
/** fe80::/16 of fe80::/10: what machines use (RFC 4291 §2.5.6). */
const LINK_LOCAL = 0xfe80

export class DatagramBatch {
  readonly input: Buffer
  readonly output: Buffer
  readonly names: Buffer
  readonly control: Buffer
  /** The same memory, in words of 4 bytes. */
  readonly inputWords: Int32Array
  readonly nameWords: Int32Array
  readonly #receive: Buffer
  readonly #send: Buffer
  readonly #receiveWords: Uint32Array
  readonly #sendWords: Uint32Array
  readonly #outputVectors: Uint32Array
  /** Slots whose lengths the kernel has written to. */
  #used = SLOTS
  readonly #recvmmsg = systemCalls().recvmmsg
  readonly #sendmmsg = systemCalls().sendmmsg

  constructor() {
    const block = new Block(
      SLOTS * (INPUT_SIZE + OUTPUT_SIZE + NAME_STRIDE + CONTROL_SIZE + 2 * MESSAGE_SIZE + 2 * IOV_SIZE),
    )
    this.input = block.take(INPUT_SIZE)
    this.output = block.take(OUTPUT_SIZE)
    this.names = block.take(NAME_STRIDE)
    this.control = block.take(CONTROL_SIZE)
    this.inputWords = new Int32Array(this.input.buffer, this.input.byteOffset, this.input.length / 4)
    this.nameWords = new Int32Array(this.names.buffer, this.names.byteOffset, this.names.length / 4)
    this.#receive = block.take(MESSAGE_SIZE)
    this.#send = block.take(MESSAGE_SIZE)
    const inputVectors = block.take(IOV_SIZE)
    const outputVectors = block.take(IOV_SIZE)
    this.#receiveWords = words(this.#receive)
    this.#sendWords = words(this.#send)
    this.#outputVectors = words(outputVectors)
    for (let slot = 0; slot < SLOTS; slot++) {
      link(inputVectors, slot * IOV_SIZE, this.input, slot * INPUT_SIZE)
      inputVectors.writeBigUInt64LE(BigInt(INPUT_SIZE), slot * IOV_SIZE + 8)
      link(outputVectors, slot * IOV_SIZE, this.output, slot * OUTPUT_SIZE)
      this.#linkHeader(this.#receive, slot, inputVectors)
      this.#linkHeader(this.#send, slot, outputVectors)
    }
  }

  #linkHeader(headers: Buffer, slot: number, vectors: Buffer): void {
    const header = slot * MESSAGE_SIZE
    link(headers, header + AT.name, this.names, slot * NAME_STRIDE)
    link(headers, header + AT.iov, vectors, slot * IOV_SIZE)
    headers.writeBigUInt64LE(1n, header + AT.iovLength)
    link(headers, header + AT.control, this.control, slot * CONTROL_SIZE)
  }

  /**
   * Takes what is at the socket, at most `SLOTS` datagrams. `waits`: if there is nothing, for the first of them, as long as
   * the socket's timeout. How many came; 0: none, or a failure that the next poll shows again.
   */
  receive(fd: number, waits: boolean): number {
    const header = this.#receiveWords
    // Value-result arguments: the kernel wrote what it used.
    for (let slot = 0; slot < this.#used; slot++) {
      header[(slot * MESSAGE_SIZE + AT.nameLength) / 4] = NAME_SIZE
      header[(slot * MESSAGE_SIZE + AT.controlLength) / 4] = CONTROL_SIZE
    }
    this.#used = Math.max(
      0,
      this.#recvmmsg(fd, this.#receive, SLOTS, waits ? MSG_WAITFORONE : MSG_DONTWAIT, null) as number,
    )
    return this.#used
  }

  /** Bytes of the datagram in a slot. */
  lengthOf(slot: number): number {
    return this.#receiveWords[(slot * MESSAGE_SIZE + AT.length) / 4]!
  }

  nameLengthOf(slot: number): number {
    return this.#receiveWords[(slot * MESSAGE_SIZE + AT.nameLength) / 4]!
  }

  controlLengthOf(slot: number): number {
    return this.#receiveWords[(slot * MESSAGE_SIZE + AT.controlLength) / 4]!
  }

  /** The reply in `output` at the slot has this many bytes. */
  setReply(slot: number, length: number): void {
    const header = (slot * MESSAGE_SIZE) / 4
    const sending = this.#sendWords
    const received = this.#receiveWords
    this.#outputVectors[(slot * IOV_SIZE + 8) / 4] = length
    sending[header + AT.nameLength / 4] = received[header + AT.nameLength / 4]!
    const control = received[header + AT.controlLength / 4]!
    sending[header + AT.controlLength / 4] = control
    if (control > 0) freeInterface(this.control, slot * CONTROL_SIZE)
  }

  /** Sends the replies of the slots from `first` on. How many the system took. */
  send(fd: number, first: number, count: number): number {
    return this.#sendmmsg(fd, first === 0 ? this.#send : this.#send.subarray(first * MESSAGE_SIZE), count, MSG_DONTWAIT)
  }
}

/**
 * The packet information says by which interface a datagram came; a reply goes by the routes, except to the link-local
 * addresses that mean nothing without their interface (RFC 4007 §6).
 */
export const freeInterface = (control: Buffer, at: number): void => {
  if (control.readUInt32LE(at + CMSG.level) === IPPROTO_IP) control.writeUInt32LE(0, at + CMSG.data)
  else if (control.readUInt16BE(at + CMSG.data) !== LINK_LOCAL) control.writeUInt32LE(0, at + CMSG.data + 16)
}

/** Consecutive parts of one piece of memory that never moves. */
class Block {
  readonly #memory: Buffer
  #end = 0

  constructor(size: number) {
    this.#memory = Buffer.from(new ArrayBuffer(size))
  }

  /** Room for `SLOTS` things of this size. */
  take(size: number): Buffer {
    return this.#memory.subarray(this.#end, (this.#end += size * SLOTS))
  }
}

/** Writes the address of `target` at `offset` of `memory`. */
const link = (memory: Buffer, at: number, target: Buffer, offset: number): void => {
  memory.writeBigUInt64LE(systemCalls().addressOf(target) + BigInt(offset), at)
}

const words = (memory: Buffer): Uint32Array => new Uint32Array(memory.buffer, memory.byteOffset, memory.length / 4)
