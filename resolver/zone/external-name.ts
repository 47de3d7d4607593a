/**
 * ExternalName services: a CNAME, and what it leads to (Kubernetes DNS specification 1.1 §2.5).
 *
 * Promised: the RCODE is that of the chain's end (RFC 6604); a failure on the way is a failure, never "no address".
 */
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import type { Next } from '../next.ts'
import type { Query } from '../query.ts'
import { emptyAnswer } from '../verdict.ts'
import { rcodes, recordTypes } from '../wire/codes.ts'
import { canonicalName } from '../wire/name.ts'
import { nameData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import { soaRecord } from './apex.ts'
import { findNode } from './find-node.ts'
import { noData, noName, notReady } from './negative.ts'
import { type Lookup, makeRecord, type Node } from './node.ts'
import { failedTarget, resolveTarget } from './resolve-target.ts'
import { selectRecords } from './select-records.ts'
import type { Zone } from './settings.ts'
import { answeredWith, without, type ZoneAnswer } from './zone-answer.ts'

/** CNAMEs of our own in one answer: the name's own, and as many behind it as CoreDNS follows. */
const CHAIN_LIMIT = 1 + 10

/** Where an alias may lead. */
interface AliasedZones {
  findZone(canonicalName: DnsName): Zone | undefined
  lookup(name: DnsName, zone: Zone): Lookup
  readonly options: {
    /** For targets outside of these zones. */
    readonly resolveInternally: Next
    readonly fallsThrough: (canonicalName: DnsName) => boolean
  }
}

/** `lookup.owner` is an alias of `target`. */
export const followAlias = (
  zones: AliasedZones,
  query: Query,
  lookup: Lookup,
  target: DnsName,
): MaybePromise<ZoneAnswer> => {
  const chain: ResourceRecord[] = []
  const seen = new Set([query.question.canonicalName])
  let from = lookup
  let to = target
  for (;;) {
    chain.push(makeRecord(from.owner, recordTypes.CNAME, from.settings.ttl, nameData.encode(to)))
    const { type } = query.question
    // RFC 1034 §3.6.2: who asks for the CNAME itself is not led on. ANY gets a part of what there is (RFC 8482 §4.1).
    if (type === recordTypes.CNAME || type === recordTypes.ANY) return authoritative(chain)
    const canonicalTarget = canonicalName(to)
    if (seen.has(canonicalTarget))
      return answeredWith(noData(query, soaRecord(lookup), () => 'the externalName of a service leads back to it'))
    seen.add(canonicalTarget)
    const zone = zones.findZone(canonicalTarget)
    if (!zone) return elsewhere(zones, query, to, chain)
    from = zones.lookup(to, zone)
    const node = findNode(from, canonicalTarget)
    if (node.kind !== 'alias') return endOfChain(zones, query, from, node, chain)
    if (chain.length >= CHAIN_LIMIT) return answeredWith(failedTarget(chain, 'the chain of externalNames is too long'))
    to = node.target
  }
}

/** The chain has come to a name of these zones, `end.owner`. */
const endOfChain = (
  zones: AliasedZones,
  query: Query,
  end: Lookup,
  node: Exclude<Node, { kind: 'alias' }>,
  chain: readonly ResourceRecord[],
): MaybePromise<ZoneAnswer> => {
  if (node.kind === 'present') {
    const set = selectRecords(end, node, query.question.type)
    if (set) return authoritative([...chain, ...set.answers], set.additional)
    return without(node, end.index, noData(query, soaRecord(end), node.reason, chain))
  }
  if (!end.index.synced) return answeredWith(notReady())
  if (zones.options.fallsThrough(canonicalName(end.owner))) return elsewhere(zones, query, end.owner, chain)
  const denial = answeredWith(noName(query, soaRecord(end), node.reason, chain))
  return node.impossible ? denial : { ...denial, absence: true }
}

const elsewhere = (
  { options }: AliasedZones,
  query: Query,
  target: DnsName,
  chain: readonly ResourceRecord[],
): MaybePromise<ZoneAnswer> => {
  return whenKnown(resolveTarget(options.resolveInternally, query, target, chain), answeredWith)
}

const authoritative = (answers: readonly ResourceRecord[], additional: readonly ResourceRecord[] = []): ZoneAnswer =>
  answeredWith(emptyAnswer(rcodes.NOERROR, { authoritative: true, answers, additional }))
