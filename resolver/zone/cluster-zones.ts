/**
 * The zones of one `kubernetes` directive as they answer questions: find the node, choose by type, follow aliases.
 *
 * Promised: an answer for every question whose name lies in a zone; for names of the zone at once, without a promise.
 */
import type { Milliseconds } from '#lib/clock.ts'
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import type { Next } from '../next.ts'
import type { Query } from '../query.ts'
import { emptyAnswer } from '../verdict.ts'
import { extendedErrorCodes, rcodes, recordTypes } from '../wire/codes.ts'
import type { DnsName } from '../wire/record.ts'
import { soaRecord } from './apex.ts'
import type { CatchUp, CatchUpOutcome } from './catch-up.ts'
import type { ClusterIndex } from './cluster-index.ts'
import { followAlias } from './external-name.ts'
import { findNode } from './find-node.ts'
import { noData, noName, notReady, outOfTouch } from './negative.ts'
import type { Lookup, PresentNode } from './node.ts'
import { selectRecords } from './select-records.ts'
import { findZone, type Zone, type ZoneSettings } from './settings.ts'
import { answeredWith, without, type ZoneAnswer } from './zone-answer.ts'

export interface ClusterZonesOptions {
  readonly index: ClusterIndex
  readonly settings: ZoneSettings
  readonly localAddresses: () => readonly string[]
  /** Asks this server itself, for targets outside of these zones. */
  readonly resolveInternally: Next
  /** Whether a name of this zone that does not exist here may exist elsewhere (`fallthrough`). */
  readonly fallsThrough: (canonicalName: DnsName) => boolean
  /** What becomes of denials while a watch is down; absent: none ever is. */
  readonly catchUp?: CatchUp
  /** How long ago the cluster was as these zones say; undefined: nothing is known of it. */
  readonly age?: () => Milliseconds | undefined
}

/** An apiserver that is there is heard at least every 30 s. */
export const STALE: Milliseconds = 60_000

export class ClusterZones {
  readonly options: ClusterZonesOptions

  constructor(options: ClusterZonesOptions) {
    this.options = options
  }

  findZone(canonicalName: DnsName): Zone | undefined {
    return findZone(this.options.settings.zones, canonicalName)
  }

  answer(query: Query, zone: Zone): MaybePromise<ZoneAnswer> {
    return this.certain(query, () => this.#find(query, zone))
  }

  /** What `find` finds; where it is a denial while a watch is down, what it finds when that is over or waited out. */
  certain(query: Query, find: () => MaybePromise<ZoneAnswer>): MaybePromise<ZoneAnswer> {
    const { index, catchUp } = this.options
    const found = whenKnown(find(), value => {
      if (!value.absence || !index.synced || !catchUp || catchUp.isCaughtUp) return value
      query.trace?.add('kubernetes', 'not known, and a watch is down: the apiserver is asked')
      return whenKnown(catchUp.wait(), outcome => this.#conclude(outcome, value, find))
    })
    // Without OPT there is nowhere to say it.
    return query.edns ? whenKnown(found, value => this.#withAge(value)) : found
  }

  #conclude(outcome: CatchUpOutcome, denial: ZoneAnswer, find: () => MaybePromise<ZoneAnswer>) {
    switch (outcome) {
      case 'caught-up':
        return find()
      case 'away':
        return denial
      case 'unknown':
        return answeredWith(outOfTouch())
    }
  }

  /** RFC 8914 §4.4, §4.20: it may be different by now. A failure is no older for it. */
  #withAge(found: ZoneAnswer): ZoneAnswer {
    const { index, catchUp, age: ageOf } = this.options
    const age = ageOf?.()
    const isUncertain = found.absence && catchUp && !catchUp.isCaughtUp
    if (age === undefined || !(age >= STALE || !index.synced || isUncertain)) return found
    const { rcode, extendedErrors = [] } = found.answer
    if (rcode !== rcodes.NOERROR && rcode !== rcodes.NXDOMAIN) return found
    const code = rcode === rcodes.NXDOMAIN ? extendedErrorCodes.STALE_NXDOMAIN : extendedErrorCodes.STALE_ANSWER
    const text = `the cluster was so ${Math.round(age / 1000)} s ago; its apiserver is not heard of`
    return { ...found, answer: { ...found.answer, extendedErrors: [...extendedErrors, { code, text }] } }
  }

  #find(query: Query, zone: Zone): MaybePromise<ZoneAnswer> {
    const { name, canonicalName, type } = query.question
    // RFC 5936 §2.2.1: a transfer that is not permitted is REFUSED.
    if (type === recordTypes.AXFR || type === recordTypes.IXFR) return answeredWith(emptyAnswer(rcodes.REFUSED))
    const lookup = this.lookup(name, zone)
    const node = findNode(lookup, canonicalName)
    switch (node.kind) {
      case 'present':
        return { ...this.#presentAnswer(query, lookup, node), own: true }
      case 'missing': {
        if (!lookup.index.synced) return answeredWith(notReady())
        const answer = noName(query, soaRecord(lookup), node.reason)
        return { outcome: 'missing', answer, own: true, ...(!node.impossible && { absence: true }) }
      }
      case 'alias':
        return followAlias(this, query, lookup, node.target)
    }
  }

  lookup(name: DnsName, zone: Zone): Lookup {
    const { index, settings, localAddresses } = this.options
    return { index, settings, zone, localAddresses, owner: name, zoneText: name.slice(name.length - zone.name.length) }
  }

  #presentAnswer(query: Query, lookup: Lookup, node: PresentNode): ZoneAnswer {
    const set = selectRecords(lookup, node, query.question.type)
    if (set) return answeredWith(emptyAnswer(rcodes.NOERROR, { authoritative: true, additional: [], ...set }))
    return without(node, lookup.index, noData(query, soaRecord(lookup), node.reason))
  }
}
