/** secondary: serves zones that it fetches from other servers (AXFR) and keeps fresh by their SOA's timers. */

import type { ZoneSource } from '../authority/fetch-zone.ts'
import { TransferredZone } from '../authority/transferred-zone.ts'
import { zoneMetrics } from '../authority/zone-metrics.ts'
import { readFallthrough, zoneOptions } from '../authority/zone-options.ts'
import { ZoneServer } from '../authority/zone-server.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { Property, Word } from '../corefile/syntax.ts'
import type { MaybePromise } from '../listener.ts'
import { registerMetrics } from '../metrics.ts'
import type { Environment, Next, Plugin, PluginModule, ZoneCopy } from '../plugin.ts'
import type { Query } from '../query.ts'
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
  ...zoneOptions,
} as const satisfies PropertyTable

interface Settings {
  readonly zones: readonly DnsName[]
  readonly sources: readonly ZoneSource[]
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
  readonly #server: ZoneServer
  #zones: ReadonlyMap<DnsName, TransferredZone>
  #isAdopted = false

  constructor({ zones, sources, fallthrough }: Settings, environment: Environment) {
    const { clock, random, resolveInternally } = environment
    const logger = environment.logger.child({ room: 'resolver', plugin: NAME })
    const metrics = registerMetrics(environment.registry, zoneMetrics)
    const makeZone = (origin: DnsName) => new TransferredZone({ origin, sources, clock, random, logger, metrics })
    this.#zones = new Map(zones.map(origin => [origin, makeZone(origin)]))
    this.#server = new ZoneServer({ name: NAME, zones: () => this.#zones, fallthrough, resolveInternally })
  }

  adopt(previous: Plugin): void {
    if (!(previous instanceof Secondary)) return
    this.#zones = previous.#zones
    this.#isAdopted = true
    for (const zone of this.#zones.values()) zone.retain()
  }

  /** Does not wait for the transfers: a server that is away must not hold up other names. */
  async start(): Promise<void> {
    if (this.#isAdopted) return
    for (const zone of this.#zones.values()) void zone.refresh()
  }

  async close(): Promise<void> {
    for (const zone of this.#zones.values()) zone.close()
  }

  copyZone(name: DnsName): ZoneCopy | undefined {
    return this.#server.copyZone(name)
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    return this.#server.handle(query, next) ?? next(query)
  }
}
