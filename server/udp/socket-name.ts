/** Addresses between the bytes of the kernel (sockaddr, packet information) and the text that the rest handles. */
import { networkInterfaces } from 'node:os'
import ipaddr from 'ipaddr.js'
import type { Endpoint } from '#resolver/query.ts'
import type { BindAddress } from '../bind-address.ts'
import { type DatagramAddress, socketAddress } from '../system-calls.ts'
import { SOCKADDR_IN } from './datagram-batch.ts'

/** Ten times as quick as `join`, and needed for each question that the main thread is handed. */
const ipv4Text = (bytes: Buffer, at: number): string =>
  `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`

/** RFC 5952. */
const ipv6Text = (bytes: Buffer, at: number): string =>
  ipaddr.fromByteArray([...bytes.subarray(at, at + 16)]).toString()

const scopeText = (scope: number): string => (scope === 0 ? '' : `%${interfaceName(scope) ?? scope}`)

const interfaceName = (scope: number): string | undefined =>
  Object.entries(networkInterfaces()).find(([, entries]) =>
    entries?.some(entry => entry.family === 'IPv6' && entry.scopeid === scope),
  )?.[0]

/**
 * Where a datagram came from: the name that stands from `at` to `end`. sockaddr_in: port at 2, address at 4.
 * sockaddr_in6: port at 2, address at 8, scope at 24.
 */
export const endpointOf = (bytes: Buffer, at = 0, end = bytes.length): Endpoint => {
  const port = bytes.readUInt16BE(at + 2)
  if (end - at <= SOCKADDR_IN) return { address: ipv4Text(bytes, at + 4), port }
  return { address: ipv6Text(bytes, at + 8) + scopeText(bytes.readUInt32LE(at + 24)), port }
}

/**
 * Which of our addresses it was sent to, by the packet information from `at` to `end`: in_pktinfo has it at 8, in6_pktinfo
 * at 0; struct cmsghdr (16) stands before.
 */
export const destinationOf = (bytes: Buffer, at: number, end: number): string =>
  end - at < 40 ? ipv4Text(bytes, at + 24) : ipv6Text(bytes, at + 16)

/** What a socket is bound to, as the kernel takes it. */
export const datagramAddress = ({ address }: BindAddress, port: number): DatagramAddress => {
  const [text = '', zone = ''] = address.split('%')
  const raw = Buffer.from(ipaddr.parse(text).toByteArray())
  return socketAddress(raw, port, zone === '' ? 0 : scopeOf(zone))
}

const scopeOf = (zone: string): number => {
  if (/^\d+$/.test(zone)) return Number(zone)
  const entry = networkInterfaces()[zone]?.find(({ family }) => family === 'IPv6')
  return entry?.family === 'IPv6' ? entry.scopeid : 0
}
