/** `seamark show PAGE`: what the DNS server that runs tells of itself. */
import { Argument, Command } from 'commander'
import { type AdminFlags, askAdmin, withAdminOptions } from './admin-client.ts'

interface ShowFlags extends AdminFlags {
  readonly limit?: string
  readonly name?: string
  readonly by?: string
  readonly kind?: string
}

const PAGES = ['top', 'failures', 'cache', 'config', 'statistics'] as const

const show = async (page: string, flags: ShowFlags): Promise<void> => {
  const { limit, name, by, kind } = flags
  process.stdout.write(await askAdmin(flags, page, { limit, name, by, kind }))
}

export const showCommand = (): Command =>
  withAdminOptions(
    new Command('show')
      .description('show what the DNS server that runs does: who asks most, what failed, what is kept')
      .addArgument(new Argument('<page>', 'which').choices(PAGES))
      .option('--limit <rows>', 'at most so many')
      .option('--name <text>', 'failures, cache: names that hold the text')
      .option('--by <what>', 'top: client, name, namespace or rcode (default: all)')
      .option('--kind <kind>', 'failures: failed or negative', 'failed'),
  ).action(show)
