/** IP addresses between the API's text, reverse names, dashed labels and RDATA. */
import { isIPv4, isIPv6 } from 'node:net'
import { recordTypes } from '../wire/codes.ts'
import { aaaaData } from '../wire/rdata.ts'
import type { DnsName } from '../wire/record.ts'

/**
 * What addresses are compared and indexed by: IPv4 as dotted text (the API's own string, no copy), IPv6 as 32
 * hexadecimal digits, since the API may hold several spellings of one address.
 */
export type AddressKey = string

/** An address as indexes hold it: 32 bits of IPv4, or the key of IPv6. */
export type IndexedAddress = number | AddressKey

export const indexedAddress = (key: AddressKey): IndexedAddress => (key.includes('.') ? ipv4Number(key) : key)

export const keyOfAddress = (address: IndexedAddress): AddressKey =>
  typeof address === 'string'
    ? address
    : `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`

/** Of dotted text, also of its first octets with a dot behind each. */
export const ipv4Number = (text: string): number => {
  let number = 0
  let octet = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x2e) {
      number = number * 256 + octet
      octet = 0
    } else {
      octet = octet * 10 + code - 0x30
    }
  }
  return number * 256 + octet
}

/** Undefined: not an address. */
export const addressKey = (text: string): AddressKey | undefined => {
  if (!text.includes(':')) return isIPv4(text) ? text : undefined
  return isPlainIPv6(text) ? aaaaData.encode(text).toString('hex') : undefined
}

/** Without what is no address. */
export const addressKeys = (texts: readonly string[]): readonly AddressKey[] =>
  texts.map(addressKey).filter(key => key !== undefined)

/** Node also takes addresses with a zone (`fe80::1%eth0`), which have no place in DNS. */
const isPlainIPv6 = (text: string): boolean => isIPv6(text) && !text.includes('%')

/** RDATA: 4 or 16 bytes. */
export const addressData = (key: AddressKey): Buffer => {
  if (key.length === 32 && !key.includes('.')) return Buffer.from(key, 'hex')
  const data = Buffer.allocUnsafe(4)
  let octet = 0
  let index = 0
  for (let position = 0; position < key.length; position++) {
    const code = key.charCodeAt(position)
    if (code === 0x2e) {
      data[index++] = octet
      octet = 0
    } else {
      octet = octet * 10 + code - 0x30
    }
  }
  data[index] = octet
  return data
}

/** The same of a client's address as sockets tell it, without its zone; of what is none, those of 0.0.0.0. */
export const clientBytes = (address: string): Buffer =>
  addressData(addressKey(address.replace(/%.*$/, '')) ?? '0.0.0.0')

/** A or AAAA, by the length of RDATA. */
export const addressType = (data: Buffer): number => (data.length === 4 ? recordTypes.A : recordTypes.AAAA)

/**
 * The label of an endpoint that has no name: `10-0-0-1`, `fd00-1--2`. One that would end in a dash gets a `0`
 * (`fd00-1--` → `fd00-1--0`), since a label must not (RFC 1123 §2.1).
 */
export const dashedAddress = (key: AddressKey): string => {
  if (key.includes('.')) return key.replaceAll('.', '-')
  const label = aaaaData.decode(Buffer.from(key, 'hex')).replaceAll(':', '-')
  return label.endsWith('-') ? `${label}0` : label
}

/** The address that a pod's label spells: three single dashes make IPv4, anything else IPv6 (DNS specification §2.6). */
export const parseDashedAddress = (label: string): AddressKey | undefined => {
  if (/^\d+-\d+-\d+-\d+$/.test(label)) return addressKey(label.replaceAll('-', '.'))
  return /^[0-9a-f-]+$/.test(label) ? addressKey(label.replaceAll('-', ':')) : undefined
}

/** The name of its PTR records (RFC 1035 §3.5, RFC 3596 §2.5). */
export const reverseName = (key: AddressKey): DnsName =>
  key.includes('.')
    ? `${key.split('.').reverse().join('.')}.in-addr.arpa.`
    : `${[...key].reverse().join('.')}.ip6.arpa.`
