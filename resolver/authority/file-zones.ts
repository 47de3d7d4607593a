/** What the plugins that serve zones from files share: they look again and again, and a reload keeps what was read. */

import type { Milliseconds } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { Recurrence } from '#lib/recurrence.ts'
import { registerMetrics } from '../metrics.ts'
import type { Environment, Plugin, ZoneCopy } from '../plugin.ts'
import type { DnsName } from '../wire/record.ts'
import { FileZone } from './file-zone.ts'
import { type ZoneMetrics, zoneMetrics } from './zone-metrics.ts'
import { ZoneServer } from './zone-server.ts'

export interface FileZonesOptions {
  /** The plugin's. */
  readonly name: string
  /** Between two looks; 0: one look. */
  readonly reload: Milliseconds
  readonly fallthrough: readonly DnsName[]
  readonly environment: Environment
}

export abstract class FileZones implements Plugin {
  readonly name: string
  protected readonly logger: Logger
  protected readonly metrics: ZoneMetrics
  protected readonly server: ZoneServer<FileZone>
  readonly #looks: Recurrence

  constructor({ name, reload, fallthrough, environment }: FileZonesOptions) {
    const { clock, logger, registry, resolveInternally } = environment
    this.name = name
    this.logger = logger.child({ room: 'resolver', plugin: name })
    this.metrics = registerMetrics(registry, zoneMetrics)
    this.server = new ZoneServer({ name, fallthrough, resolveInternally })
    this.#looks = new Recurrence({ clock, interval: reload, task: () => this.look() })
  }

  /** Brings the zones to what the files have. Must not reject. */
  protected abstract look(): Promise<void>

  protected makeZone(origin: DnsName, path: string): FileZone {
    return new FileZone({ path, origin, logger: this.logger, metrics: this.metrics })
  }

  adopt(previous: Plugin): void {
    if (previous instanceof FileZones && previous.name === this.name) this.server.serve(previous.server.zones)
  }

  async start(): Promise<void> {
    await this.look()
    this.#looks.begin()
  }

  async close(): Promise<void> {
    this.#looks.end()
  }

  clear(): Promise<void> {
    return this.look()
  }

  copyZone(name: DnsName): ZoneCopy | undefined {
    return this.server.copyZone(name)
  }

  watchZones(onChange: (zone: DnsName) => void): void {
    this.server.watch(onChange)
  }
}
