/** `seamark dns`: the DNS server alone, with CoreDNS's flags, beside any apiserver. */
import { rmSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { type Milliseconds, systemClock } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import type { Component } from '#lib/lifecycle.ts'
import { LineWriter } from '#lib/line-writer.ts'
import { createLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { collectProcessMetrics } from '#lib/process-metrics.ts'
import { serverOptions } from '#server/options.ts'
import { giveBackProgramPages } from '#server/program-pages.ts'
import { EarlyThreads } from '#server/udp/early-threads.ts'
import { DEFAULT_ADDRESSES, type LogFlags, withLogOptions } from './common-options.ts'
import { defaultCorefile } from './default-corefile.ts'
import { handleSignals } from './dns-signals.ts'
import { optionValues, withOptionTable } from './option-flags.ts'
import { packageVersion } from './package-root.ts'
import { runProgram } from './run-program.ts'

/** What still settles after the program is ready (first lists, the compiler) is done by then. */
const START_IS_OVER: Milliseconds = 5000

interface DnsFlags extends LogFlags {
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

/** Flags that were given beat the Corefile. */
const overridesOf = (flags: DnsFlags): Readonly<Record<string, string | undefined>> => ({
  'dns-port': portOf('-dns.port', flags['dns.port']) ?? portOf('-p', flags.p),
  'dns-address': flags.dnsAddress,
  kubeconfig: flags.kubeconfig,
  'metrics-address': flags.metricsAddress,
  'health-address': flags.healthAddress,
  'ready-address': flags.readyAddress,
  'log-format': flags.logFormat,
})

/** What Prometheus keeps of one replica; a Corefile of a few blocks has some hundred. */
const MAX_SERIES = 2000

/** Longer than a lameduck that fits into a pod's grace of 30 s, and the drain after it. */
const LAMEDUCK_DEADLINE: Milliseconds = 60_000

const listPlugins = async (): Promise<void> => {
  const { pluginNames } = await import('#resolver/plugins/index.ts')
  const { pluginOrder } = await import('#resolver/plugins/order.ts')
  const known = pluginOrder.filter(name => pluginNames.has(name))
  process.stdout.write(`Server types:\n  dns\n\nOther plugins:\n${known.map(name => `  dns.${name}`).join('\n')}\n`)
}

/** @throws SeamarkError FILE_UNUSABLE */
const writePidfile = (file: string): void => {
  try {
    writeFileSync(file, `${process.pid}\n`)
  } catch (cause) {
    throw new SeamarkError('FILE_UNUSABLE', `cannot write ${file}: ${(cause as Error).message}`, { cause })
  }
  process.once('exit', () => rmSync(file, { force: true }))
}

const dns = async (flags: DnsFlags): Promise<void> => {
  if (flags.version) return void process.stdout.write(`Seamark-${packageVersion}\n`)
  if (flags.plugins) return listPlugins()
  const server = optionValues(serverOptions, flags)
  const early = new EarlyThreads(server)
  const logger = createLogger({ level: flags.logLevel, format: flags.logFormat })
  const { DnsProgram } = await import('./dns-program.ts')
  const { AdminPages } = await import('./admin-pages.ts')
  const { Observer } = await import('#resolver/insight/observer.ts')
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
  systemClock.after(START_IS_OVER, giveBackProgramPages)
}

const command = (): Command =>
  new Command('dns')
    .description('serve DNS by a Corefile, beside any Kubernetes API; takes CoreDNS’s flags as they are')
    .option('--conf <file>', 'the Corefile (also -conf)', defaultCorefile())
    .option('--dns.port <port>', 'the port of zones that name none (also -dns.port)')
    .addOption(new Option('--p <port>', 'the same (also -p)').hideHelp())
    .option('--kubeconfig <file>', 'how to reach the apiserver (default: the Corefile, then the pod’s service account)')
    .option('--dns-address <host:port>', 'serve DNS here, whatever the Corefile says')
    .option('--metrics-address <host:port>', 'serve /metrics here, whatever the Corefile says')
    .option('--health-address <host:port>', 'serve /health here, whatever the Corefile says')
    .option('--ready-address <host:port>', 'serve /ready here, whatever the Corefile says')
    .option(
      '--admin-address <host:port>',
      'serve /explain, /top, /failures, /cache, /config and /statistics here; off: nowhere (default: 127.0.0.1:9154 while nobody else has it)',
    )
    .option(
      '--state-dir <dir>',
      'keep the last state of the cluster there, to answer from after a restart before the apiserver is heard of',
    )
    .option('--pidfile <file>', 'write the process id there (also -pidfile)')
    .option('--plugins', 'list the plugins and end (also -plugins)')
    .option('--quiet', 'no line at the start (also -quiet)')
    .option('--version', 'print the version and end (also -version)')

export const dnsCommand = (): Command => withLogOptions(withOptionTable(command(), serverOptions)).action(dns)
