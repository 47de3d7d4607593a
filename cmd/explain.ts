/** `seamark explain NAME`: why a name does, or does not, resolve, told by the DNS server that runs. */
import { Command } from 'commander'
import { type AdminFlags, askAdmin, withAdminOptions } from './admin-client.ts'

interface ExplainFlags extends AdminFlags {
  readonly type: string
  readonly client?: string
  readonly namespace?: string
  readonly server?: string
}

const explain = async (name: string, flags: ExplainFlags): Promise<void> => {
  const { type, client, namespace, server } = flags
  process.stdout.write(await askAdmin(flags, 'explain', { name, type, client, namespace, server }))
}

export const explainCommand = (): Command =>
  withAdminOptions(
    new Command('explain')
      .description('say why a name does, or does not, resolve: asks the DNS server that runs')
      .argument('<name>', 'as the client asks it; without a final dot the search list is tried, where it is known')
      .option('--type <type>', 'the record type', 'A')
      .option('--client <ip|namespace/pod>', 'who asks: policies and views may depend on it (default: this machine)')
      .option('-n, --namespace <namespace>', 'whose search list (default: that of the pod with the address)')
      .option('--server <listener>', 'the listener that is asked, as metrics name it (dns://:53)'),
  )
    .addHelpText('after', '\nExample:\n  seamark explain -n default kubernetes')
    .action(explain)
