/**
 * The zones of one `kubernetes` directive as they answer questions: find the node, choose by type, follow aliases.
 *
 * Promised: an answer for every question whose name lies in a zone; for names of the zone at once, without a promise.
 */
import type { Milliseconds } from '#lib/clock.ts'
import type { MaybePromise } from '../listener.ts'
import type { Next } from '../plugin.ts'
import type { Query } from '../query.ts'
import { type Answer, emptyAnswer } from '../verdict.ts'
import { extendedErrorCodes, rcodes, recordTypes } from '../wire/codes.ts'
import type { DnsName } from '../wire/record.ts'
import { soaRecord } from './apex.ts'
import type { ClusterIndex } from './cluster-index.ts'
import { followAlias } from './external-name.ts'
import { findNode } from './find-node.ts'
import { noData, noName, notReady } from './negative.ts'
import type { Lookup, PresentNode } from './node.ts'
import { selectRecords } from './select-records.ts'
import { findZone, type Zone, type ZoneSettings } from './settings.ts'

export interface ClusterZonesOptions {
  readonly index: ClusterIndex
  readonly settings: ZoneSettings
  readonly localAddresses: () => readonly string[]
  /** Asks this server itself, for targets outside of these zones. */
  readonly resolveInternally: Next
  /** Whether a name of this zone that does not exist here may exist elsewhere (`fallthrough`). */
  readonly fallsThrough: (canonicalName: DnsName) => boolean
  /** How long ago the cluster was as these zones say, where that is worth a word; undefined: they follow it. */
  readonly staleness?: () => Milliseconds | undefined
}

/** `missing`: the name does not exist, for certain; the answer says so. */
export interface ZoneAnswer {
  readonly outcome: 'answered' | 'missing'
  readonly answer: Answer
  /** Whether it was made of the name's own node alone: zoneTerms holds for it. */
  readonly own?: true
}

export class ClusterZones {
  readonly options: ClusterZonesOptions

  constructor(options: ClusterZonesOptions) {
    this.options = options
  }

  findZone(canonicalName: DnsName): Zone | undefined {
    return findZone(this.options.settings.zones, canonicalName)
  }

  answer(query: Query, zone: Zone): MaybePromise<ZoneAnswer> {
    const result = this.#find(query, zone)
    // Without OPT there is nowhere to say it.
    const age = query.edns && this.options.staleness?.()
    if (age === undefined) return result
    return result instanceof Promise ? result.then(value => withAge(value, age)) : withAge(result, age)
  }

  #find(query: Query, zone: Zone): MaybePromise<ZoneAnswer> {
    const { name, canonicalName, type } = query.question
    // RFC 5936 §2.2.1: a transfer that is not permitted is REFUSED.
    if (type === recordTypes.AXFR || type === recordTypes.IXFR) return answeredWith(emptyAnswer(rcodes.REFUSED))
    const lookup = this.lookup(name, zone)
    const node = findNode(lookup, canonicalName)
    switch (node.kind) {
      case 'present':
        return { outcome: 'answered', answer: this.#presentAnswer(query, lookup, node), own: true }
      case 'missing':
        if (!lookup.index.synced) return answeredWith(notReady())
        return { outcome: 'missing', answer: noName(query, soaRecord(lookup), node.reason), own: true }
      case 'alias': {
        const answer = followAlias(this, query, lookup, node.target)
        return answer instanceof Promise ? answer.then(answeredWith) : answeredWith(answer)
      }
    }
  }

  lookup(name: DnsName, zone: Zone): Lookup {
    const { index, settings, localAddresses } = this.options
    return { index, settings, zone, localAddresses, owner: name, zoneText: name.slice(name.length - zone.name.length) }
  }

  #presentAnswer(query: Query, lookup: Lookup, node: PresentNode): Answer {
    const set = selectRecords(lookup, node, query.question.type)
    if (set) return emptyAnswer(rcodes.NOERROR, { authoritative: true, additional: [], ...set })
    return node.growing && !lookup.index.synced ? notReady() : noData(query, soaRecord(lookup), node.reason)
  }
}

/** RFC 8914 §4.4, §4.20: it may be different by now. A failure is no older for it. */
const withAge = ({ outcome, answer }: ZoneAnswer, age: Milliseconds): ZoneAnswer => {
  const { rcode, extendedErrors = [] } = answer
  if (rcode !== rcodes.NOERROR && rcode !== rcodes.NXDOMAIN) return { outcome, answer }
  const code = rcode === rcodes.NXDOMAIN ? extendedErrorCodes.STALE_NXDOMAIN : extendedErrorCodes.STALE_ANSWER
  const text = `the cluster was so ${Math.round(age / 1000)} s ago; its apiserver is not heard of`
  return { outcome, answer: { ...answer, extendedErrors: [...extendedErrors, { code, text }] } }
}

const answeredWith = (answer: Answer): ZoneAnswer => ({ outcome: 'answered', answer })
