/** `seamark apiserver`: the Kubernetes API alone, on its own store. */
import { Command } from 'commander'
import { APISERVER_OPTIONS } from '#cluster/apiserver/options.ts'
import { createLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import type { ApiserverFlags } from './apiserver-program.ts'
import {
  CLUSTER_DNS,
  CLUSTER_DOMAIN,
  DEFAULT_ADDRESSES,
  dataDirOption,
  type LogFlags,
  SERVICE_CIDR,
  withLogOptions,
} from './common-options.ts'
import { withOptionTable } from './option-flags.ts'
import { runProgram } from './run-program.ts'

/** Options of whatever runs an apiserver. */
export const withApiserverOptions = (command: Command): Command => {
  command
    .addOption(dataDirOption())
    .option('--apiserver-address <host:port>', 'where the API is served (HTTPS)', DEFAULT_ADDRESSES.apiserver)
    .option('--advertise-address <ip>', "this machine's address in EndpointSlices, never loopback (default: none)")
    .option(
      '--service-cluster-ip-range <cidrs>',
      'addresses of Services; two, one a family, for dual stack',
      SERVICE_CIDR,
    )
    .option('--cluster-dns <ip>', "address of the Service kube-dns ('': make none)", CLUSTER_DNS)
    .option('--cluster-domain <domain>', "the cluster's domain, for the certificate", CLUSTER_DOMAIN)
    .option('--dns-address <host:port>', "where this machine's DNS server listens, for the slice of kube-dns")
    .option('--metrics-address <host:port>', 'where that server serves metrics, for the same slice')
  return withLogOptions(withOptionTable(command, APISERVER_OPTIONS))
}

const apiserver = async (flags: ApiserverFlags & LogFlags): Promise<void> => {
  const { ApiserverProgram } = await import('./apiserver-program.ts')
  const logger = createLogger({ level: flags.logLevel, format: flags.logFormat })
  const program = new ApiserverProgram(flags, { logger, registry: createRegistry() })
  await runProgram({ logger, components: [program], addresses: () => ({ apiserver: program.address }) })
}

export const apiserverCommand = (): Command =>
  withApiserverOptions(new Command('apiserver').description('serve the Kubernetes API alone')).action(apiserver)
