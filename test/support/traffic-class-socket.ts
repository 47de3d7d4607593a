/**
 * A datagram socket on loopback that says with which TOS (IPv4) or traffic class (IPv6) its datagrams leave, and sees with
 * which others come: node:dgram does neither. Linux.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import koffi from 'koffi'
import { MSG_DONTWAIT, openDatagramSocket, socketAddress, systemCalls } from '#server/system-calls.ts'

/** ip(7), ipv6(7): level, the option that sets it, the one that has it told, and how it is told. */
const options = {
  4: { level: 0, set: 1, tell: 13, told: 1 },
  6: { level: 41, set: 67, tell: 66, told: 67 },
} as const

const loopback = { 4: [127, 0, 0, 1], 6: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1] } as const

/** struct mmsghdr, struct iovec, struct cmsghdr: bytes. */
const MMSGHDR = 64
const IOVEC = 16
const CMSGHDR = 16
const PAYLOAD = 4096
const CONTROL = 64

export interface ClassedDatagram {
  readonly data: Buffer
  readonly trafficClass: number
}

export class TrafficClassSocket {
  readonly port: number
  readonly #fd: number
  readonly #family: 4 | 6

  constructor(family: 4 | 6) {
    this.#family = family
    const address = socketAddress(Uint8Array.from(loopback[family]), 0)
    const settings = { reusePort: false, packetInfo: false, receiveBuffer: 65_536, receiveTimeout: 50 }
    const { fd, port } = openDatagramSocket(address, settings)
    this.#fd = fd
    this.port = port
    this.#set(options[family].tell, 1)
  }

  send(data: Buffer, port: number, trafficClass: number): void {
    this.#set(options[this.#family].set, trafficClass)
    const { bytes } = socketAddress(Uint8Array.from(loopback[this.#family]), port)
    const sendTo = koffi.load(null).func('long sendto(int, void *, size_t, int, void *, uint)')
    if (sendTo(this.#fd, data, data.length, 0, bytes, bytes.length) !== data.length) throw new Error('sendto failed')
  }

  /** The next one, within 60 s. */
  async receive(): Promise<ClassedDatagram> {
    const { addressOf, recvmmsg } = systemCalls()
    const payload = Buffer.alloc(PAYLOAD)
    const control = Buffer.alloc(CONTROL)
    const vector = Buffer.alloc(IOVEC)
    vector.writeBigUInt64LE(addressOf(payload), 0)
    vector.writeBigUInt64LE(BigInt(PAYLOAD), 8)
    const message = Buffer.alloc(MMSGHDR)
    message.writeBigUInt64LE(addressOf(vector), 16)
    message.writeBigUInt64LE(1n, 24)
    message.writeBigUInt64LE(addressOf(control), 32)
    message.writeBigUInt64LE(BigInt(CONTROL), 40)
    for (const end = performance.now() + 60_000; performance.now() < end; await sleep(2))
      if (recvmmsg(this.#fd, message, 1, MSG_DONTWAIT, null) === 1)
        return { data: payload.subarray(0, message.readUInt32LE(56)), trafficClass: this.#told(control) }
    throw new Error('nothing came within 60 s')
  }

  close(): void {
    systemCalls().close(this.#fd)
  }

  #told(control: Buffer): number {
    const { level, told } = options[this.#family]
    if (control.readInt32LE(8) !== level || control.readInt32LE(12) !== told)
      throw new Error('no traffic class is told')
    return control[CMSGHDR]!
  }

  #set(option: number, value: number): void {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32LE(value)
    if (systemCalls().setsockopt(this.#fd, options[this.#family].level, option, bytes, 4) < 0)
      throw new Error(`setsockopt ${option} failed`)
  }
}
