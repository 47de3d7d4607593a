/** Addresses and ranges of the Internet Protocol: Kubernetes's library. Zones and IPv4 within IPv6 are refused, as there. */
import ipaddr from 'ipaddr.js'
import { type Cidr, parseCidr, parseIp } from '../../ip.ts'
import { type CallCost, traversal, walks } from '../cost/call-cost.ts'
import { sizeOf as measured, TRAVERSAL } from '../cost/estimate.ts'
import { scaled, sum } from '../cost/size.ts'
import { type CelFunction, globalFunction, method } from '../function.ts'
import { BOOL, foreign, INT, STRING } from '../type.ts'
import { CelError, Foreign, sizeOf } from '../value.ts'

type Address = NonNullable<ReturnType<typeof parseIp>>

const IP = foreign('net.IP')
const CIDR = foreign('net.CIDR')

const textOf = (address: Address): string =>
  address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString()

class IpValue extends Foreign {
  readonly typeName = 'net.IP'
  readonly address: Address

  constructor(address: Address) {
    super()
    this.address = address
  }

  equals(other: Foreign): boolean {
    return other instanceof IpValue && textOf(other.address) === textOf(this.address)
  }

  override get size(): number {
    return this.address.toByteArray().length
  }
}

class CidrValue extends Foreign {
  readonly typeName = 'net.CIDR'
  readonly cidr: Cidr

  constructor(cidr: Cidr) {
    super()
    this.cidr = cidr
  }

  equals(other: Foreign): boolean {
    return other instanceof CidrValue && cidrText(other.cidr) === cidrText(this.cidr)
  }

  override get size(): number {
    return Math.ceil(this.cidr.prefix / 8)
  }
}

const cidrText = ({ address, prefix }: Cidr): string => `${textOf(address)}/${prefix}`

const isMapped = (address: Address): boolean => address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()

const toIp = (text: string): IpValue => {
  const address = parseIp(text)
  if (!address) {
    const detail = `ParseAddr(${JSON.stringify(text)}): unable to parse IP`
    throw new CelError(`IP Address ${JSON.stringify(text)} parse error during conversion from string: ${detail}`)
  }
  if (isMapped(address)) throw new CelError(`IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`)
  return new IpValue(address)
}

const toCidr = (text: string): CidrValue => {
  const cidr = parseCidr(text)
  if (!cidr) {
    const detail = `netip.ParsePrefix(${JSON.stringify(text)}): no '/'`
    const shown = text.includes('/') ? detail.replace("no '/'", 'unable to parse IP') : detail
    throw new CelError(`network address parse error during conversion from string: ${shown}`)
  }
  if (isMapped(cidr.address)) throw new CelError(`IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`)
  return new CidrValue(cidr)
}

const isValid = (parse: () => unknown): boolean => {
  try {
    parse()
    return true
  } catch (error) {
    if (error instanceof CelError) return false
    throw error
  }
}

const masked = ({ address, prefix, family }: Cidr): Cidr => {
  const bytes = address.toByteArray().map((byte, index) => {
    return byte & (0xff << (8 - Math.min(8, Math.max(0, prefix - index * 8))))
  })
  return { address: ipaddr.fromByteArray(bytes), prefix, family }
}

const contains = ({ cidr }: CidrValue, { address }: IpValue): boolean =>
  address.kind() === cidr.address.kind() && address.match(cidr.address as never, cidr.prefix)

const containsCidr = (outer: CidrValue, { cidr }: CidrValue): boolean =>
  cidr.prefix >= outer.cidr.prefix && contains(outer, new IpValue(masked(cidr).address))

const bytesOf = (address: Address): number[] => address.toByteArray()

const isUnspecified = (address: Address): boolean => bytesOf(address).every(byte => byte === 0)

const isLinkLocalMulticast = (address: Address): boolean => {
  const [first = 0, second = 0, third = 0] = bytesOf(address)
  return address.kind() === 'ipv6' ? first === 0xff && (second & 0x0f) === 2 : first === 224 && second + third === 0
}

