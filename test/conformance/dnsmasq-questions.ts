/** The questions that are put to this server and to dnsmasq, several hundred, each as the bytes of its packet. */
import ipaddr from 'ipaddr.js'
import { classes, ednsOptionCodes, opcodes, recordTypes, typeName } from '#resolver/wire/codes.ts'
import { encodeQuery, type OutgoingQuery } from '#resolver/wire/encode.ts'
import { HEADER_LENGTH } from '#resolver/wire/header.ts'
import { skipName } from '#resolver/wire/name.ts'
import { names } from './dnsmasq-objects.ts'

export interface Question {
  /** In words, for the list of differences. */
  readonly text: string
  readonly packet: Buffer
  readonly transport: 'udp' | 'tcp'
  /** What the packet asks for, as far as it asks for something. */
  readonly name: string
  readonly type: number
  readonly class: number
}

const { A, AAAA, ANY, CAA, CNAME, DS, HTTPS, MX, NAPTR, NS, PTR, SOA, SRV, TXT } = recordTypes
const everyType = [A, AAAA, ANY, CAA, CNAME, DS, HTTPS, MX, NAPTR, NS, PTR, SOA, SRV, TXT, 65_280]

let lastId = 0

type Change = Partial<OutgoingQuery> & { readonly transport?: 'udp' | 'tcp'; readonly note?: string }

const question = (name: string, type: number, { transport = 'udp', note = '', ...change }: Change = {}): Question => {
  const id = ++lastId
  const full = `${name}.`.replace(/^\.\.$|\.\.$/, '.')
  const packet = encodeQuery({ id, name: full, type, recursionDesired: true, edns: undefined, ...change })
  const text = [name, typeName(type), transport, note].filter(Boolean).join(' ')
  return { text, packet, transport, name, type, class: change.class ?? classes.IN }
}

/** The same with the packet changed. */
const mangled = (made: Question, note: string, change: (packet: Buffer) => Buffer | undefined): Question => {
  const copy = Buffer.from(made.packet)
  return { ...made, text: `${made.text} ${note}`, packet: change(copy) ?? copy }
}

const reverseOf = (text: string): string => {
  const address = ipaddr.parse(text)
  const bytes = address.toByteArray()
  if (address.kind() === 'ipv4') return `${bytes.toReversed().join('.')}.in-addr.arpa`
  const nibbles = bytes.flatMap(byte => [byte >> 4, byte & 15])
  return `${nibbles
    .toReversed()
    .map(nibble => nibble.toString(16))
    .join('.')}.ip6.arpa`
}

const alternating = (name: string): string =>
  [...name].map((letter, index) => (index % 2 === 0 ? letter.toUpperCase() : letter)).join('')

const web = 'web.shop.svc.cluster.local'
const crowd = 'crowd.shop.svc.cluster.local'

const missing = [
  'nothing.shop.svc.cluster.local',
  'web.nowhere.svc.cluster.local',
  'web.idle.svc.cluster.local',
  'x.web.shop.svc.cluster.local',
  'db-9.db.shop.svc.cluster.local',
  '_http._udp.web.shop.svc.cluster.local',
  '_other._tcp.web.shop.svc.cluster.local',
  'web.shop.svc.cluster.local.shop.svc.cluster.local',
  'www.example.org.shop.svc.cluster.local',
  'nothing.cluster.local',
  reverseOf('10.96.9.9'),
  reverseOf('10.244.9.9'),
  reverseOf('fd00:10:96:9::9'),
]

const between = ['cluster.local', 'svc.cluster.local', 'shop.svc.cluster.local', '_tcp.web.shop.svc.cluster.local']

const edns = (change: Partial<NonNullable<OutgoingQuery['edns']>> = {}): Pick<OutgoingQuery, 'edns'> => ({
  edns: { udpSize: 1232, dnssecOk: false, options: [], ...change },
})

const ofTheCluster = (): Question[] => [
  ...names.services.flatMap(name => [A, AAAA, MX, HTTPS].map(type => question(name, type))),
  ...names.headless.flatMap(name => [A, AAAA, TXT].map(type => question(name, type, { transport: 'tcp' }))),
  ...names.endpoints.slice(0, 8).flatMap(name => [A, AAAA].map(type => question(name, type))),
  ...names.ports.map(name => question(name, SRV)),
  ...names.addresses.slice(0, 60).map(address => question(reverseOf(address), PTR)),
  ...everyType.map(type => question(web, type)),
  ...missing.flatMap(name => [A, AAAA, PTR, SRV].map(type => question(name, type))),
  ...between.flatMap(name => [A, SOA, NS, TXT].map(type => question(name, type))),
]

