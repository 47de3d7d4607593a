/** IP addresses and CIDRs in fields: Kubernetes's checks and words. */
import { isIPv4, isIPv6 } from 'node:net'
import ipaddr from 'ipaddr.js'
import { type FieldError, fieldInvalid } from './field-error.ts'

export type IpFamily = 'IPv4' | 'IPv6'

type Address = ipaddr.IPv4 | ipaddr.IPv6

const NOT_AN_IP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
const NOT_A_CIDR = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'

/** Undefined for what is no address; zones (`fe80::1%eth0`) and leading zeros are none. */
export const parseIp = (text: string): Address | undefined => {
  if (isIPv4(text)) return ipaddr.IPv4.parse(text)
  return isIPv6(text) && !text.includes('%') ? ipaddr.IPv6.parse(text) : undefined
}

export const familyOf = (text: string): IpFamily | undefined => {
  const address = parseIp(text)
  if (!address) return undefined
  return address instanceof ipaddr.IPv6 ? 'IPv6' : 'IPv4'
}

const isMapped = (address: Address): boolean => address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()

/** RFC 5952 for IPv6. */
const canonicalText = (address: Address): string =>
  address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString()

/** Any valid spelling, as fields older than the canonical form take it. */
export const validateIp = (field: string, value: string): FieldError[] => {
  const address = parseIp(value)
  if (!address) return [fieldInvalid(field, value, NOT_AN_IP)]
  return isMapped(address) ? [fieldInvalid(field, value, 'must not be an IPv4-mapped IPv6 address')] : []
}

/** What of a valid spelling Kubernetes would rather see otherwise. */
export const ipWarnings = (field: string, value: string): string[] => {
  const address = parseIp(value)
  if (!address || isMapped(address) || canonicalText(address) === value) return []
  const [given, canonical] = [JSON.stringify(value), JSON.stringify(canonicalText(address))]
  return [`${field}: IPv6 address ${given} should be in RFC 5952 canonical format (${canonical})`]
}

/** The canonical spelling only (KEP-4858). */
export const validateCanonicalIp = (field: string, value: string): FieldError[] => {
  const errors = validateIp(field, value)
  const address = parseIp(value)
  if (errors.length > 0 || !address || canonicalText(address) === value) return errors
  return [fieldInvalid(field, value, `must be in canonical form (${JSON.stringify(canonicalText(address))})`)]
}

export interface Cidr {
  readonly address: Address
  readonly family: IpFamily
  readonly prefix: number
}

export const parseCidr = (text: string): Cidr | undefined => {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text)
  const address = parseIp(match?.[1] ?? '')
  const prefix = Number(match?.[2])
  if (!address || prefix > (address instanceof ipaddr.IPv6 ? 128 : 32)) return undefined
  return { address, family: address instanceof ipaddr.IPv6 ? 'IPv6' : 'IPv4', prefix }
}

const networkText = ({ address, prefix }: Cidr): string => {
  const bytes = address.toByteArray().map((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefix - index * 8))
    return byte & (0xff << (8 - bits))
  })
  return `${canonicalText(ipaddr.fromByteArray(bytes))}/${prefix}`
}

/** Any valid spelling; bits behind the prefix are the older fields' business. */
export const validateCidr = (field: string, value: string): FieldError[] => {
  const cidr = parseCidr(value)
  if (!cidr) return [fieldInvalid(field, value, NOT_A_CIDR)]
  return isMapped(cidr.address) ? [fieldInvalid(field, value, 'must not have an IPv4-mapped IPv6 address')] : []
}

/** Canonical spelling without bits behind the prefix. */
export const validateCanonicalCidr = (field: string, value: string): FieldError[] => {
  const errors = validateCidr(field, value)
  const cidr = parseCidr(value)
  if (errors.length > 0 || !cidr || networkText(cidr) === value) return errors
  const [address] = value.split('/')
  const detail =
    networkText(cidr).split('/')[0] === canonicalText(cidr.address) || address === undefined
      ? `must be in canonical form (${JSON.stringify(networkText(cidr))})`
      : 'must not have bits set beyond the prefix length'
  return [fieldInvalid(field, value, detail)]
}

/** An address where somebody else can be reached: what Endpoints and slices may hold. */
export const validateEndpointIp = (field: string, value: string): FieldError[] => {
  const errors = validateIp(field, value)
  const address = parseIp(value)
  if (errors.length > 0 || !address) return errors
  const told = (range: string) => [fieldInvalid(field, value, `may not be ${range}`)]
  const range = address.range()
  if (range === 'unspecified' && /^[0:.]+$/.test(canonicalText(address))) {
    return told(`unspecified (${JSON.stringify(value)})`)
  }
  if (range === 'loopback') return told('in the loopback range (127.0.0.0/8, ::1/128)')
  if (range === 'linkLocal') return told('in the link-local range (169.254.0.0/16, fe80::/10)')
  const [first = 0, second = 0, third = 0] = address.toByteArray()
  const linkLocalMulticast =
    address instanceof ipaddr.IPv6 ? first === 0xff && (second & 0x0f) === 2 : first === 224 && second + third === 0
  return linkLocalMulticast ? told('in the link-local multicast range (224.0.0.0/24, ff02::/10)') : []
}
