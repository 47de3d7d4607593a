/**
 * `seamark up` (`npm start`): the whole cluster on one machine. Two processes beside this one: the control plane, and
 * the DNS server, which nothing may stall: an fsync or a crash there must not delay an answer here.
 */
import { networkInterfaces } from 'node:os'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { systemClock } from '#lib/clock.ts'
import type { Component } from '#lib/lifecycle.ts'
import { createLogger, silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { addressOfFlag } from '../address-flag.ts'
import { DEFAULT_ADDRESSES, dataDirOption, type LogFlags, withLogOptions } from '../common-options.ts'
import { type DataDir, ensureDataDir, writeClusterFile } from '../data-dir.ts'
import { packageCorefile } from '../default-corefile.ts'
import { runProgram } from '../run-program.ts'
import { upPage } from './page.ts'
import { Part } from './part.ts'

interface UpFlags extends LogFlags {
  readonly dataDir: string
  readonly apiserverAddress: string
  readonly dnsAddress: string
  readonly metricsAddress: string
  readonly healthAddress: string
  readonly readyAddress: string
  readonly adminAddress: string
  readonly advertiseAddress?: string
  readonly conf: string
}

/** The first address of this machine that others can reach: Kubernetes refuses loopback in slices. */
const firstReachableAddress = (): string | undefined =>
  Object.values(networkInterfaces())
    .flat()
    .find(info => info && !info.internal && info.family === 'IPv4')?.address

/** As `bin/seamark` has them: see docs/decisions/0014-small-young-generation.md and 0027-large-young-generation.md. */
const YOUNG_GENERATION = {
  controlPlane: ['--min-semi-space-size=64', '--max-semi-space-size=64'],
  dns: ['--min-semi-space-size=4', '--max-semi-space-size=4'],
}

const controlPlanePart = (flags: UpFlags, dataDir: DataDir, common: PartCommon): Part => {
  const advertise = flags.advertiseAddress ?? firstReachableAddress()
  return new Part({
    ...common,
    name: 'control-plane',
    nodeArgs: YOUNG_GENERATION.controlPlane,
    logFile: dataDir.log('control-plane'),
    args: bound => [
      'control-plane',
      ...['--data-dir', dataDir.folder],
      ...['--apiserver-address', bound.apiserver ?? flags.apiserverAddress],
      ...['--dns-address', flags.dnsAddress, '--metrics-address', flags.metricsAddress],
      ...(advertise === undefined ? [] : ['--advertise-address', advertise]),
      ...['--log-level', flags.logLevel, '--log-format', flags.logFormat],
    ],
  })
}

const dnsPart = (flags: UpFlags, dataDir: DataDir, common: PartCommon): Part =>
  new Part({
    ...common,
    name: 'dns',
    nodeArgs: YOUNG_GENERATION.dns,
    logFile: dataDir.log('dns'),
    args: bound => [
      'dns',
      ...['--conf', resolve(flags.conf)],
      ...['--kubeconfig', dataDir.kubeconfig('dns')],
      ...['--state-dir', dataDir.state('dns')],
      ...['--dns-address', bound.dns ?? flags.dnsAddress],
      ...['--metrics-address', bound.metrics ?? flags.metricsAddress],
      ...['--health-address', bound.health ?? flags.healthAddress],
      ...['--ready-address', bound.ready ?? flags.readyAddress],
      ...['--admin-address', bound.admin ?? flags.adminAddress],
      ...['--log-level', flags.logLevel, '--log-format', flags.logFormat],
    ],
  })

type PartCommon = Pick<ConstructorParameters<typeof Part>[0], 'logger'>

/** Says on the terminal what starts, and how long it took. */
const withProgress = (part: Component): Component => ({
  name: part.name,
  async start(signal) {
    const began = systemClock.monotonic()
    process.stdout.write(`starting ${part.name} … `)
    try {
      await part.start(signal)
    } catch (error) {
      process.stdout.write(signal.aborted ? 'stopped\n' : 'failed\n')
      throw error
    }
    process.stdout.write(`ready (${((systemClock.monotonic() - began) / 1000).toFixed(1)} s)\n`)
  },
  close: () => part.close(),
})

/**
 * What people write wrong is found before anything is made or started; the parts would find it too, the second of them
 * after the first one serves.
 * @throws SeamarkError BAD_OPTION, BAD_COREFILE
 */
const checkFlags = async (flags: UpFlags): Promise<void> => {
  addressOfFlag(flags.apiserverAddress, '--apiserver-address')
  addressOfFlag(flags.dnsAddress, '--dns-address')
  addressOfFlag(flags.metricsAddress, '--metrics-address')
  addressOfFlag(flags.healthAddress, '--health-address')
  addressOfFlag(flags.readyAddress, '--ready-address')
  addressOfFlag(flags.adminAddress, '--admin-address')
  const { badCorefile, readCorefile } = await import('../corefile.ts')
  const read = await readCorefile(flags.conf, { logger: silentLogger, registry: createRegistry(), overrides: {} })
  if (!read.ok) throw badCorefile(read.problem)
}

const up = async (flags: UpFlags): Promise<void> => {
  const began = systemClock.monotonic()
  await checkFlags(flags)
  // The parts log to their files; on this terminal only what needs people.
  const level = flags.logLevel === 'info' ? 'warn' : flags.logLevel
  const logger = createLogger({ level, format: flags.logFormat }).child({ room: 'up' })
  const dataDir = ensureDataDir(flags.dataDir)
  const controlPlane = controlPlanePart(flags, dataDir, { logger })
  const dns = dnsPart(flags, dataDir, { logger })
  const addresses = () => ({ ...controlPlane.addresses, ...dns.addresses })
  const page: Component = {
    name: 'page',
    async start() {
      writeClusterFile(dataDir.folder, addresses())
      const duration = (systemClock.monotonic() - began) / 1000
      process.stdout.write(upPage({ dataDir, addresses: addresses(), duration, cwd: process.cwd() }))
    },
    async close() {
      process.stdout.write('\nstopping …\n')
    },
  }
  await runProgram({
    logger,
    components: [withProgress(controlPlane), withProgress(dns), page],
    addresses,
    // Longer than a part's own deadline, which ends in a kill.
    closeDeadline: 12_000,
  })
}

export const upCommand = (): Command =>
  withLogOptions(
    new Command('up')
      .description('start the whole cluster on this machine: apiserver, controllers, DNS')
      .addOption(dataDirOption())
      .option('--apiserver-address <host:port>', 'where the Kubernetes API is served', DEFAULT_ADDRESSES.apiserver)
      .option('--dns-address <host:port>', 'where DNS is served, UDP and TCP', DEFAULT_ADDRESSES.dns)
      .option('--metrics-address <host:port>', "where the DNS server's metrics are served", DEFAULT_ADDRESSES.metrics)
      .option('--health-address <host:port>', 'where /health is served', DEFAULT_ADDRESSES.health)
      .option('--ready-address <host:port>', 'where /ready is served', DEFAULT_ADDRESSES.ready)
      .option('--admin-address <host:port>', 'where the DNS server tells what it does', DEFAULT_ADDRESSES.admin)
      .option(
        '--advertise-address <ip>',
        "this machine's address in EndpointSlices, never loopback (default: its first non-loopback IPv4 address)",
      )
      .option('--conf <file>', 'the Corefile', packageCorefile)
      .addHelpText('after', '\nPort 0 asks the system for a free port. The page at the end of the start says which.'),
  ).action(up)
