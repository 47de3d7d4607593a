/**
 * This machine's addresses as others know them, whatever interface has them: without those of loopback and of fe80::/10.
 * Those of 169.254/16 stay, as in CoreDNS: a cache on each node (NodeLocal DNSCache) is asked at one.
 */
import { isIPv4 } from 'node:net'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'

/** Addresses of services that are announced (anycast) stand on the interface `lo`. */
export const localAddresses = (
  interfaces: NodeJS.Dict<Pick<NetworkInterfaceInfo, 'address'>[]> = networkInterfaces(),
): readonly string[] =>
  Object.values(interfaces)
    .flatMap(infos => infos ?? [])
    .map(({ address }) => address)
    .filter(address => (isIPv4(address) ? !address.startsWith('127.') : address !== '::1' && !isLinkLocal6(address)))

/** fe80::/10 (RFC 4291 §2.5.6). */
const isLinkLocal6 = (address: string): boolean => /^fe[89ab]/i.test(address)
