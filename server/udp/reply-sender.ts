/** Sends one datagram from the main thread on a worker's socket, from the address that the question came to. */

import { MSG_DONTWAIT, systemCalls } from '../system-calls.ts'
import { CONTROL_SIZE, freeInterface, NAME_SIZE } from './datagram-batch.ts'
import type { MissRecord } from './miss-records.ts'

/** struct msghdr of 64-bit Linux. Offsets in bytes. */
const MESSAGE_SIZE = 56
const AT = { name: 0, nameLength: 8, iov: 16, iovLength: 24, control: 32, controlLength: 40 }

export class ReplySender {
  readonly #message = Buffer.from(new ArrayBuffer(MESSAGE_SIZE))
  readonly #vector = Buffer.from(new ArrayBuffer(16))
  readonly #name = Buffer.from(new ArrayBuffer(NAME_SIZE))
  readonly #control = Buffer.from(new ArrayBuffer(CONTROL_SIZE))
  /** RFC 1035 §4.2.1: no datagram is longer. */
  readonly #bytes = Buffer.from(new ArrayBuffer(0x10000))
  readonly #sendmsg = systemCalls().sendmsg

  constructor() {
    const { addressOf } = systemCalls()
    this.#vector.writeBigUInt64LE(addressOf(this.#bytes), 0)
    this.#message.writeBigUInt64LE(addressOf(this.#name), AT.name)
    this.#message.writeBigUInt64LE(addressOf(this.#vector), AT.iov)
    this.#message.writeBigUInt64LE(1n, AT.iovLength)
    this.#message.writeBigUInt64LE(addressOf(this.#control), AT.control)
  }

  /** Whether the system took it. */
  send(fd: number, { name, control }: MissRecord, reply: Buffer): boolean {
    this.#message.writeUInt32LE(name.copy(this.#name), AT.nameLength)
    this.#message.writeUInt32LE(control.copy(this.#control), AT.controlLength)
    if (control.length > 0) freeInterface(this.#control, 0)
    this.#vector.writeUInt32LE(reply.copy(this.#bytes), 8)
    return this.#sendmsg(fd, this.#message, MSG_DONTWAIT) >= 0
  }
}
