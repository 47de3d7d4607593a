/**
 * What a zone says to a question: RFC 1034 §4.3.2 with RFC 2308 for negative answers, RFC 4592 for wildcards, RFC 6672
 * for DNAME, RFC 6604 for the RCODE of a chain, and RFC 4035 §3.1 with RFC 5155 §7.2 for what a signed zone adds. Nothing
 * is signed here: signatures and denials are the zone's own.
 */
import type { Question } from '../query.ts'
import { type Answer, emptyAnswer } from '../verdict.ts'
import { rcodes, recordTypes } from '../wire/codes.ts'
import { canonicalName, isSubdomain, joinName, nameLength, splitLabels } from '../wire/name.ts'
import { mxData, nameData, srvData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import type { Proof } from './denial.ts'
import { type AuthorityZone, type Found, type RecordSet, signaturesOf, type ZoneNode } from './zone.ts'

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

export interface AnswerOptions {
  /** Whether a canonical name belongs to this zone, and not to one below it that is served here too. */
  readonly holds: (name: DnsName) => boolean
  /** Whether the client wants signatures and proofs (DO, RFC 3225). */
  readonly dnssecOk: boolean
}

/** An answer on its way. */
interface Following extends AnswerOptions {
  readonly zone: AuthorityZone
  readonly type: number
  /** Aliases so far: CNAMEs, and the DNAMEs that they come from; with their signatures. */
  readonly chain: ResourceRecord[]
  /** That wildcards had to stand for names; what is proved twice is there once. */
  readonly proofs: Set<Proof>
}

export const answerFromZone = (zone: AuthorityZone, question: Question, options: AnswerOptions): ZoneAnswer => {
  const { holds } = options
  const following: Following = { ...options, zone, type: question.type, chain: [], proofs: new Set() }
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
      return { answer: referral(following, found), missing: false }
    case 'redirection':
      return redirect(following, found, name)
    case 'missing': {
      const proofs = zone.denial?.missing(canonical, found.encloser) ?? []
      return { answer: negative(following, rcodes.NXDOMAIN, proofs), missing: chain.length === 0 }
    }
    case 'node':
      return fromNode(following, found, name)
  }
}

type FoundNode = Extract<Found, { kind: 'node' }>

const fromNode = (following: Following, found: FoundNode, name: DnsName): ZoneAnswer | DnsName => {
  const { zone, type, chain, proofs } = following
  const { node, encloser } = found
  const { sets } = node
  const canonical = canonicalName(name)
  // RFC 8482 §4.1: ANY gets a part of what there is.
  const set = type === T.ANY ? [...sets.values()][0] : sets.get(type)
  const alias = set ? undefined : sets.get(T.CNAME)
  if (!set && !alias) {
    const denial =
      encloser === undefined ? zone.denial?.noData(canonical) : zone.denial?.wildcardNoData(canonical, encloser)
    return { answer: negative(following, rcodes.NOERROR, denial ?? []), missing: false }
  }
  // RFC 4035 §3.1.3.3: that no closer name is there, or the signature of a wildcard could stand for any.
  if (encloser !== undefined) for (const proof of zone.denial?.wildcard(canonical, encloser) ?? []) proofs.add(proof)
  if (set) return { answer: positive(following, set, signed(following, node, set, name)), missing: false }
  chain.push(...signed(following, node, alias!, name))
  return nameData.decode(alias![0]!.data)
}

/**
 * A set, with its signatures for who wants them. The owner is as it was asked: 0x20 clients compare by byte, and a
 * wildcard's records take the name (RFC 4592 §3.3.3).
 */
const signed = (following: Following, node: ZoneNode, set: RecordSet, name?: DnsName): RecordSet => {
  const records = following.dnssecOk ? [...set, ...signaturesOf(node, set[0]!.type)] : set
  return name === undefined ? records : renamed(records, name)
}

