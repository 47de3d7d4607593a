/** file: serves zones from a zone file, and reads it again when it changes. */
import { resolve } from 'node:path'
import type { Milliseconds } from '#lib/clock.ts'
import type { MaybePromise } from '#lib/maybe-promise.ts'
import { FileZones } from '../authority/file-zones.ts'
import { zoneMetrics } from '../authority/zone-metrics.ts'
import { readFallthrough, zoneOptions } from '../authority/zone-options.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { Next } from '../next.ts'
import type { BlockContext, Environment, Plugin, PluginModule } from '../plugin.ts'
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

class File extends FileZones {
  readonly #block: BlockContext

  constructor({ path, zones, ...settings }: Settings, block: BlockContext, environment: Environment) {
    super({ name: NAME, environment, ...settings })
    this.#block = block
    this.server.serve(new Map(zones.map(origin => [origin, this.makeZone(origin, path)])))
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    if (this.#belongsToAnother(query)) return next(query)
    return this.server.handle(query, next) ?? next(query)
  }

  /** The `file` lines of a block are one set of zones: the longest that fits answers, whatever their order. */
  #belongsToAnother({ question: { canonicalName, type } }: Query): boolean {
    const own = this.server.fitOf(canonicalName, type)
    return this.#block
      .plugins()
      .some(plugin => plugin instanceof File && plugin.server.fitOf(canonicalName, type) > own)
  }

  protected async look(): Promise<void> {
    for (const zone of this.server.zones.values()) await zone.check()
  }
}
