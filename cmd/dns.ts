/** `seamark dns`: the DNS server alone, with CoreDNS's flags, beside any apiserver. */
import { Command, Option } from 'commander'
import { serverOptions } from '#server/options.ts'
import { EarlyThreads } from '#server/udp/early-threads.ts'
import { withLogOptions } from './common-options.ts'
import { defaultCorefile } from './default-corefile.ts'
import { optionValues, withOptionTable } from './option-flags.ts'
import { packageVersion } from './package-root.ts'
import type { DnsFlags } from './serve-dns.ts'

const listPlugins = async (): Promise<void> => {
  const { pluginNames } = await import('#resolver/plugins/index.ts')
  const { pluginOrder } = await import('#resolver/plugins/order.ts')
  const known = pluginOrder.filter(name => pluginNames.has(name))
  process.stdout.write(`Server types:\n  dns\n\nOther plugins:\n${known.map(name => `  dns.${name}`).join('\n')}\n`)
}

const dns = async (flags: DnsFlags): Promise<void> => {
  if (flags.version) return void process.stdout.write(`Seamark-${packageVersion}\n`)
  if (flags.plugins) return listPlugins()
  const server = optionValues(serverOptions, flags)
  const early = new EarlyThreads(server)
  const { serveDns } = await import('./serve-dns.ts')
  await serveDns(flags, server, early)
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
