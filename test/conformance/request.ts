/** A case's request as bytes. */
import { opcodes, parseClass, parseType } from '#resolver/wire/codes.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import { skipName } from '#resolver/wire/name.ts'
import { soaData } from '#resolver/wire/rdata.ts'
import type { ConformanceCase } from './cases.ts'

const HEADER_LENGTH = 12

/** Root owner, type A, class IN, TTL 0, 192.0.2.1: a record that a query has no business to carry. */
const STRAY_RECORD = Buffer.from('0000010001000000000004c0000201', 'hex')

const withQuestions = (packet: Buffer, count: number): Buffer => {
  const end = skipName(packet, HEADER_LENGTH)! + 4
  const question = packet.subarray(HEADER_LENGTH, end)
  const questions = Array.from({ length: count }, () => question)
  const changed = Buffer.concat([packet.subarray(0, HEADER_LENGTH), ...questions, packet.subarray(end)])
  changed.writeUInt16BE(count, 4)
  return changed
}

/** Only for requests without OPT: the strays go to the end. */
const withStrayAnswers = (packet: Buffer, count: number): Buffer => {
  const changed = Buffer.concat([packet, ...Array.from({ length: count }, () => STRAY_RECORD)])
  changed.writeUInt16BE(count, 6)
  return changed
}

/** RFC 1995 §3: the client's SOA in the authority section. Only for requests without OPT: it goes to the end. */
export const withSerial = (packet: Buffer, serial: number): Buffer => {
  const timers = { refresh: 0, retry: 0, expire: 0, minimum: 0 }
  const data = soaData.encode({ mname: '.', rname: '.', serial, ...timers })
  // The owner is the question's name; type SOA, class IN, TTL 0.
  const head = Buffer.from('c00c00060001000000000000', 'hex')
  head.writeUInt16BE(data.length, 10)
  const changed = Buffer.concat([packet, head, data])
  changed.writeUInt16BE(1, 8)
  return changed
}

export const requestPacket = (
  { qname, qtype, qclass = 'IN', request = {} }: ConformanceCase,
  id: number,
  serial?: number,
): Buffer => {
  if (request.raw !== undefined) return Buffer.from(request.raw, 'hex')
  const { edns, rd = true, cd = false } = request
  let packet = encodeQuery({
    id,
    name: qname,
    type: parseType(qtype)!,
    class: parseClass(qclass)!,
    recursionDesired: rd,
    checkingDisabled: cd,
    edns: edns && {
      udpSize: edns.udpSize,
      dnssecOk: edns.do,
      options: edns.options.map(({ code, data }) => ({ code, data: Buffer.from(data, 'hex') })),
    },
  })
  // encodeQuery asks in version 0 only; the version is the second byte of OPT's TTL.
  if (edns && edns.version > 0) {
    const options = edns.options.reduce((length, { data }) => length + 4 + data.length / 2, 0)
    packet[packet.length - options - 5] = edns.version
  }
  if (request.opcode) packet[2] = packet[2]! | (opcodes[request.opcode as keyof typeof opcodes] << 3)
  if (request.qr) packet[2] = packet[2]! | 0x80
  if (request.qdcount !== undefined) packet = withQuestions(packet, request.qdcount)
  if (request.ancount !== undefined) packet = withStrayAnswers(packet, request.ancount)
  if (serial !== undefined) packet = withSerial(packet, serial)
  return packet
}
