/** Where questions may be sent on to: `192.0.2.1`, `[2001:db8::1]:5353`, `tls://192.0.2.1%dns.example`, `/etc/resolv.conf`. */
import { isIP } from 'node:net'
import { accepted, type Result, refused } from '#lib/result.ts'

export interface UpstreamTarget {
  readonly protocol: 'dns' | 'tls'
  /** An IP address. */
  readonly address: string
  readonly port: number
  /** Name in the server's certificate, where the target itself gives one. */
  readonly serverName: string | undefined
}

/** A server, or a file with `nameserver` lines. */
export type Destination =
  | { readonly kind: 'server'; readonly target: UpstreamTarget }
  | { readonly kind: 'file'; readonly path: string }

const ports = { dns: 53, tls: 853 } as const

export const parseDestination = (text: string): Result<Destination, string> => {
  const [, scheme = 'dns', rest = ''] = /^(?:([a-z0-9]+):\/\/)?(.*)$/i.exec(text) ?? []
  if (scheme === 'https' || scheme === 'grpc' || scheme === 'quic')
    return refused(`"${text}": Seamark does not forward by ${scheme}:// yet`)
  if (scheme !== 'dns' && scheme !== 'tls') return refused(`"${text}": "${scheme}://" is neither dns:// nor tls://`)
  if (rest.includes('/')) return accepted({ kind: 'file', path: rest })
  // A server name may stand between address and port: 192.0.2.1%dns.example:853.
  const named = /^([^%]+)%([^%:]+)((?::\d{1,5})?)$/.exec(rest)
  const serverName = scheme === 'tls' && named && isIP(strip(named[1]!)) !== 0 ? named[2] : undefined
  const plain = serverName === undefined ? rest : `${named![1]}${named![3]}`
  const [address, port] = splitPort(plain, ports[scheme])
  if (isIP(address.replace(/%.*$/, '')) === 0)
    return refused(`"${text}" is neither an IP address (with or without :PORT) nor the path of a resolv.conf`)
  if (port < 1 || port > 65_535) return refused(`"${text}": ${port} is not a port (1 to 65535)`)
  return accepted({ kind: 'server', target: { protocol: scheme, address, port, serverName } })
}

/** One text a target, for labels and for recognising it: `192.0.2.1:53`, as CoreDNS's `to`. */
export const formatTarget = ({ protocol, address, port, serverName }: UpstreamTarget): string => {
  const host = address.includes(':') ? `[${address}]` : address
  const name = serverName === undefined ? '' : `%${serverName}`
  return `${protocol === 'tls' ? 'tls://' : ''}${host}${name}:${port}`
}

const strip = (address: string): string => address.replace(/^\[(.*)\]$/, '$1')

const splitPort = (text: string, otherwise: number): readonly [string, number] => {
  if (isIP(text.replace(/%.*$/, '')) !== 0) return [text, otherwise]
  const match = /^(.*?)(?::(\d{1,5}))?$/.exec(text)!
  return [strip(match[1]!), match[2] === undefined ? otherwise : Number(match[2])]
}
