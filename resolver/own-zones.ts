/** Which names are answered without asking other servers: nothing that waits for those must hold these up. */
import type { Plugin } from './plugin.ts'
import { isSubdomain } from './wire/name.ts'
import type { DnsName } from './wire/record.ts'

/** Zones; whether names in them, but not in longer ones of these, are the server's own to answer. */
export type ZoneOwnership = ReadonlyMap<DnsName, boolean>

/** Those of server blocks that forward nothing, and those that plugins answer alone. */
export const ownZonesOf = (
  blocks: Iterable<{ readonly zones: readonly DnsName[]; readonly plugins: readonly Plugin[] }>,
): ZoneOwnership => {
  const owned = new Map<DnsName, boolean>()
  // A zone may be served by several listeners and views: it is an own one if it is so in all of them.
  const note = (zone: DnsName, isOwn: boolean) => owned.set(zone, isOwn && (owned.get(zone) ?? true))
  for (const { zones, plugins } of blocks) {
    const forwards = plugins.some(({ forwarding }) => forwarding !== undefined)
    const inside = plugins.flatMap(({ ownZones = [] }) => ownZones)
    for (const zone of zones) {
      note(zone, !forwards || inside.includes(zone))
      for (const own of inside) if (own !== zone && isSubdomain(own, zone)) note(own, true)
    }
  }
  return owned
}
