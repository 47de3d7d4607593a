/** Catalog zones (RFC 9432): a zone whose data are the names of other zones. */
import { accepted, type Result, refused } from '#lib/result.ts'
import { recordTypes } from '../wire/codes.ts'
import { canonicalName, isSubdomain, joinName, splitLabels } from '../wire/name.ts'
import { nameData, txtData } from '../wire/rdata.ts'
import type { DnsName } from '../wire/record.ts'
import type { AuthorityZone } from './zone.ts'

export interface CatalogMember {
  /** The member zone, canonical. */
  readonly zone: DnsName
  /** §4.1: the label of the member's node. Another one: the zone's data are to be thrown away (§5.4). */
  readonly label: string
  /** §4.3.1: the catalog that may take the member over. */
  readonly nextOwner: DnsName | undefined
}

/** §4.2.1: of this document. */
const VERSION = '2'

const singleName = (zone: AuthorityZone, owner: DnsName): DnsName | undefined => {
  const set = zone.nodeOf(owner)?.sets.get(recordTypes.PTR)
  return set?.length === 1 ? canonicalName(nameData.decode(set[0]!.data)) : undefined
}

/** The members, by zone; a problem where it is no catalog: then it must not be used (§5.1). */
export const readCatalog = (catalog: AuthorityZone): Result<ReadonlyMap<DnsName, CatalogMember>, string> => {
  const { origin } = catalog
  const versions = catalog.nodeOf(joinName(['version'], origin))?.sets.get(recordTypes.TXT)
  const version = versions?.length === 1 ? Buffer.concat([...txtData.decode(versions[0]!.data)]).toString() : undefined
  if (version !== VERSION) return refused(`version ${version ?? 'unknown'}: a catalog zone has version ${VERSION}`)
  const members = new Map<DnsName, CatalogMember>()
  const parent = joinName(['zones'], origin)
  const depth = splitLabels(parent).length + 1
  for (const { name, type } of catalog.recordsBesideSoa()) {
    const owner = canonicalName(name)
    const labels = splitLabels(owner)
    if (type !== recordTypes.PTR || labels.length !== depth || !isSubdomain(owner, parent)) continue
    const zone = singleName(catalog, owner)
    // §4.1: "more than one record in the RRset": broken.
    if (zone === undefined) return refused(`member ${name} names more than one zone`)
    if (members.has(zone)) return refused(`the zone ${zone} is a member twice`)
    members.set(zone, { zone, label: labels[0]!, nextOwner: singleName(catalog, joinName(['coo'], owner)) })
  }
  return accepted(members)
}
