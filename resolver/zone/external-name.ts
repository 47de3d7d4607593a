/**
 * ExternalName services: a CNAME, and what it leads to (Kubernetes DNS specification 1.1 §2.5).
 *
 * Promised: the RCODE is that of the chain's end (RFC 6604); a failure on the way is a failure, never "no address".
 */
import type { MaybePromise } from '../listener.ts'
import type { Query } from '../query.ts'
import { type Answer, type ExtendedError, emptyAnswer, type Verdict } from '../verdict.ts'
import { extendedErrorCodes, rcodeName, rcodes, recordTypes } from '../wire/codes.ts'
import { encodeQuery } from '../wire/encode.ts'
import { canonicalName } from '../wire/name.ts'
import { nameData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import type { ClusterZones } from './cluster-zones.ts'
import { findNode } from './find-node.ts'
import { noData, noName, notReady } from './negative.ts'
import { type Lookup, makeRecord, type Node } from './node.ts'
import { selectRecords } from './select-records.ts'

/** CNAMEs of our own in one answer, and questions that one question may lead to. */
const CHAIN_LIMIT = 10

/** `lookup.owner` is an alias of `target`. */
export const followAlias = (
  zones: ClusterZones,
  query: Query,
  lookup: Lookup,
  target: DnsName,
): MaybePromise<Answer> => {
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
    if (seen.has(canonicalTarget)) return noData(query, lookup, () => 'the externalName of a service leads back to it')
    if (chain.length >= CHAIN_LIMIT) return failed(chain, 'the chain of externalNames is too long')
    seen.add(canonicalTarget)
    const zone = zones.findZone(canonicalTarget)
    if (!zone) return resolveOutside(zones, query, to, chain)
    from = zones.lookup(to, zone)
    const node = findNode(from, canonicalTarget)
    if (node.kind !== 'alias') return endOfChain(zones, query, from, node, chain)
    to = node.target
  }
}

/** The chain has come to a name of these zones, `end.owner`. */
const endOfChain = (
  zones: ClusterZones,
  query: Query,
  end: Lookup,
  node: Exclude<Node, { kind: 'alias' }>,
  chain: readonly ResourceRecord[],
): MaybePromise<Answer> => {
  if (node.kind === 'present') {
    const set = selectRecords(end, node, query.question.type)
    if (set) return { ...authoritative([...chain, ...set.answers]), additional: set.additional ?? [] }
    return node.growing && !end.index.synced ? notReady() : noData(query, end, node.reason, chain)
  }
  if (!end.index.synced) return notReady()
  if (zones.options.fallsThrough(canonicalName(end.owner))) return resolveOutside(zones, query, end.owner, chain)
  return noName(query, end, node.reason, chain)
}

const authoritative = (answers: readonly ResourceRecord[]): Answer =>
  emptyAnswer(rcodes.NOERROR, { authoritative: true, answers })

/** Asks this server itself, by its whole chain: caches, forwards and stub zones hold for targets too. */
const resolveOutside = (
  zones: ClusterZones,
  query: Query,
  target: DnsName,
  chain: readonly ResourceRecord[],
): MaybePromise<Answer> => {
  const depth = (query.depth ?? 0) + 1
  if (depth > CHAIN_LIMIT) return failed(chain, 'the chain of externalNames is too long')
  const verdict = zones.options.resolveInternally(questionFor(query, target, depth))
  return verdict instanceof Promise ? verdict.then(value => joinAnswer(chain, value)) : joinAnswer(chain, verdict)
}

/** The client's question with another name. RD is set: it is this server that wants the whole answer. */
const questionFor = (query: Query, name: DnsName, depth: number): Query => {
  const { id, question, checkingDisabled, edns } = query
  const { type } = question
  const options = { id, name, type, class: question.class, recursionDesired: true, checkingDisabled }
  return {
    ...query,
    question: { ...question, name, canonicalName: canonicalName(name) },
    recursionDesired: true,
    packet: encodeQuery({ ...options, edns: edns && { ...edns, options: [] } }),
    depth,
  }
}

const joinAnswer = (chain: readonly ResourceRecord[], verdict: Verdict): Answer => {
  if (verdict.verdict !== 'answered') return failed(chain, 'no plugin answers for the target of the externalName')
  const { rcode, answers, authority, truncated, extendedErrors } = verdict.answer
  if (rcode !== rcodes.NOERROR && rcode !== rcodes.NXDOMAIN) {
    return failed(chain, `the target of the externalName got ${rcodeName(rcode)}`, extendedErrors)
  }
  // RFC 6604 §3: the end's RCODE; RFC 2308 §2: and its SOA, so that a negative end can be kept.
  const soa = authority.filter(({ type }) => type === recordTypes.SOA)
  return {
    ...authoritative([...chain, ...answers]),
    rcode,
    authority: soa,
    truncated,
    ...(extendedErrors && { extendedErrors }),
  }
}

const failed = (
  chain: readonly ResourceRecord[],
  text: string,
  extendedErrors: readonly ExtendedError[] = [],
): Answer =>
  emptyAnswer(rcodes.SERVFAIL, {
    answers: chain,
    extendedErrors: [...extendedErrors, { code: extendedErrorCodes.OTHER, text }],
  })
