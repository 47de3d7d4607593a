/** This machine's addresses as others know them: without loopback and link-local ones, whatever interface has them. */
import { isIPv4 } from 'node:net'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'

/** Addresses of services that are announced (anycast) stand on the interface `lo`. */
export const localAddresses = (
  interfaces: NodeJS.Dict<Pick<NetworkInterfaceInfo, 'address'>[]> = networkInterfaces(),
): readonly string[] =>
  Object.values(interfaces)
    .flatMap(infos => infos ?? [])
    .map(({ address }) => address)
    .filter(address => (isIPv4(address) ? !address.startsWith('127.') : address !== '::1' && !isLinkLocal(address)))

/** fe80::/10 (RFC 4291 §2.5.6). */
const isLinkLocal = (address: string): boolean => /^fe[89ab]/i.test(address)
