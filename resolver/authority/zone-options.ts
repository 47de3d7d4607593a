/** Properties that the plugins with zones share. */
import type { DirectiveReader, PropertyTable } from '../corefile/directive-reader.ts'
import type { Property } from '../corefile/syntax.ts'
import type { DnsName } from '../wire/record.ts'

export const zoneOptions = {
  fallthrough: {
    kind: 'words',
    syntax: '[ZONE…]',
    minimum: 0,
    maximum: Number.POSITIVE_INFINITY,
    absent: 'NXDOMAIN for what is not there',
    doc: 'pass names on that are not there (below the zones, if some are named)',
  },
  upstream: {
    kind: 'words',
    syntax: '[ADDRESS…]',
    minimum: 0,
    maximum: Number.POSITIVE_INFINITY,
    absent: 'off',
    doc: 'accepted for old Corefiles: aliases that leave the zone are followed by this server itself',
  },
} as const satisfies PropertyTable

/** The zones below which names fall through. */
export const readFallthrough = (reader: DirectiveReader, [property]: readonly Property[]): readonly DnsName[] =>
  property ? reader.zones(property.arguments, ['.']) : []