const isMulticast = (address: Address): boolean => {
  const [first = 0] = bytesOf(address)
  return address.kind() === 'ipv6' ? first === 0xff : first >= 224 && first < 240
}

/** As Go: whatever is none of the special ones, private addresses included. */
const isGlobalUnicast = (address: Address): boolean =>
  !isUnspecified(address) &&
  !bytesOf(address).every(byte => byte === 255) &&
  !isMulticast(address) &&
  !['loopback', 'linkLocal'].includes(address.range())

const test = (name: string, holds: (address: Address) => boolean): CelFunction =>
  method(name, [IP], BOOL, ([ip]) => holds((ip as IpValue).address))

const ips: readonly CelFunction[] = [
  globalFunction('ip', [STRING], IP, ([text]) => toIp(text as string), walks(1)),
  globalFunction('isIP', [STRING], BOOL, ([text]) => isValid(() => toIp(text as string)), walks(1)),
  globalFunction('ip.isCanonical', [STRING], BOOL, ([text]) => textOf(toIp(text as string).address) === text, walks(2)),
  globalFunction('string', [IP], STRING, ([ip]) => textOf((ip as IpValue).address)),
  method('family', [IP], INT, ([ip]) => ((ip as IpValue).address.kind() === 'ipv4' ? 4n : 6n)),
  test('isUnspecified', isUnspecified),
  test('isLoopback', address => address.range() === 'loopback'),
  test('isLinkLocalMulticast', isLinkLocalMulticast),
  test('isLinkLocalUnicast', address => address.range() === 'linkLocal'),
  test('isGlobalUnicast', isGlobalUnicast),
]

const range = (value: unknown): CidrValue => value as CidrValue

/** An address has 16 bytes at most; a text is read besides. */
const LONGEST = 16

/** `factor`: how often the range is gone through. `worst`: of that, in cel-go's estimate. */
const containment = (factor: number, worst: number, inner: 'text' | 'value'): CallCost => ({
  run: ([range, other]) => traversal(sizeOf(range!) * factor) + traversal(sizeOf(other!)) + 1,
  worst: args => ({ cost: inner === 'value' ? worst : sum(worst, scaled(measured(args, 1).max, TRAVERSAL)) }),
})

const COMPARED = traversal(2 * LONGEST)
const MASKED = COMPARED + traversal(LONGEST) + 1

const cidrs: readonly CelFunction[] = [
  globalFunction('cidr', [STRING], CIDR, ([text]) => toCidr(text as string), walks(1)),
  globalFunction('isCIDR', [STRING], BOOL, ([text]) => isValid(() => toCidr(text as string)), walks(1)),
  globalFunction('string', [CIDR], STRING, ([value]) => cidrText(range(value).cidr)),
  method(
    'containsIP',
    [CIDR, IP],
    BOOL,
    ([outer, ip]) => contains(range(outer), ip as IpValue),
    containment(2, COMPARED, 'value'),
  ),
  method(
    'containsIP',
    [CIDR, STRING],
    BOOL,
    ([outer, ip]) => contains(range(outer), toIp(ip as string)),
    containment(2, COMPARED, 'text'),
  ),
  method(
    'containsCIDR',
    [CIDR, CIDR],
    BOOL,
    ([outer, inner]) => containsCidr(range(outer), range(inner)),
    containment(3, MASKED, 'value'),
  ),
  method(
    'containsCIDR',
    [CIDR, STRING],
    BOOL,
    ([outer, inner]) => {
      return containsCidr(range(outer), toCidr(inner as string))
    },
    containment(3, MASKED, 'text'),
  ),
  method('ip', [CIDR], IP, ([value]) => new IpValue(range(value).cidr.address)),
  method('prefixLength', [CIDR], INT, ([value]) => BigInt(range(value).cidr.prefix)),
  method('masked', [CIDR], CIDR, ([value]) => new CidrValue(masked(range(value).cidr))),
]

export const NETWORK: readonly CelFunction[] = [...ips, ...cidrs]
