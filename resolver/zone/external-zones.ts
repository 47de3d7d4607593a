/**
 * The zones of one `k8s_external` directive as they answer questions, from the cluster of the block's `kubernetes`.
 *
 * Promised: as `ClusterZones` (a name exists for all types or for none, an alias has the RCODE of its end); names
 * without aliases and without load balancers known by name are answered at once, without a promise.
 */
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import { questionFor } from '../ask-again.ts'
import type { Query } from '../query.ts'
import { type Answer, emptyAnswer } from '../verdict.ts'
import { rcodes, recordTypes } from '../wire/codes.ts'
import { canonicalName, isSubdomain } from '../wire/name.ts'
import { nameData } from '../wire/rdata.ts'
import type { DnsName, ResourceRecord } from '../wire/record.ts'
import type { ClusterZones } from './cluster-zones.ts'
import { type ExternalLookup, type ExternalSettings, externalSoa, findExternal } from './external-node.ts'
import { noData, noName, notReady } from './negative.ts'
import { makeRecord, type Node } from './node.ts'
import { resolveTarget } from './resolve-target.ts'
import { selectRecords } from './select-records.ts'
import { answeredWith, without, type ZoneAnswer } from './zone-answer.ts'

/** The zone of `name` with the most labels. */
export const findExternalZone = ({ zones }: ExternalSettings, name: DnsName): DnsName | undefined =>
  zones.filter(zone => isSubdomain(name, zone)).sort((left, right) => right.length - left.length)[0]

export const answerExternal = (
  cluster: ClusterZones,
  settings: ExternalSettings,
  query: Query,
  zone: DnsName,
): MaybePromise<ZoneAnswer> => cluster.certain(query, () => find(cluster, settings, query, zone))

const find = (
  cluster: ClusterZones,
  settings: ExternalSettings,
  query: Query,
  zone: DnsName,
): MaybePromise<ZoneAnswer> => {
  const { name, canonicalName: canonical, type } = query.question
  // RFC 5936 §2.2.1: a transfer that is not permitted is REFUSED.
  if (type === recordTypes.AXFR || type === recordTypes.IXFR) return answeredWith(emptyAnswer(rcodes.REFUSED))
  const { index, localAddresses } = cluster.options
  const zoneText = name.slice(name.length - zone.length)
  const lookup: ExternalLookup = { index, localAddresses, settings, zone, zoneText, owner: name }
  const node = findExternal(lookup, canonical)
  switch (node.kind) {
    case 'missing':
      if (!index.synced) return answeredWith(notReady())
      return {
        outcome: 'missing',
        answer: noName(query, externalSoa(lookup), node.reason),
        ...(!node.impossible && { absence: true }),
      }
    case 'alias':
      return whenKnown(followName(cluster, query, lookup, node.target), answeredWith)
    case 'present':
      return presentAnswer(cluster, query, lookup, node)
  }
}

const followName = (
  cluster: ClusterZones,
  query: Query,
  { owner, settings }: ExternalLookup,
  target: DnsName,
): MaybePromise<Answer> => {
  const chain = [makeRecord(owner, recordTypes.CNAME, settings.ttl, nameData.encode(target))]
  const { type } = query.question
  // RFC 1034 §3.6.2: who asks for the CNAME itself is not led on. ANY gets a part of what there is (RFC 8482 §4.1).
  if (type === recordTypes.CNAME || type === recordTypes.ANY)
    return emptyAnswer(rcodes.NOERROR, { authoritative: true, answers: chain })
  return resolveTarget(cluster.options.resolveInternally, query, target, chain)
}

const presentAnswer = (
  cluster: ClusterZones,
  query: Query,
  lookup: ExternalLookup,
  node: Extract<Node, { kind: 'present' }>,
): MaybePromise<ZoneAnswer> => {
  const set = selectRecords(lookup, node, query.question.type)
  if (!set) return without(node, lookup.index, noData(query, externalSoa(lookup), node.reason))
  const { answers, additional = [], elsewhere = [] } = set
  const answer = emptyAnswer(rcodes.NOERROR, { authoritative: true, answers, additional })
  return elsewhere.length === 0 ? answeredWith(answer) : withAddresses(cluster, query, answer, elsewhere)
}

/** RFC 2782: "Implementors are urged … to return the address record(s)" of targets; one that has none is left out. */
const withAddresses = async (
  cluster: ClusterZones,
  query: Query,
  answer: Answer,
  targets: readonly DnsName[],
): Promise<ZoneAnswer> => {
  const types = [recordTypes.A, recordTypes.AAAA]
  const found = await Promise.all(
    targets.flatMap(target => types.map(type => addressesOf(cluster, query, target, type))),
  )
  return answeredWith({ ...answer, additional: [...answer.additional, ...found.flat()] })
}

const addressesOf = async (
  { options }: ClusterZones,
  query: Query,
  target: DnsName,
  type: number,
): Promise<readonly ResourceRecord[]> => {
  const question = questionFor(query, target, type)
  const verdict = question && (await options.resolveInternally(question))
  if (verdict?.verdict !== 'answered') return []
  const wanted = canonicalName(target)
  return verdict.answer.answers.filter(record => record.type === type && canonicalName(record.name) === wanted)
}
