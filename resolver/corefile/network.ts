/**
 * Networks as people write them: `192.0.2.0/24`, `2001:db8::/32`. Stricter than inet_aton(3), to which `10/8` is
 * 0.0.0.10/8 and `010.0.0.0/8` is 8.0.0.0/8: what somebody did not mean must not be allowed, or blocked.
 */
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

export type Network = ReturnType<typeof ipaddr.parseCIDR>

/** Undefined: not ADDRESS/PREFIX. Bits behind the prefix are as they were written. */
export const parseNetwork = (text: string): Network | undefined => {
  const [, address = '', length = ''] = /^([^/%]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
  const family = isIP(address)
  if (family === 0 || Number(length) > (family === 4 ? 32 : 128)) return undefined
  return ipaddr.parseCIDR(text)
}
