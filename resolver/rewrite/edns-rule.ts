/**
 * Rules about EDNS options of questions that are passed on: what a client sent stays between it and this server, and only
 * what a rule says goes to upstreams.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { protocolOf, type Query } from '../query.ts'
import { ednsOptionCodes } from '../wire/codes.ts'
import type { EdnsOption } from '../wire/edns.ts'
import { aaaaData, aData } from '../wire/rdata.ts'
import type { Rule } from './rule.ts'

export const ednsActions = ['set', 'append', 'replace', 'unset'] as const
export type EdnsAction = (typeof ednsActions)[number]

/** The data of an option for a question; undefined: there are none, and the rule is not about it. */
export type OptionData = (query: Query) => Buffer | undefined

const optionOf = (query: Query, code: number): EdnsOption | undefined =>
  [...(query.upstreamOptions ?? []), ...(query.edns?.options ?? [])].find(option => option.code === code)

export const ednsRule =
  (action: EdnsAction, code: number, dataFor: OptionData): Rule =>
  query => {
    const known = optionOf(query, code)
    const others = (query.upstreamOptions ?? []).filter(option => option.code !== code)
    if (action === 'unset') return known && { query: { ...query, upstreamOptions: others } }
    if (action === 'replace' && !known) return undefined
    // What the client has sent stands, and goes on.
    const data = action === 'append' && known ? known.data : dataFor(query)
    return data && { query: { ...query, upstreamOptions: [...others, { code, data }] } }
  }

/** Without its zone; an IPv4 address in IPv6's clothes is one of IPv4. */
const addressData = (text: string): Buffer | undefined => {
  const bare = text.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
  if (isIPv4(bare)) return aData.encode(bare)
  return isIPv6(bare) ? aaaaData.encode(bare) : undefined
}

const twoBytes = (number: number): Buffer => {
  const bytes = Buffer.allocUnsafe(2)
  bytes.writeUInt16BE(number)
  return bytes
}

/** CoreDNS's variables: names as text, numbers and addresses as they are on the wire. */
const variables: Readonly<Record<string, OptionData>> = {
  qname: ({ question }) => Buffer.from(question.name),
  qtype: ({ question }) => twoBytes(question.type),
  client_ip: ({ client }) => addressData(client.address),
  client_port: ({ client }) => twoBytes(client.port),
  protocol: ({ transport }) => Buffer.from(protocolOf(transport)),
  server_ip: ({ local }) => addressData(local.address),
  server_port: ({ local }) => twoBytes(local.port),
}

/** `abcd`, `0x61626364`, `{client_ip}`, `{kubernetes/client-namespace}`; undefined: it is none of these. */
export const readOptionData = (text: string): OptionData | undefined => {
  const [, name] = /^\{(.*)\}$/.exec(text) ?? []
  if (name !== undefined) {
    if (Object.hasOwn(variables, name)) return variables[name]
    if (!/^[^/{}]+\/[^{}]+$/.test(name)) return undefined
    return ({ metadata }) => {
      const value = metadata?.get(name)
      return value ? Buffer.from(value) : undefined
    }
  }
  const isHex = text.startsWith('0x')
  if (isHex && !/^0x(?:[\da-f]{2})*$/i.test(text)) return undefined
  const data = isHex ? Buffer.from(text.slice(2), 'hex') : Buffer.from(text)
  return () => data
}

/** RFC 7871 §6: the client's network, so many bits of its address. */
export const clientSubnet =
  (bits4: number, bits6: number): OptionData =>
  ({ client }) => {
    const address = addressData(client.address)
    if (!address) return undefined
    const bits = address.length === 4 ? bits4 : bits6
    const bytes = Buffer.from(address.subarray(0, Math.ceil(bits / 8)))
    // "any trailing bits … MUST be set to 0"
    if (bits % 8 !== 0) bytes[bytes.length - 1]! &= 0xff << (8 - (bits % 8))
    return Buffer.concat([Buffer.from([0, address.length === 4 ? 1 : 2, bits, 0]), bytes])
  }

export const emptyData: OptionData = () => Buffer.alloc(0)
export const { NSID, ECS } = ednsOptionCodes