const ofTheWire = (): Question[] => [
  ...[web, crowd, missing[0]!, names.ports[0]!].flatMap(name =>
    [A, SRV].map(type => question(alternating(name), type)),
  ),
  ...[512, 400, 1232, 4096, 65_535].map(udpSize =>
    question(crowd, A, { ...edns({ udpSize }), note: `EDNS ${udpSize}` }),
  ),
  question(crowd, A, { note: 'without EDNS' }),
  ...[web, missing[0]!].flatMap(name => [
    question(name, A, { ...edns({ dnssecOk: true }), note: 'DO' }),
    question(name, A, { ...edns(), checkingDisabled: true, note: 'CD' }),
    question(name, A, { authenticData: true, note: 'AD' }),
    question(name, A, { recursionDesired: false, note: 'without RD' }),
    question(name, A, { ...edns({ options: [{ code: ednsOptionCodes.NSID, data: Buffer.alloc(0) }] }), note: 'NSID' }),
    question(name, A, {
      ...edns({ options: [{ code: ednsOptionCodes.COOKIE, data: Buffer.alloc(8, 7) }] }),
      note: 'cookie',
    }),
    question(name, A, { ...edns({ options: [{ code: 65_001, data: Buffer.from('x') }] }), note: 'option 65001' }),
    mangled(question(name, A, edns()), 'EDNS version 1', packet => void packet.writeUInt8(1, packet.length - 5)),
  ]),
  ...Object.entries(opcodes)
    .filter(([, code]) => code !== opcodes.QUERY)
    .map(([name, code]) => mangled(question(web, A), name, packet => void packet.writeUInt8((code << 3) | 1, 2))),
  ...(['HS', 'NONE', 'ANY'] as const).map(name => question(web, A, { class: classes[name], note: `class ${name}` })),
  mangled(question(web, A), 'no question', packet => {
    packet.writeUInt16BE(0, 4)
    return packet.subarray(0, HEADER_LENGTH)
  }),
  mangled(question(web, A), 'two questions', packet => {
    packet.writeUInt16BE(2, 4)
    return Buffer.concat([packet, packet.subarray(HEADER_LENGTH, skipName(packet, HEADER_LENGTH)! + 4)])
  }),
]

const chaos = [
  'version',
  'authors',
  'copyright',
  'cachesize',
  'insertions',
  'evictions',
  'misses',
  'hits',
  'auth',
  'servers',
]

const ofChaos = (): Question[] => [
  ...chaos.map(name => question(`${name}.bind`, TXT, { class: classes.CH, note: 'CH' })),
  question('hostname.bind', TXT, { class: classes.CH, note: 'CH' }),
  question('id.server', TXT, { class: classes.CH, note: 'CH' }),
  question('other.bind', TXT, { class: classes.CH, note: 'CH' }),
  question('version.bind', A, { class: classes.CH, note: 'CH' }),
  question('version.bind', TXT, { note: 'IN' }),
]

/** Names of the upstream that both forward to. */
export const forwarded = [
  'a.example.org',
  'both.example.org',
  'alias.example.org',
  'long-alias.example.org',
  'gone.example.org',
  'empty.example.org',
  'dangling.example.org',
  'text.example.org',
  'mail.example.org',
  'crowd.example.org',
  'failing.example.org',
  'refused.example.org',
] as const

/** Each twice: the second time both may have it in their caches. */
const ofOthers = (): Question[] =>
  [1, 2].flatMap(time => [
    ...forwarded.flatMap(name =>
      [A, AAAA, TXT, MX].map(type => question(name, type, { ...edns(), note: `for the ${time}. time` })),
    ),
    question(alternating('a.example.org'), A, { note: `${time}.` }),
    question('a.example.org', A, { transport: 'tcp', note: `${time}.` }),
    question('crowd.example.org', A, { note: `without EDNS, ${time}.` }),
    question('crowd.example.org', A, { transport: 'tcp', note: `${time}.` }),
    question('a.example.org', A, { recursionDesired: false, note: `without RD, ${time}.` }),
  ])

/** About data of the servers' own, and about what comes from elsewhere. */
export const localGroups = { 'names of the cluster': ofTheCluster, 'ways to ask': ofTheWire }
export const forwardedGroups = { 'forwarded names': ofOthers, 'class CHAOS': ofChaos }
