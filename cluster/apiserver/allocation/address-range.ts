/**
 * The addresses of one CIDR that Services may have, as Kubernetes counts them: never the network address, never
 * IPv4's broadcast address. The low band is for addresses that people choose, the rest for those that we choose
 * (KEP-3070); a choice falls into the low band only when the rest is full.
 */
import ipaddr from 'ipaddr.js'
import { familyOf, type IpFamily, parseCidr, parseIp } from '#cluster/api/ip.ts'
import type { Random } from '#lib/random.ts'

export interface AddressRange {
  readonly family: IpFamily
  readonly first: bigint
  /** The first address above the low band. */
  readonly dynamic: bigint
  readonly last: bigint
}

type Address = NonNullable<ReturnType<typeof parseIp>>

const BYTES = { IPv4: 4, IPv6: 16 } as const

const numberOf = (address: Address): bigint =>
  address.toByteArray().reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)

const canonicalText = (address: Address): string =>
  // RFC 5952: the one way to write an IPv6 address.
  address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString()

const formatAddress = (family: IpFamily, value: bigint): string => {
  const length = BYTES[family]
  const bytes = Array.from({ length }, (_, index) => Number((value >> BigInt(8 * (length - 1 - index))) & 255n))
  return canonicalText(ipaddr.fromByteArray(bytes))
}

/** The name of an address's IPAddress object; undefined when `text` is no address. */
export const canonicalAddress = (text: string): string | undefined => {
  const address = parseIp(text)
  return address && canonicalText(address)
}

/** KEP-3070: a sixteenth of the range, at least 16, at most 256; none where the range has 16 addresses or fewer. */
const lowBand = (size: bigint): bigint => {
  if (size <= 16n) return 0n
  const sixteenth = size / 16n
  return sixteenth < 16n ? 16n : sixteenth > 256n ? 256n : sixteenth
}

/** Undefined when `text` is no CIDR. */
export const parseRange = (text: string): AddressRange | undefined => {
  const cidr = parseCidr(text)
  if (!cidr) return undefined
  const { address, family, prefix } = cidr
  const size = 1n << BigInt(8 * BYTES[family] - prefix)
  const network = numberOf(address) - (numberOf(address) % size)
  const first = network + 1n
  const last = network + size - (family === 'IPv4' ? 2n : 1n)
  return { family, first, dynamic: first + lowBand(size), last }
}

export const contains = (range: AddressRange, text: string): boolean => {
  const address = parseIp(text)
  if (!address || familyOf(text) !== range.family) return false
  const value = numberOf(address)
  return value >= range.first && value <= range.last
}

/** Uniform below `limit`; 2^48 at once is as much as Random gives. */
const randomBelow = (random: Random, limit: bigint): bigint => {
  const step = 1n << 48n
  if (limit <= step) return BigInt(random.integer(Number(limit)))
  return ((BigInt(random.integer(Number(step))) << 48n) | BigInt(random.integer(Number(step)))) % limit
}

/** The first address free in [first, last], from a random one on, around the end. */
const chooseBetween = (
  { family }: AddressRange,
  [first, last]: readonly [bigint, bigint],
  random: Random,
  taken: (address: string) => boolean,
): string | undefined => {
  const size = last - first + 1n
  if (size <= 0n) return undefined
  const start = randomBelow(random, size)
  for (let step = 0n; step < size; step++) {
    const address = formatAddress(family, first + ((start + step) % size))
    if (!taken(address)) return address
  }
  return undefined
}

/**
 * A free address of `range`: above the low band, or in it when there is none above. Undefined when all are taken.
 * Takes about as many steps as there are neighbours taken, so one or two unless the range is nearly full.
 */
export const chooseAddress = (
  range: AddressRange,
  random: Random,
  taken: (address: string) => boolean,
): string | undefined =>
  chooseBetween(range, [range.dynamic, range.last], random, taken) ??
  chooseBetween(range, [range.first, range.dynamic - 1n], random, taken)
