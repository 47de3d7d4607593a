/** What an expression may ask of a question. Names and types are CoreDNS's: ports are strings there, ids are numbers. */
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net'
import { protocolOf, type Query } from '../query.ts'
import { className, typeName } from '../wire/codes.ts'
import { PLAIN_UDP_SIZE } from '../wire/edns.ts'
import { ExpressionError, type Place } from './expression-error.ts'

/** What an expression is about. */
export interface Subject {
  readonly query: Query
  /** What the block's plugins know of the question. */
  readonly metadata: () => ReadonlyMap<string, string>
}

export type Type = 'string' | 'number' | 'boolean'

/** A part of an expression whose type is known. Never throws. `literal`: it is the same for every question. */
export type Typed = { readonly place: Place } & (
  | { readonly type: 'string'; readonly of: (subject: Subject) => string; readonly literal?: string }
  | { readonly type: 'number'; readonly of: (subject: Subject) => number }
  | { readonly type: 'boolean'; readonly of: (subject: Subject) => boolean }
)
export type TypedString = Extract<Typed, { readonly type: 'string' }>

/** All parameters are strings. `make` throws an `ExpressionError` for literals that cannot be right. */
export interface ViewFunction {
  readonly parameters: readonly string[]
  readonly make: (place: Place, values: readonly TypedString[]) => Typed
}

const string = (of: (query: Query) => string): ViewFunction => ({
  parameters: [],
  make: place => ({ place, type: 'string', of: ({ query }) => of(query) }),
})
const number = (of: (query: Query) => number): ViewFunction => ({
  parameters: [],
  make: place => ({ place, type: 'number', of: ({ query }) => of(query) }),
})
const boolean = (of: (query: Query) => boolean): ViewFunction => ({
  parameters: [],
  make: place => ({ place, type: 'boolean', of: ({ query }) => of(query) }),
})

/** Of expr-lang's own functions: a string made of another. */
const transform = (change: (text: string) => string): ViewFunction => ({
  parameters: ['TEXT'],
  make: (place, [text]) => ({ place, type: 'string', of: subject => change(text!.of(subject)) }),
})
const compare = (holds: (text: string, part: string) => boolean): ViewFunction => ({
  parameters: ['TEXT', 'PART'],
  make: (place, [text, part]) => ({
    place,
    type: 'boolean',
    of: subject => holds(text!.of(subject), part!.of(subject)),
  }),
})

/** What the client takes in a reply, in bytes (RFC 6891 §6.2.3: less than 512 counts as 512). */
const replySize = ({ edns, transport }: Query): number =>
  transport === 'udp' ? Math.max(PLAIN_UDP_SIZE, edns?.udpSize ?? 0) : 65_535

/** RFC 1035 §4.1.1: four bits of the third byte. */
const opcodeOf = ({ packet }: Query): number => ((packet[2] ?? 0) >> 3) & 0xf

export const viewFunctions: ReadonlyMap<string, ViewFunction> = new Map([
  ['bufsize', number(replySize)],
  ['class', string(({ question }) => className(question.class))],
  ['client_ip', string(({ client }) => client.address)],
  ['do', boolean(({ edns }) => edns?.dnssecOk ?? false)],
  ['id', number(({ id }) => id)],
  ['name', string(({ question }) => question.canonicalName)],
  ['opcode', number(opcodeOf)],
  ['port', string(({ client }) => String(client.port))],
  ['proto', string(({ transport }) => protocolOf(transport))],
  ['server_ip', string(({ local }) => local.address)],
  ['server_port', string(({ local }) => String(local.port))],
  ['size', number(({ packet }) => packet.length)],
  ['type', string(({ question }) => typeName(question.type))],
  [
    'len',
    {
      parameters: ['TEXT'],
      make: (place, [text]) => ({ place, type: 'number', of: subject => text!.of(subject).length }),
    },
  ],
  ['lower', transform(text => text.toLowerCase())],
  ['upper', transform(text => text.toUpperCase())],
  ['trim', transform(text => text.trim())],
  ['hasPrefix', compare((text, part) => text.startsWith(part))],
  ['hasSuffix', compare((text, part) => text.endsWith(part))],
  ['incidr', { parameters: ['IP', 'CIDR'], make: (place, [ip, cidr]) => inNetwork(place, ip!, cidr!) }],
  [
    'metadata',
    {
      parameters: ['KEY'],
      make: (place, [key]) => ({
        place,
        type: 'string',
        of: subject => subject.metadata().get(key!.of(subject)) ?? '',
      }),
    },
  ],
])

const inNetwork = (place: Place, ip: TypedString, cidr: TypedString): Typed => {
  const network = readNetwork(cidr)
  const of = (subject: Subject): boolean => {
    const address = ip.of(subject).replace(/%.*$/s, '')
    const family = isIP(address)
    // Families apart: to a BlockList, IPv4 is a part of IPv6.
    return family === network.family && network.list.check(address, family === 4 ? 'ipv4' : 'ipv6')
  }
  return { place, type: 'boolean', of }
}

const readNetwork = ({ place, literal }: TypedString): { readonly family: 4 | 6; readonly list: BlockList } => {
  if (literal === undefined) throw new ExpressionError(place, 'incidr wants its network in quotes')
  const [, address = '', length = ''] = /^([^/]+)\/(\d{1,3})$/.exec(literal) ?? []
  const family = isIPv4(address) ? 4 : isIPv6(address) && !address.includes('%') ? 6 : undefined
  if (family === undefined || Number(length) > (family === 4 ? 32 : 128))
    throw new ExpressionError(place, 'is not a network (like 192.0.2.0/24 or 2001:db8::/32)')
  const list = new BlockList()
  list.addSubnet(address, Number(length), family === 4 ? 'ipv4' : 'ipv6')
  return { family, list }
}