/** RFC 6672 §3.1: the DNAME, and a CNAME made of it with the same TTL. */
const redirect = (
  following: Following,
  { node, dname }: Extract<Found, { kind: 'redirection' }>,
  name: DnsName,
): ZoneAnswer | DnsName => {
  const labels = splitLabels(name)
  const kept = labels.slice(0, labels.length - splitLabels(dname.name).length)
  const target = joinName(kept, nameData.decode(dname.data))
  following.chain.push(...signed(following, node, [dname]))
  // RFC 6672 §2.2: "YXDOMAIN" for a name that would get too long.
  if (nameLength(target) > 255)
    return { answer: { ...positive(following, []), rcode: rcodes.YXDOMAIN }, missing: false }
  // RFC 6672 §5.3.1: who validates makes the CNAME himself; it has no signature.
  following.chain.push({ ...dname, name, type: T.CNAME, data: nameData.encode(target) })
  if (following.type === T.CNAME) return { answer: positive(following, []), missing: false }
  return target
}

const renamed = (set: RecordSet, name: DnsName): RecordSet => set.map(record => ({ ...record, name }))

/** `set` is what was asked for, `records` what is sent of it. */
const positive = (following: Following, set: RecordSet, records: RecordSet = set): Answer => {
  const { zone, chain } = following
  const answers = [...chain, ...records]
  const servers = zone.setOf(T.NS)
  const type = set[0]?.type
  const isServers = type === T.NS && canonicalName(records[0]!.name) === zone.origin
  // Whose servers they are is worth telling where the zone has the last word; aliases alone lead elsewhere, and who
  // asks for keys has found the servers, and needs the room.
  const isTold = type !== undefined && !isServers && type !== T.DNSKEY && type !== T.DS
  const authority = isTold && servers.length > 0 ? signed(following, zone.apex, servers) : []
  return emptyAnswer(rcodes.NOERROR, {
    authoritative: true,
    answers,
    authority: [...authority, ...proofRecords(following, [])],
    additional: additionalOf(following, set, answers),
  })
}

const negative = (following: Following, rcode: number, proofs: readonly Proof[]): Answer => {
  const { zone, chain } = following
  const soa = signed(following, zone.apex, [zone.negativeSoa])
  // The signatures are kept no longer than what they sign.
  const authority = soa.map(record => ({ ...record, ttl: Math.min(record.ttl, zone.negativeSoa.ttl) }))
  authority.push(...proofRecords(following, proofs))
  return emptyAnswer(rcode, { authoritative: true, answers: chain, authority })
}

const proofRecords = ({ dnssecOk, proofs }: Following, further: readonly Proof[]): readonly ResourceRecord[] =>
  dnssecOk ? [...new Set([...proofs, ...further])].flat() : []

/** RFC 1034 §4.3.2 step 3b. AA is for the first name of the answer: that of an alias here, or nobody's here. */
const referral = (following: Following, { cut, node, servers }: Extract<Found, { kind: 'delegation' }>): Answer => {
  const { zone, chain, dnssecOk } = following
  const keys = node.sets.get(T.DS)
  // RFC 4035 §3.1.4: DS, or the proof that there is none.
  const proofs = dnssecOk && !keys ? (zone.denial?.noData(cut) ?? []) : []
  return emptyAnswer(rcodes.NOERROR, {
    authoritative: chain.length > 0,
    answers: chain,
    authority: [
      ...servers,
      ...(dnssecOk && keys ? signed(following, node, keys) : []),
      ...proofRecords(following, proofs),
    ],
    additional: additionalOf(following, servers, chain),
  })
}

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
const additionalOf = (following: Following, set: RecordSet, answers: readonly ResourceRecord[]): ResourceRecord[] => {
  const done = new Set<DnsName>()
  const additional: ResourceRecord[] = []
  const isAnswer = (name: DnsName, type: number) => answers.some(each => each.name === name && each.type === type)
  for (const record of set) {
    const target = targetOf(record)
    if (target === undefined || done.has(canonicalName(target))) continue
    done.add(canonicalName(target))
    for (const type of [T.A, T.AAAA]) {
      const addresses = addressesOf(following, target, type)
      if (addresses[0] && !isAnswer(addresses[0].name, type)) additional.push(...addresses)
    }
  }
  return additional
}

const addressesOf = (following: Following, target: DnsName, type: number): RecordSet => {
  const { zone } = following
  const own = zone.nodeOf(target)
  if (own) return own.sets.has(type) ? signed(following, own, own.sets.get(type)!) : []
  const canonical = canonicalName(target)
  const found = isSubdomain(canonical, zone.origin) ? zone.find(canonical, type) : undefined
  return found?.kind === 'node' && found.node.sets.has(type)
    ? signed(following, found.node, found.node.sets.get(type)!, target)
    : []
}
