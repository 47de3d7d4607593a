/** file: serves zones from a zone file, and reads it again when it changes. */
import { resolve } from 'node:path'
import type { Milliseconds } from '#lib/clock.ts'
import { Recurrence } from '#lib/recurrence.ts'
import { FileZone } from '../authority/file-zone.ts'
import { zoneMetrics } from '../authority/zone-metrics.ts'
import { readFallthrough, zoneOptions } from '../authority/zone-options.ts'
import { ZoneServer } from '../authority/zone-server.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { MaybePromise } from '../listener.ts'
import { registerMetrics } from '../metrics.ts'
import type { BlockContext, Environment, Next, Plugin, PluginModule, ZoneCopy } from '../plugin.ts'
import type { Query } from '../query.ts'
import type { Verdict } from '../verdict.ts'
import type { DnsName } from '../wire/record.ts'

const NAME = 'file'

const options = {
  reload: {
    kind: 'duration',
    syntax: 'DURATION',
    default: 60_000,
    minimum: 0,
    maximum: 86_400_000,
    doc: 'time between looks at the file and those that it includes; 0: they are read once',
  },
  ...zoneOptions,
} as const satisfies PropertyTable

interface Settings {
  readonly path: string
  readonly zones: readonly DnsName[]
  readonly reload: Milliseconds
  readonly fallthrough: readonly DnsName[]
}

export const filePlugin: PluginModule = {
  name: NAME,
  repeatable: true,
  options,
  metrics: zoneMetrics,
  setup(directive, block, environment) {
    const reader = new DirectiveReader(directive)
    const values = reader.properties(options)
    const [file, ...zones] = directive.arguments
    if (!file) reader.refuse(directive.name, 'needs the zone file')
    const settings: Settings = {
      path: resolve(environment.folder, file?.text ?? ''),
      zones: reader.zones(zones, block.zones),
      reload: values.reload,
      fallthrough: readFallthrough(reader, values.fallthrough),
    }
    return reader.finish((): Plugin => new File(settings, block, environment))
  },
}

class File implements Plugin {
  readonly name = NAME
  readonly #block: BlockContext
  readonly #server: ZoneServer
  #zones: ReadonlyMap<DnsName, FileZone>
  readonly #looks: Recurrence

  constructor(settings: Settings, block: BlockContext, environment: Environment) {
    this.#block = block
    const { path, zones, fallthrough, reload } = settings
    this.#looks = new Recurrence({ clock: environment.clock, interval: reload, task: () => this.#check() })
    const logger = environment.logger.child({ room: 'resolver', plugin: NAME })
    const metrics = registerMetrics(environment.registry, zoneMetrics)
    this.#zones = new Map(zones.map(origin => [origin, new FileZone({ path, origin, logger, metrics })]))
    const { resolveInternally } = environment
    this.#server = new ZoneServer({ name: NAME, zones: () => this.#zones, fallthrough, resolveInternally })
  }

  adopt(previous: Plugin): void {
    if (previous instanceof File) this.#zones = previous.#zones
  }

  async start(): Promise<void> {
    await this.#check()
    this.#looks.begin()
  }

  async close(): Promise<void> {
    this.#looks.end()
  }

  copyZone(name: DnsName): ZoneCopy | undefined {
    return this.#server.copyZone(name)
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    if (this.#belongsToAnother(query)) return next(query)
    return this.#server.handle(query, next) ?? next(query)
  }

  /** The `file` lines of a block are one set of zones: the longest that fits answers, whatever their order. */
  #belongsToAnother({ question: { canonicalName, type } }: Query): boolean {
    const own = this.#server.fitOf(canonicalName, type)
    return this.#block
      .plugins()
      .some(plugin => plugin instanceof File && plugin.#server.fitOf(canonicalName, type) > own)
  }

  async #check(): Promise<void> {
    for (const zone of this.#zones.values()) await zone.check()
  }
}
