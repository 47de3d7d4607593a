/** How a `kubernetes` directive wants its zones answered. */
import { isSubdomain } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'

export const POD_MODES = ['disabled', 'insecure', 'verified'] as const
export type PodMode = (typeof POD_MODES)[number]

export interface Zone {
  /** Canonical, absolute. */
  readonly name: DnsName
  /** `cluster`: this cluster's names. `reverse`: names of addresses. `clusterset`: imported services (KEP-1645). */
  readonly kind: 'cluster' | 'reverse' | 'clusterset'
}

export interface ZoneSettings {
  readonly zones: readonly Zone[]
  /** The first zone that is not a reverse one: where PTR records point to. */
  readonly primaryZone: DnsName
  /** Seconds, 0–3600. */
  readonly ttl: number
  /** Seconds, 0–3600: of what does not exist. */
  readonly negativeTtl: number
  readonly pods: PodMode
  /** Name endpoints after their pods where they have no hostname. */
  readonly endpointPodNames: boolean
  /** A cluster-IP service without a ready endpoint does not exist. */
  readonly ignoreEmptyService: boolean
  /** Names of the endpoints of one topology zone: `<zone>.pin._zone.<service>`. */
  readonly zonal: boolean
  /** Only these namespaces exist; undefined: all. */
  readonly namespaces: ReadonlySet<string> | undefined
}

export const isReverseName = (name: DnsName): boolean =>
  isSubdomain(name, 'in-addr.arpa.') || isSubdomain(name, 'ip6.arpa.')

/** The zone of `canonicalName` with the most labels. */
export const findZone = (zones: readonly Zone[], canonicalName: DnsName): Zone | undefined => {
  let found: Zone | undefined
  for (const zone of zones) {
    if (isSubdomain(canonicalName, zone.name) && (!found || zone.name.length > found.name.length)) found = zone
  }
  return found
}
