/**
 * Datagrams on their way from a worker to the main thread, in one piece of memory: the number of the socket that they came
 * to, and one after the other the client's address and the packet information as the kernel wrote them, so that the reply
 * can be sent with both, and the bytes.
 */
import { CONTROL_SIZE, NAME_SIZE } from './datagram-batch.ts'

/** Where the first record begins, behind the socket's number. */
export const FIRST_RECORD = 4

/** Lengths of name and control (a byte each), of the packet (2), then name, control, packet. */
const HEAD = 4

/** What is written. */
interface Datagram {
  /** sockaddr */
  readonly name: Buffer
  /** cmsghdr with the packet information; empty: none. */
  readonly control: Buffer
  readonly packet: Buffer
}

/** A record that was read: its parts stand one behind the other. */
export interface MissRecord {
  readonly records: Buffer
  /** Where the sockaddr begins. */
  readonly name: number
  /** Where it ends, and cmsghdr with the packet information begins. */
  readonly control: number
  /** Where that ends. */
  readonly controlEnd: number
  readonly packet: Buffer
}

const recordSize = (name: number, control: number, packet: number): number => HEAD + name + control + packet

/** Room for `count` records of at most `packet` bytes each. */
export const roomForRecords = (count: number, packet: number): Buffer =>
  Buffer.alloc(FIRST_RECORD + count * recordSize(NAME_SIZE, CONTROL_SIZE, packet))

export const writeSocket = (to: Buffer, socket: number): void => {
  to.writeUInt32LE(socket, 0)
}

export const readSocket = (records: Buffer): number => records.readUInt32LE(0)

/** Writes a record at `at`; where the next one begins. */
export const writeRecord = (to: Buffer, at: number, { name, control, packet }: Datagram): number => {
  to[at] = name.length
  to[at + 1] = control.length
  to.writeUInt16BE(packet.length, at + 2)
  let end = at + HEAD
  end += name.copy(to, end)
  end += control.copy(to, end)
  return end + packet.copy(to, end)
}

/** Gives each record to `take`, in their order. `records` must not change any more. */
export const readRecords = (records: Buffer, take: (record: MissRecord) => void): void => {
  for (let at = FIRST_RECORD; at < records.length; ) {
    const name = at + HEAD
    const control = name + records[at]!
    const controlEnd = control + records[at + 1]!
    const end = controlEnd + records.readUInt16BE(at + 2)
    take({ records, name, control, controlEnd, packet: records.subarray(controlEnd, end) })
    at = end
  }
}
