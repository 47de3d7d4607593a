/**
 * Datagrams on their way from a worker to the main thread, one after the other in one piece of memory: the client's
 * address and the packet information as the kernel wrote them, so that the reply can be sent with both, and the bytes.
 */
import { CONTROL_SIZE, NAME_SIZE } from './datagram-batch.ts'

/** Lengths of name and control (a byte each), of the packet (2), then name, control, packet. */
const HEAD = 4

export interface MissRecord {
  /** sockaddr */
  readonly name: Buffer
  /** cmsghdr with the packet information; empty: none. */
  readonly control: Buffer
  readonly packet: Buffer
}

const recordSize = (name: number, control: number, packet: number): number => HEAD + name + control + packet

/** The most that a record takes, for `packet` bytes. */
export const maxRecordSize = (packet: number): number => recordSize(NAME_SIZE, CONTROL_SIZE, packet)

/** Writes a record at `at`; where the next one begins. */
export const writeRecord = (to: Buffer, at: number, { name, control, packet }: MissRecord): number => {
  to[at] = name.length
  to[at + 1] = control.length
  to.writeUInt16BE(packet.length, at + 2)
  let end = at + HEAD
  end += name.copy(to, end)
  end += control.copy(to, end)
  return end + packet.copy(to, end)
}

/** Views into `records`, which must not change any more. */
export function* readRecords(records: Buffer): Generator<MissRecord, void> {
  for (let at = 0; at < records.length; ) {
    const name = at + HEAD
    const control = name + records[at]!
    const packet = control + records[at + 1]!
    const end = packet + records.readUInt16BE(at + 2)
    yield {
      name: records.subarray(name, control),
      control: records.subarray(control, packet),
      packet: records.subarray(packet, end),
    }
    at = end
  }
}
