/** Asks a running DNS server for one of its admin pages. */
import { type Command, Option } from 'commander'
import { SeamarkError } from '#lib/errors.ts'
import { DEFAULT_ADDRESSES, dataDirOption } from './common-options.ts'
import { openDataDir } from './data-dir.ts'

export interface AdminFlags {
  readonly adminAddress?: string
  readonly dataDir: string
  readonly json?: boolean
}

/** A page is made from memory, or waits for upstreams for at most forward's five seconds. */
const TIMEOUT = 15_000

export const withAdminOptions = (command: Command): Command =>
  command
    .option(
      '--admin-address <host:port>',
      `the DNS server's --admin-address (default: that of the cluster in --data-dir, else ${DEFAULT_ADDRESSES.admin})`,
    )
    .addOption(dataDirOption())
    .addOption(new Option('--json', 'for programs'))

const addressOf = ({ adminAddress, dataDir }: AdminFlags): string => {
  if (adminAddress !== undefined) return adminAddress
  try {
    return openDataDir(dataDir).addresses.admin ?? DEFAULT_ADDRESSES.admin
  } catch (error) {
    // No cluster of `seamark up` here: a server of its own is asked.
    if (error instanceof SeamarkError) return DEFAULT_ADDRESSES.admin
    throw error
  }
}

/**
 * The page's text. Parameters that are undefined are left out.
 * @throws SeamarkError DNS_UNREACHABLE; BAD_OPTION with what the server says is wrong with the parameters
 */
export const askAdmin = async (
  flags: AdminFlags,
  page: string,
  parameters: Readonly<Record<string, string | undefined>>,
): Promise<string> => {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const address = addressOf(flags)
  const url = `http://${address}/${page}?${new URLSearchParams(given)}`
  const headers = { accept: flags.json ? 'application/json' : 'text/plain' }
  let response: Response
  try {
    response = await fetch(url, { headers, signal: AbortSignal.timeout(TIMEOUT) })
  } catch (cause) {
    throw new SeamarkError('DNS_UNREACHABLE', `no DNS server tells of itself on ${address}`, { cause })
  }
  const text = await response.text()
  if (response.ok) return text
  if (response.status === 400) throw new SeamarkError('BAD_OPTION', text.trim())
  throw new SeamarkError('DNS_UNREACHABLE', `${address} says ${response.status}: ${text.trim()}`)
}
