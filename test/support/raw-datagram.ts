/** UDP datagrams that no ordinary socket sends: from any port, 0 included (raw(7); needs root). IPv4 loopback only. */
import koffi from 'koffi'

const AF_INET = 2
const SOCK_RAW = 3
const IPPROTO_UDP = 17
const UDP_HEADER = 8

export interface RawDatagram {
  readonly from: number
  readonly to: number
  readonly data: Buffer
}

/** `false`: the system does not let this process do it. */
export const sendRawDatagram = ({ from, to, data }: RawDatagram): boolean => {
  const library = koffi.load('libc.so.6')
  const makeSocket = library.func('int socket(int, int, int)')
  const sendTo = library.func('long sendto(int, const void *, size_t, int, const void *, uint32_t)')
  const close = library.func('int close(int)')
  const descriptor: number = makeSocket(AF_INET, SOCK_RAW, IPPROTO_UDP)
  if (descriptor < 0) return false
  // A checksum of 0: none (RFC 768).
  const header = Buffer.alloc(UDP_HEADER)
  header.writeUInt16BE(from, 0)
  header.writeUInt16BE(to, 2)
  header.writeUInt16BE(UDP_HEADER + data.length, 4)
  const packet = Buffer.concat([header, data])
  const loopback = Buffer.from([AF_INET, 0, 0, 0, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0])
  const sent: number = sendTo(descriptor, packet, packet.length, 0, loopback, loopback.length)
  close(descriptor)
  return sent === packet.length
}
