/** From an address as people write it to what sockets are bound to. */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

export type Family = 4 | 6

export interface BindAddress {
  /** An IP address; `0.0.0.0` and `::` are all of a family. */
  readonly address: string
  readonly family: Family
}

const wildcards: readonly BindAddress[] = [
  { address: '0.0.0.0', family: 4 },
  { address: '::', family: 6 },
]

export const isWildcard = ({ address }: BindAddress): boolean => wildcards.some(all => all.address === address)

/** `''`: all addresses of both families. A host name: the first address that the system knows for it. Rejects if none. */
export const bindAddresses = async (host: string): Promise<readonly BindAddress[]> => {
  if (host === '') return wildcards
  const { address, family } = isIP(host.replace(/%.*$/, ''))
    ? { address: host, family: isIP(host.replace(/%.*$/, '')) }
    : await lookup(host)
  return [{ address, family: family === 6 ? 6 : 4 }]
}

/** The addresses of this machine's interfaces now; link-local ones of IPv6 with their scope (`fe80::1%eth0`). */
export const localAddresses = (family: Family): ReadonlySet<string> => {
  const addresses = new Set<string>()
  for (const [name, entries] of Object.entries(networkInterfaces())) {
    for (const entry of entries ?? []) {
      if (entry.family !== `IPv${family}`) continue
      addresses.add(entry.family === 'IPv6' && entry.scopeid > 0 ? `${entry.address}%${name}` : entry.address)
    }
  }
  return addresses
}

/** Whether the error says that the machine has no such family (IPv6 switched off), not that an address is wrong. */
export const isFamilyMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL')
