/** The zones of one `secondary`: those that it names and, where they are catalogs, their members (RFC 9432). */
import { isSubdomain } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'
import { type CatalogMember, readCatalog } from './catalog.ts'
import { TransferSlots } from './transfer-slots.ts'
import { TransferredZone, type TransferredZoneOptions } from './transferred-zone.ts'
import type { AuthorityZone } from './zone.ts'
import type { ZoneServer } from './zone-server.ts'

export interface TransferredZonesOptions extends Omit<TransferredZoneOptions, 'origin' | 'onTake' | 'slots'> {
  readonly zones: readonly DnsName[]
  /** What members may be, with all below; undefined: the zones are no catalogs. */
  readonly members: readonly DnsName[] | undefined
}

/** A zone that a catalog brought. */
interface Member {
  readonly zone: TransferredZone
  /** The catalog's origin. */
  owner: DnsName
  listed: CatalogMember
}

export class TransferredZones {
  readonly #options: TransferredZonesOptions
  readonly #named = new Map<DnsName, TransferredZone>()
  readonly #members = new Map<DnsName, Member>()
  readonly #slots = new TransferSlots()
  #server: ZoneServer<TransferredZone> | undefined
  #users = 1

  constructor(options: TransferredZonesOptions) {
    this.#options = options
    const { zones, members } = options
    for (const origin of zones) {
      const onTake = members ? (catalog: AuthorityZone) => this.#takeCatalog(catalog) : undefined
      this.#named.set(origin, new TransferredZone({ ...options, slots: this.#slots, origin, onTake }))
    }
  }

  /** From now on the zones are that server's. */
  serveOn(server: ZoneServer<TransferredZone>): void {
    this.#server = server
    this.#serve()
  }

  start(): void {
    for (const zone of this.#named.values()) void zone.refresh()
  }

  /** Another one uses them, and will `close` them. */
  retain(): void {
    this.#users++
  }

  /** Ends with the last user. */
  close(): void {
    if (--this.#users > 0) return
    for (const zone of this.#named.values()) zone.close()
    for (const { zone } of this.#members.values()) zone.close()
  }

  #serve(): void {
    const members = [...this.#members].map(([origin, { zone }]) => [origin, zone] as const)
    this.#server?.serve(new Map([...members, ...this.#named]))
  }

  #takeCatalog(catalog: AuthorityZone): void {
    const { logger, metrics } = this.#options
    const { origin } = catalog
    const read = readCatalog(catalog)
    if (!read.ok) {
      // RFC 9432 §5.1: a broken catalog changes nothing.
      metrics.failures.inc({ zone: origin })
      logger.error({ catalog: origin, problem: read.problem }, 'catalog zone cannot be used')
      return
    }
    for (const [zone, { owner }] of this.#members) if (owner === origin && !read.value.has(zone)) this.#remove(zone)
    for (const listed of read.value.values()) if (this.#mayServe(listed.zone, origin)) this.#list(listed, origin)
    this.#serve()
  }

  /** RFC 9432 §7: whoever writes the catalog would otherwise choose what is served here. */
  #mayServe(zone: DnsName, catalog: DnsName): boolean {
    const { members = [], logger } = this.#options
    const isNamed = members.some(each => isSubdomain(zone, each))
    if (!isNamed) logger.warn({ zone, catalog }, 'member of a catalog is not one of the zones that it may have')
    return isNamed
  }

  #list(listed: CatalogMember, owner: DnsName): void {
    const { logger } = this.#options
    const known = this.#members.get(listed.zone)
    // RFC 9432 §5.2: a zone that is here already stays whose it is; §4.3.1: unless its owner gives it away.
    const isTaken = this.#named.has(listed.zone) || (known && known.owner !== owner && known.listed.nextOwner !== owner)
    if (isTaken) {
      logger.warn(
        { zone: listed.zone, catalog: owner, owner: known?.owner },
        'member of a catalog is another’s already',
      )
      return
    }
    // RFC 9432 §5.4: with another label the zone begins anew.
    if (known && known.listed.label === listed.label) {
      known.owner = owner
      known.listed = listed
      return
    }
    if (known) this.#remove(listed.zone)
    const zone = new TransferredZone({
      ...this.#options,
      slots: this.#slots,
      origin: listed.zone,
      onTake: undefined,
    })
    this.#members.set(listed.zone, { zone, owner, listed })
    logger.info({ zone: listed.zone, catalog: owner }, 'zone is a member of a catalog')
    void zone.refresh()
  }

  #remove(origin: DnsName): void {
    const { logger, metrics } = this.#options
    this.#members.get(origin)?.zone.close()
    this.#members.delete(origin)
    metrics.serial.remove({ zone: origin })
    logger.info({ zone: origin }, 'zone is served no longer: its catalog does not list it')
  }
}
