/** The cluster's zones without plugins and packets: questions in, answers out, over a cluster in memory. */

import assert from 'node:assert'
import { ChangeBoard } from '#lib/change-board.ts'
import type { Clock } from '#lib/clock.ts'
import type { Next } from '#resolver/next.ts'
import type { Query } from '#resolver/query.ts'
import { type Answer, unhandled } from '#resolver/verdict.ts'
import { rcodeName, recordTypes } from '#resolver/wire/codes.ts'
import { canonicalName } from '#resolver/wire/name.ts'
import { ClusterIndex } from '#resolver/zone/cluster-index.ts'
import type { ClusterViews } from '#resolver/zone/cluster-source.ts'
import { ClusterZones } from '#resolver/zone/cluster-zones.ts'
import type { ZoneSettings } from '#resolver/zone/settings.ts'
import { toCaseRecord } from '../conformance/presentation.ts'
import { queryPacket, requestContext } from './query-packet.ts'
import { VirtualClock } from './virtual-clock.ts'

export const ZONES: ZoneSettings = {
  zones: [
    { name: 'cluster.local.', kind: 'cluster' },
    { name: 'in-addr.arpa.', kind: 'reverse' },
    { name: 'ip6.arpa.', kind: 'reverse' },
  ],
  primaryZone: 'cluster.local.',
  ttl: 5,
  negativeTtl: 5,
  pods: 'verified',
  endpointPodNames: false,
  ignoreEmptyService: false,
  zonal: false,
  namespaces: undefined,
}

export interface TestZoneOptions {
  readonly settings?: Partial<ZoneSettings>
  readonly clock?: Clock
  readonly resolveInternally?: Next
  readonly localAddresses?: readonly string[]
}

/** A question from a client that sent OPT, so that reasons come out. */
export const zoneQuery = (name: string, type: number): Query => ({
  id: 1,
  question: { name, canonicalName: canonicalName(name), type, class: 1 },
  recursionDesired: true,
  checkingDisabled: false,
  authenticData: false,
  edns: { version: 0, udpSize: 1232, dnssecOk: false, options: [] },
  ...requestContext(),
  packet: queryPacket(name, { type }),
  received: 0,
  trace: undefined,
})

export class TestZone {
  readonly index: ClusterIndex
  readonly zones: ClusterZones

  constructor(views: ClusterViews, options: TestZoneOptions = {}) {
    const { clock = new VirtualClock(), resolveInternally = () => unhandled, localAddresses = ['192.0.2.53'] } = options
    const settings = { ...ZONES, ...options.settings }
    this.index = new ClusterIndex(views, { clock, board: new ChangeBoard(), settings })
    this.zones = new ClusterZones({
      index: this.index,
      settings,
      localAddresses: () => localAddresses,
      resolveInternally,
      fallsThrough: () => false,
    })
  }

  /** For names whose answer needs nobody else. */
  answer(name: string, type: keyof typeof recordTypes = 'A'): Answer {
    return this.answerQuery(zoneQuery(name, recordTypes[type]))
  }

  answerQuery(query: Query): Answer {
    const zone = this.zones.findZone(query.question.canonicalName)
    assert(zone, `${query.question.name} lies in no zone`)
    const answer = this.zones.answer(query, zone)
    assert(!(answer instanceof Promise), `${query.question.name} waits for an upstream`)
    return answer.answer
  }

  /** RCODE, then the lines of the answer and of the additional section. */
  ask(name: string, type: keyof typeof recordTypes = 'A'): readonly string[] {
    const { rcode, answers, additional } = this.answer(name, type)
    const lines = [...answers, ...additional].map(toCaseRecord)
    return [rcodeName(rcode), ...lines.map(record => `${record.name} ${record.type} ${record.data}`)]
  }

  /** What EDNS clients are told about it. */
  reason(name: string, type: keyof typeof recordTypes = 'A'): string {
    return this.answer(name, type).extendedErrors?.[0]?.text ?? ''
  }
}
