/**
 * `seamark shell`: runs a command, or your shell, as a pod of a namespace would see the world: its resolv.conf, its
 * search path, and 10.96.0.10 answering on port 53 from the running DNS server.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { parseAddress, type SocketAddress } from '#lib/address.ts'
import { SeamarkError } from '#lib/errors.ts'
import { CLUSTER_DNS, CLUSTER_DOMAIN, dataDirOption, namespaceOption } from '../common-options.ts'
import { openDataDir } from '../data-dir.ts'
import { requireNamespace } from './require-namespace.ts'
import { resolvConfOf } from './resolv-conf-of.ts'

const DNS_PORT = 53

interface ShellFlags {
  readonly dataDir: string
  readonly namespace: string
}

const dnsServerOf = (dataDir: ReturnType<typeof openDataDir>): SocketAddress => {
  const parsed = parseAddress(dataDir.addresses.dns ?? '')
  if (!parsed.ok) {
    throw new SeamarkError('CLUSTER_ABSENT', `the cluster of ${dataDir.folder} never came up`)
  }
  return parsed.value
}

/** The exit code that a shell gives: the command's own, or 128 + the signal that ended it. */
const exitCodeOf = (code: number | null, signal: NodeJS.Signals | null): number =>
  code ?? 128 + (signal ? constants.signals[signal] : 0)

const shell = async (command: readonly string[], flags: ShellFlags): Promise<void> => {
  if (process.geteuid?.() !== 0) throw new SeamarkError('NOT_ROOT', 'seamark shell needs root')
  const dataDir = openDataDir(flags.dataDir)
  const server = dnsServerOf(dataDir)
  await requireNamespace(dataDir.adminKubeconfig, flags.namespace)

  const [{ startPodProcess }, { openNamespaceSockets }, { startRelay }] = await Promise.all([
    import('./pod-process.ts'),
    import('./namespace-sockets.ts'),
    import('./relay.ts'),
  ])
  const folder = mkdtempSync(join(tmpdir(), 'seamark-shell-'))
  try {
    const file = join(folder, 'resolv.conf')
    writeFileSync(
      file,
      resolvConfOf({ namespace: flags.namespace, clusterDns: CLUSTER_DNS, clusterDomain: CLUSTER_DOMAIN }),
      { mode: 0o644 },
    )
    const argv = command.length > 0 ? command : [process.env.SHELL ?? '/bin/sh']
    const pod = await startPodProcess(file, argv)
    const relay = startRelay(openNamespaceSockets(pod.pid, CLUSTER_DNS, DNS_PORT), server)
    // The terminal sends Ctrl-C to the command as well; it decides what that means.
    process.on('SIGINT', () => {})
    process.on('SIGTERM', () => pod.child.kill('SIGTERM'))
    process.on('SIGHUP', () => pod.child.kill('SIGHUP'))
    const exitCode = new Promise<number>(resolve => {
      pod.child.once('exit', (code, signal) => resolve(exitCodeOf(code, signal)))
    })
    pod.go()
    process.exitCode = await exitCode
    relay.close()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export const shellCommand = (): Command =>
  new Command('shell')
    .description('run a command, or your shell, as a pod sees the world (root)')
    .argument('[command...]', 'the command and its arguments, after --')
    .addOption(dataDirOption())
    .addOption(namespaceOption('the namespace whose search path is used'))
    .passThroughOptions()
    .addHelpText(
      'after',
      `
Examples:
  seamark shell -n my-namespace -- dig +search my-svc
  seamark shell -- getent hosts kubernetes.default
  seamark shell -- dig @${CLUSTER_DNS} kubernetes.default.svc.${CLUSTER_DOMAIN}`,
    )
    .action(shell)
