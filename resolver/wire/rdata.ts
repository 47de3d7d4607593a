/**
 * RDATA of the types that the resolver makes and reads, as values. `dns-packet` codes the types without names; names are
 * ours (it does not keep every byte of a name). `encode` wants valid values (a bug otherwise); `decode` wants RDATA that
 * `decodeResponse` or `encode` gave.
 */
import assert from 'node:assert'
import dnsPacket from 'dns-packet'
import ipaddr from 'ipaddr.js'
import { encodeName, readName } from './name.ts'
import type { DnsName } from './record.ts'

export interface RdataCodec<Value> {
  encode(value: Value): Buffer
  decode(data: Buffer): Value
}

/** A per-type codec of dns-packet: its bytes start with RDLENGTH. */
interface PacketCodec<Value> {
  encode(value: Value): Buffer
  decode(data: Buffer): Value
}

const packetCodecs = dnsPacket as unknown as {
  readonly a: PacketCodec<string>
  readonly aaaa: PacketCodec<string>
  readonly txt: { encode(value: Buffer[]): Buffer; decode(data: Buffer): Buffer[] }
}

const withLength = (data: Buffer): Buffer => {
  const bytes = Buffer.allocUnsafe(2 + data.length)
  bytes.writeUInt16BE(data.length, 0)
  data.copy(bytes, 2)
  return bytes
}

const adapt = <Value>(codec: PacketCodec<Value>): RdataCodec<Value> => ({
  encode: value => codec.encode(value).subarray(2),
  decode: data => codec.decode(withLength(data)),
})

/** A: dotted decimal. */
export const aData: RdataCodec<string> = adapt(packetCodecs.a)
/** AAAA: any text form in; RFC 5952 out, IPv4-mapped addresses with a dotted end (§5). */
export const aaaaData: RdataCodec<string> = {
  encode: adapt(packetCodecs.aaaa).encode,
  // dns-packet shortens the first run of zeros, RFC 5952 §4.2.3 the longest.
  decode(data) {
    const address = new ipaddr.IPv6([...data])
    return address.isIPv4MappedAddress() ? `::ffff:${address.toIPv4Address()}` : address.toRFC5952String()
  },
}

const nameAt = (data: Buffer, offset: number) => {
  const read = readName(data, offset)
  assert(read, 'RDATA without the name that its type has')
  return read
}

/** NS, CNAME, PTR, DNAME. */
export const nameData: RdataCodec<DnsName> = {
  encode: name => encodeName(name),
  decode: data => nameAt(data, 0).name,
}

export interface Soa {
  readonly mname: DnsName
  readonly rname: DnsName
  readonly serial: number
  /** Seconds, like the following. */
  readonly refresh: number
  readonly retry: number
  readonly expire: number
  /** TTL of negative answers (RFC 2308 §4). */
  readonly minimum: number
}

export const soaData: RdataCodec<Soa> = {
  encode({ mname, rname, serial, refresh, retry, expire, minimum }) {
    const numbers = Buffer.allocUnsafe(20)
    for (const [index, value] of [serial, refresh, retry, expire, minimum].entries()) {
      numbers.writeUInt32BE(value, 4 * index)
    }
    return Buffer.concat([encodeName(mname), encodeName(rname), numbers])
  },
  decode(data) {
    const mname = nameAt(data, 0)
    const rname = nameAt(data, mname.end)
    const number = (index: number) => data.readUInt32BE(rname.end + 4 * index)
    return {
      mname: mname.name,
      rname: rname.name,
      serial: number(0),
      refresh: number(1),
      retry: number(2),
      expire: number(3),
      minimum: number(4),
    }
  },
}

export interface Mx {
  readonly preference: number
  readonly exchange: DnsName
}

export const mxData: RdataCodec<Mx> = {
  encode({ preference, exchange }) {
    const data = encodeName(exchange, 2)
    data.writeUInt16BE(preference, 0)
    return data
  },
  decode: data => ({ preference: data.readUInt16BE(0), exchange: nameAt(data, 2).name }),
}

/** RFC 2782. */
export interface Srv {
  readonly priority: number
  readonly weight: number
  readonly port: number
  readonly target: DnsName
}

export const srvData: RdataCodec<Srv> = {
  encode({ priority, weight, port, target }) {
    const data = encodeName(target, 6)
    data.writeUInt16BE(priority, 0)
    data.writeUInt16BE(weight, 2)
    data.writeUInt16BE(port, 4)
    return data
  },
  decode: data => ({
    priority: data.readUInt16BE(0),
    weight: data.readUInt16BE(2),
    port: data.readUInt16BE(4),
    target: nameAt(data, 6).name,
  }),
}

/** TXT: one or more character-strings of up to 255 bytes (RFC 1035 §3.3.14). */
export const txtData: RdataCodec<readonly Buffer[]> = {
  encode(strings) {
    assert(strings.length > 0 && strings.every(string => string.length <= 255), 'a character-string has 255 bytes')
    return packetCodecs.txt.encode([...strings]).subarray(2)
  },
  decode: data => packetCodecs.txt.decode(withLength(data)),
}

export interface Hinfo {
  readonly cpu: string
  readonly os: string
}

/** HINFO: two character-strings, UTF-8 (RFC 1035 §3.3.2, RFC 8482 §4.2). */
export const hinfoData: RdataCodec<Hinfo> = {
  encode: ({ cpu, os }) => txtData.encode([Buffer.from(cpu), Buffer.from(os)]),
  decode(data) {
    const [cpu = Buffer.alloc(0), os = Buffer.alloc(0)] = txtData.decode(data)
    return { cpu: cpu.toString(), os: os.toString() }
  },
}
