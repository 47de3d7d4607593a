/**
 * secondary: serves zones that it fetches from other servers (AXFR, IXFR) and keeps fresh by their SOA's timers and by what
 * those servers announce (NOTIFY); zones that a catalog lists, too (RFC 9432).
 */
import type { MaybePromise } from '#lib/maybe-promise.ts'
import type { ZoneSource } from '../authority/fetch-zone.ts'
import type { TransferredZone } from '../authority/transferred-zone.ts'
import { TransferredZones } from '../authority/transferred-zones.ts'
import { zoneMetrics } from '../authority/zone-metrics.ts'
import { readFallthrough, zoneOptions } from '../authority/zone-options.ts'
import { ZoneServer } from '../authority/zone-server.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { Property, Word } from '../corefile/syntax.ts'
import { registerMetrics } from '../metrics.ts'
import type { Next } from '../next.ts'
import type { Environment, Plugin, PluginModule, ZoneCopy } from '../plugin.ts'
import type { Endpoint, Query } from '../query.ts'
import { parseDestination } from '../upstream/target.ts'
import type { Verdict } from '../verdict.ts'
import type { DnsName } from '../wire/record.ts'

const NAME = 'secondary'

const options = {
  transfer: {
    kind: 'words',
    syntax: 'from ADDRESS…',
    minimum: 2,
    maximum: Number.POSITIVE_INFINITY,
    repeatable: true,
    absent: 'needed',
    doc: 'the servers that have the zones, asked in order: addresses, with `:PORT` where it is not 53',
  },
  catalog: {
    kind: 'words',
    syntax: '[ZONE…]',
    minimum: 0,
    maximum: Number.POSITIVE_INFINITY,
    absent: 'off',
    doc: 'the zones are catalogs (RFC 9432): their members are fetched from the same servers and served, too; where zones are named, only members that are one of them or below one (§7)',
  },
  ...zoneOptions,
} as const satisfies PropertyTable

interface Settings {
  readonly zones: readonly DnsName[]
  readonly sources: readonly ZoneSource[]
  /** What members of the catalogs may be, with all below; absent: the zones are no catalogs. */
  readonly members: readonly DnsName[] | undefined
  readonly fallthrough: readonly DnsName[]
}

export const secondaryPlugin: PluginModule = {
  name: NAME,
  repeatable: true,
  options,
  metrics: zoneMetrics,
  setup(directive, block, environment) {
    const reader = new DirectiveReader(directive)
    const values = reader.properties(options)
    if (values.transfer.length === 0) reader.refuse(directive.name, 'needs "transfer from": the servers of the zones')
    const settings: Settings = {
      zones: reader.zones(directive.arguments, block.zones),
      sources: values.transfer.flatMap(property => readSources(reader, property)),
      members: values.catalog[0] && reader.zones(values.catalog[0].arguments, ['.']),
      fallthrough: readFallthrough(reader, values.fallthrough),
    }
    return reader.finish((): Plugin => new Secondary(settings, environment))
  },
}

const readSources = (reader: DirectiveReader, { arguments: [direction, ...addresses] }: Property): ZoneSource[] => {
  if (direction!.text === 'to')
    reader.refuse(direction!, 'to give zones on is the "transfer" plugin’s: transfer { to … }')
  reader.choice(direction!, ['from'])
  return addresses.flatMap(word => readSource(reader, word))
}

const readSource = (reader: DirectiveReader, word: Word): ZoneSource[] => {
  const read = parseDestination(word.text)
  if (read.ok && read.value.kind === 'server' && read.value.target.protocol === 'dns') return [read.value.target]
  reader.refuse(word, `"${word.text}" is not the address of a server (like 192.0.2.1 or [2001:db8::1]:5353)`)
  return []
}

class Secondary implements Plugin {
  readonly name = NAME
  readonly #server: ZoneServer<TransferredZone>
  #zones: TransferredZones
  #isAdopted = false

  constructor({ zones, sources, members, fallthrough }: Settings, environment: Environment) {
    const { clock, random, resolveInternally } = environment
    const logger = environment.logger.child({ room: 'resolver', plugin: NAME })
    const metrics = registerMetrics(environment.registry, zoneMetrics)
    this.#server = new ZoneServer({ name: NAME, fallthrough, resolveInternally })
    this.#zones = new TransferredZones({ zones, sources, members, clock, random, logger, metrics })
    this.#zones.serveOn(this.#server)
  }

  adopt(previous: Plugin): void {
    if (!(previous instanceof Secondary)) return
    this.#zones = previous.#zones
    this.#zones.retain()
    this.#zones.serveOn(this.#server)
    this.#isAdopted = true
  }

  /** Does not wait for the transfers: a server that is away must not hold up other names. */
  async start(): Promise<void> {
    if (!this.#isAdopted) this.#zones.start()
  }

  async close(): Promise<void> {
    this.#zones.close()
  }

  copyZone(name: DnsName): ZoneCopy | undefined {
    return this.#server.copyZone(name)
  }

  watchZones(onChange: (zone: DnsName) => void): void {
    this.#server.watch(onChange)
  }

  /** RFC 1996 §3.10: from one of the zone's own servers only; what it says of the zone is asked for, not believed. */
  notified(name: DnsName, client: Endpoint): 'accepted' | 'refused' | undefined {
    const zone = this.#server.zones.get(name)
    if (!zone) return undefined
    if (!zone.isFrom(client.address)) return 'refused'
    void zone.refresh()
    return 'accepted'
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    return this.#server.handle(query, next) ?? next(query)
  }
}
