/**
 * What a zone says to a question: RFC 1034 §4.3.2 with RFC 2308 for negative answers, RFC 4592 for wildcards, RFC 6672
 * for DNAME and RFC 6604 for the RCODE of a chain. No DNSSEC: a zone is served as it is written, and nothing is signed.
 */
import type { Question } from '../query.ts'
import { type Answer, emptyAnswer } from '../verdict.ts'
import { rcodes, recordTypes } from '../wire/codes.ts'
import { canonicalName, isSubdomain, joinName, nameLength, splitLabels } from '../wire/name.ts'
import { mxData, nameData, srvData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import type { AuthorityZone, RecordSet, ZoneNode } from './zone.ts'

const T = recordTypes

/** Aliases in one answer; whoever asked goes on from the last one. */
const CHAIN_LIMIT = 16

export interface ZoneAnswer {
  readonly answer: Answer
  /** Whether nothing has the name that was asked: only then may another plugin have it. */
  readonly missing: boolean
  /** Where the aliases in the answer lead, if that is for somebody else to say. */
  readonly outside?: DnsName
}

/** An answer on its way. */
interface Following {
  readonly zone: AuthorityZone
  readonly type: number
  /** Whether a canonical name is this zone's to answer for. */
  readonly holds: (name: DnsName) => boolean
  /** Aliases so far: CNAMEs, and the DNAMEs that they come from. */
  readonly chain: ResourceRecord[]
}

/** `holds`: whether a canonical name belongs to this zone, and not to one below it that is served here too. */
export const answerFromZone = (
  zone: AuthorityZone,
  question: Question,
  holds: (name: DnsName) => boolean,
): ZoneAnswer => {
  const following: Following = { zone, type: question.type, holds, chain: [] }
  const seen = new Set<DnsName>()
  let name = question.name
  for (;;) {
    const canonical = canonicalName(name)
    // A loop, or no end to be seen: the aliases alone, as for a chain that leads elsewhere.
    if (seen.has(canonical) || seen.size >= CHAIN_LIMIT) return { answer: positive(following, []), missing: false }
    if (!holds(canonical)) return { answer: positive(following, []), missing: false, outside: name }
    seen.add(canonical)
    const step = takeStep(following, name, canonical)
    if (typeof step !== 'string') return step
    name = step
  }
}

/** The answer, or the name that an alias leads to. */
const takeStep = (following: Following, name: DnsName, canonical: DnsName): ZoneAnswer | DnsName => {
  const { zone, type, chain } = following
  const found = zone.find(canonical, type)
  switch (found.kind) {
    case 'delegation':
      return { answer: referral(following, found.servers), missing: false }
    case 'redirection':
      return redirect(following, found.dname, name)
    case 'missing':
      return { answer: negative(following, rcodes.NXDOMAIN), missing: chain.length === 0 }
    case 'node':
      return fromNode(following, found.node, name)
  }
}

const fromNode = (following: Following, { sets }: ZoneNode, name: DnsName): ZoneAnswer | DnsName => {
  const { type, chain } = following
  // RFC 8482 §4.1: ANY gets a part of what there is.
  const set = type === T.ANY ? [...sets.values()][0] : sets.get(type)
  // The owner as it was asked: 0x20 clients compare by byte, and a wildcard's records take the name (RFC 4592 §3.3.3).
  if (set) return { answer: positive(following, renamed(set, name)), missing: false }
  const [alias] = sets.get(T.CNAME) ?? []
  if (!alias) return { answer: negative(following, rcodes.NOERROR), missing: false }
  chain.push({ ...alias, name })
  return nameData.decode(alias.data)
}

/** RFC 6672 §3.1: the DNAME, and a CNAME made of it with the same TTL. */
const redirect = (following: Following, dname: ResourceRecord, name: DnsName): ZoneAnswer | DnsName => {
  const labels = splitLabels(name)
  const kept = labels.slice(0, labels.length - splitLabels(dname.name).length)
  const target = joinName(kept, nameData.decode(dname.data))
  following.chain.push(dname)
  // RFC 6672 §2.2: "YXDOMAIN" for a name that would get too long.
  if (nameLength(target) > 255)
    return { answer: { ...positive(following, []), rcode: rcodes.YXDOMAIN }, missing: false }
  following.chain.push({ ...dname, name, type: T.CNAME, data: nameData.encode(target) })
  if (following.type === T.CNAME) return { answer: positive(following, []), missing: false }
  return target
}

const renamed = (set: RecordSet, name: DnsName): RecordSet => set.map(record => ({ ...record, name }))

const positive = ({ zone, chain }: Following, set: RecordSet): Answer => {
  const answers = [...chain, ...set]
  const servers = zone.setOf(T.NS)
  // Whose servers they are is worth telling where the zone has the last word; aliases alone lead elsewhere.
  const isServers = set[0]?.type === T.NS && canonicalName(set[0].name) === zone.origin
  return emptyAnswer(rcodes.NOERROR, {
    authoritative: true,
    answers,
    authority: set.length === 0 || isServers ? [] : servers,
    additional: additionalOf(zone, set, answers),
  })
}

const negative = ({ zone, chain }: Following, rcode: number): Answer =>
  emptyAnswer(rcode, { authoritative: true, answers: chain, authority: [zone.negativeSoa] })

/** RFC 1034 §4.3.2 step 3b. AA is for the first name of the answer: that of an alias here, or nobody's here. */
const referral = ({ zone, chain }: Following, servers: RecordSet): Answer =>
  emptyAnswer(rcodes.NOERROR, {
    authoritative: chain.length > 0,
    answers: chain,
    authority: servers,
    additional: additionalOf(zone, servers, chain),
  })

/** Names in the data whose addresses are wanted next: RFC 1035 §3.3, RFC 2782, RFC 9460 §4.2. */
const targetOf = ({ name, type, data }: ResourceRecord): DnsName | undefined => {
  switch (type) {
    case T.NS:
      return nameData.decode(data)
    case T.MX:
      return mxData.decode(data).exchange
    case T.SRV:
      return srvData.decode(data).target
    case T.SVCB:
    case T.HTTPS: {
      const { preference: priority, exchange: target } = mxData.decode(data)
      // RFC 9460 §2.5.2: "." with a priority stands for the owner.
      return target === '.' && priority > 0 ? name : target
    }
    default:
      return undefined
  }
}

/** The addresses that the zone has for the targets of `set`, glue included; not those that are in the answer already. */
const additionalOf = (zone: AuthorityZone, set: RecordSet, answers: readonly ResourceRecord[]): ResourceRecord[] => {
  const done = new Set<DnsName>()
  const additional: ResourceRecord[] = []
  for (const record of set) {
    const target = targetOf(record)
    if (target === undefined || done.has(canonicalName(target))) continue
    done.add(canonicalName(target))
    for (const type of [T.A, T.AAAA]) additional.push(...addressesOf(zone, target, type))
  }
  return additional.filter(({ name, type }) => !answers.some(each => each.name === name && each.type === type))
}

const addressesOf = (zone: AuthorityZone, target: DnsName, type: number): RecordSet => {
  const own = zone.nodeOf(target)
  if (own) return own.sets.get(type) ?? []
  const canonical = canonicalName(target)
  const found = isSubdomain(canonical, zone.origin) ? zone.find(canonical, type) : undefined
  return found?.kind === 'node' ? renamed(found.node.sets.get(type) ?? [], target) : []
}
