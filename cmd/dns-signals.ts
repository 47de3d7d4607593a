/**
 * What signals mean to `seamark dns` while it runs: SIGUSR1 is CoreDNS's (read the Corefile again) and dnsmasq's (log the
 * statistics), SIGHUP is dnsmasq's (forget what is cached, read small files again). None of them ends the program.
 */
import type { Logger } from '#lib/log.ts'
import type { Configuration } from '#resolver/configuration.ts'
import type { ReloadOutcome } from '#resolver/reload.ts'

export interface SignalTargets {
  /** What answers now; undefined: nothing yet. */
  readonly configuration: () => Configuration | undefined
  /** Reads the Corefile again; never rejects. */
  readonly reload: () => Promise<ReloadOutcome>
  readonly logger: Logger
}

export const handleSignals = ({ configuration, reload, logger }: SignalTargets): void => {
  process.on('SIGHUP', () => void clear(configuration(), logger))
  process.on('SIGUSR1', () => {
    logStatistics(configuration(), logger)
    void reload()
  })
  process.on('SIGUSR2', () => {
    logger.info('SIGUSR2: the log goes to the standard streams; there is no file of it to rotate')
  })
}

const clear = async (configuration: Configuration | undefined, logger: Logger): Promise<void> => {
  const clearable = configuration?.plugins.filter(plugin => plugin.clear) ?? []
  const cleared = await Promise.allSettled(clearable.map(async plugin => plugin.clear!()))
  for (const [index, result] of cleared.entries())
    if (result.status === 'rejected')
      logger.error({ plugin: clearable[index]!.name, error: result.reason }, 'a plugin could not be cleared')
  logger.info({ plugins: clearable.map(({ name }) => name) }, 'SIGHUP: caches were cleared and files read again')
}

/** A line for each plugin that has numbers. */
const logStatistics = (configuration: Configuration | undefined, logger: Logger): void => {
  for (const { plugin, block } of configuration?.instances ?? [])
    if (plugin.statistics)
      logger.info({ plugin: plugin.name, zones: block.zones, statistics: plugin.statistics() }, 'statistics')
}
