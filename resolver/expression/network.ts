/** `incidr`: whether an address lies in a network. */
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'
import { ExpressionError, type Place } from './expression-error.ts'
import type { Subject, Typed, TypedString } from './typed.ts'

interface Network {
  readonly family: 4 | 6
  readonly list: BlockList
}

/** False for what is no address. */
export const inNetwork = (place: Place, ip: TypedString, cidr: TypedString): Typed => {
  if (!cidr.among) throw new ExpressionError(cidr.place, 'incidr wants its network in quotes')
  const networks = new Map(cidr.among.map(text => [text, readNetwork(cidr.place, text)]))
  const of = (subject: Subject): boolean => {
    const address = ip.of(subject).replace(/%.*$/s, '')
    const network = networks.get(cidr.of(subject))!
    const family = isIP(address)
    // Families apart: to a BlockList, IPv4 is a part of IPv6.
    return family === network.family && network.list.check(address, family === 4 ? 'ipv4' : 'ipv6')
  }
  return { place, type: 'boolean', of }
}

const readNetwork = (place: Place, text: string): Network => {
  const [, address = '', length = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? []
  const family = isIPv4(address) ? 4 : isIPv6(address) && !address.includes('%') ? 6 : undefined
  if (family === undefined || Number(length) > (family === 4 ? 32 : 128))
    throw new ExpressionError(place, `"${text}" is not a network (like 192.0.2.0/24 or 2001:db8::/32)`)
  const list = new BlockList()
  list.addSubnet(address, Number(length), family === 4 ? 'ipv4' : 'ipv6')
  return { family, list }
}
