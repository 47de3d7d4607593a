/** What `seamark dns` does once its flags are read and its threads started: loaded while those come to life. */
import { rmSync, writeFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { resolve } from 'node:path'
import { type Milliseconds, systemClock } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import type { Component } from '#lib/lifecycle.ts'
import { LineWriter } from '#lib/line-writer.ts'
import { createLogger, type Logger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { collectProcessMetrics } from '#lib/process-metrics.ts'
import { Observer } from '#resolver/insight/observer.ts'
import type { ServerOptions } from '#server/options.ts'
import { giveBackProgramPages } from '#server/program-pages.ts'
import type { EarlyThreads } from '#server/udp/early-threads.ts'
import { addressOfFlag } from './address-flag.ts'
import { AdminPages } from './admin-pages.ts'
import { DEFAULT_ADDRESSES, type LogFlags } from './common-options.ts'
import { ownCompileCache } from './compile-cache.ts'
import { DnsProgram } from './dns-program.ts'
import { handleSignals } from './dns-signals.ts'
import { packageVersion } from './package-root.ts'
import { runProgram } from './run-program.ts'

export interface DnsFlags extends LogFlags {
  readonly conf: string
  readonly 'dns.port'?: string
  readonly p?: string
  readonly pidfile?: string
  readonly plugins?: boolean
  readonly quiet?: boolean
  readonly version?: boolean
  readonly kubeconfig?: string
  readonly dnsAddress?: string
  readonly metricsAddress?: string
  readonly healthAddress?: string
  readonly readyAddress?: string
  readonly stateDir?: string
  readonly adminAddress?: string
}

/** @throws SeamarkError BAD_OPTION */
const portOf = (flag: string, text: string | undefined): string | undefined => {
  if (text === undefined || (/^\d{1,5}$/.test(text) && Number(text) <= 65_535)) return text
  throw new SeamarkError('BAD_OPTION', `${flag}: "${text}" is not a port (0 to 65535)`)
}

/** @throws SeamarkError BAD_OPTION */
const addressOf = (flag: string, text: string | undefined): string | undefined => {
  if (text !== undefined) addressOfFlag(text, flag)
  return text
}

/** Flags that were given beat the Corefile. */
const overridesOf = (flags: DnsFlags): Readonly<Record<string, string | undefined>> => ({
  'dns-port': portOf('-dns.port', flags['dns.port']) ?? portOf('-p', flags.p),
  'dns-address': addressOf('--dns-address', flags.dnsAddress),
  kubeconfig: flags.kubeconfig,
  'metrics-address': addressOf('--metrics-address', flags.metricsAddress),
  'health-address': addressOf('--health-address', flags.healthAddress),
  'ready-address': addressOf('--ready-address', flags.readyAddress),
  'log-format': flags.logFormat,
})

/** What Prometheus keeps of one replica; a Corefile of a few blocks has some hundred. */
const MAX_SERIES = 2000

/** Longer than a lameduck that fits into a pod's grace of 30 s, and the drain after it. */
const LAMEDUCK_DEADLINE: Milliseconds = 60_000

/** What still settles after the program is ready (first lists, the compiler) is done by then. */
const START_IS_OVER: Milliseconds = 5000

/** When nobody waits for this program any more. */
const PRUNE_AFTER: Milliseconds = 120_000

/** @throws SeamarkError FILE_UNUSABLE */
const writePidfile = (file: string): void => {
  try {
    writeFileSync(file, `${process.pid}\n`)
  } catch (cause) {
    throw new SeamarkError('FILE_UNUSABLE', `cannot write ${file}: ${(cause as Error).message}`, { cause })
  }
  process.once('exit', () => rmSync(file, { force: true }))
}

/** Resolves when it serves, or ends the process. */
export const serveDns = async (flags: DnsFlags, server: ServerOptions, early: EarlyThreads): Promise<void> => {
  const logger = createLogger({ level: flags.logLevel, format: flags.logFormat })
  const registry = createRegistry({ maxSeries: MAX_SERIES })
  collectProcessMetrics(registry)
  const observer = new Observer(systemClock, registry)
  const lines = new LineWriter({ descriptor: 1, clock: systemClock, registry })
  process.once('exit', () => lines.flush())
  const program = new DnsProgram({
    corefile: flags.conf,
    overrides: overridesOf(flags),
    stateFolder: flags.stateDir === undefined ? undefined : resolve(flags.stateDir),
    server,
    early,
    logger,
    registry,
    observer,
    print: lines.write,
  })
  const admin = new AdminPages({
    address: flags.adminAddress ?? DEFAULT_ADDRESSES.admin,
    isAsked: flags.adminAddress !== undefined,
    pages: { state: () => program.state, observer, clock: systemClock },
    server,
    logger,
  })
  handleSignals({ configuration: () => program.state.configuration, reload: () => program.reload(), logger })
  const { pidfile } = flags
  if (pidfile !== undefined) writePidfile(pidfile)
  if (!flags.quiet) logger.info({ version: packageVersion, corefile: flags.conf }, 'starting the DNS server')
  const readiness: Component = {
    name: 'readiness',
    start: signal => program.whenReady(signal),
    close: async () => {},
  }
  await runProgram({
    logger,
    components: [program, admin, readiness],
    addresses: () => ({ ...program.addresses(), ...admin.addresses() }),
    closeDeadline: LAMEDUCK_DEADLINE,
  })
  systemClock.after(START_IS_OVER, () => {
    // Node writes what was compiled when the process ends by itself: one that is killed leaves it to the next start too.
    flushCompileCache()
    giveBackProgramPages()
  })
  const compiled = ownCompileCache(flags.stateDir)
  if (compiled !== undefined) systemClock.after(PRUNE_AFTER, () => prune(compiled, logger))
}

/** Never rejects. */
const prune = async (compiled: string, logger: Logger): Promise<void> => {
  try {
    const { pruneCompiled } = await import('./prune-compiled.ts')
    const files = await pruneCompiled(compiled, systemClock.now())
    if (files > 0) logger.info({ folder: compiled, files }, 'deleted compiled files that nobody had used for 30 days')
  } catch (error) {
    // Another version was put in this one's place since the start, with other files: it prunes when it is started.
    logger.debug({ error }, 'compiled files were not pruned')
  }
}
