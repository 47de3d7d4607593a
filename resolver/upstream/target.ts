/**
 * Where questions may be sent on to: `192.0.2.1`, `[2001:db8::1]:5353`, `tls://192.0.2.1%dns.example`,
 * `https://dns.example/dns-query`, `dns.corp.example:5353`, `/etc/resolv.conf`.
 */
import { isIP } from 'node:net'
import { accepted, type Result, refused } from '#lib/result.ts'

export type UpstreamProtocol = 'dns' | 'tls' | 'https'

interface Endpoint {
  readonly protocol: UpstreamProtocol
  readonly port: number
  /** Name in the server's certificate, where the target itself gives one. */
  readonly serverName: string | undefined
  /** Path and query of the URL for `https`; otherwise empty. */
  readonly path: string
}

export interface UpstreamTarget extends Endpoint {
  /** An IP address. */
  readonly address: string
}

export interface NamedTarget extends Endpoint {
  /** A host name, whose addresses must be looked up. */
  readonly host: string
}

/** A server, a server by its name, or a file with `nameserver` lines. */
export type Destination =
  | { readonly kind: 'server'; readonly target: UpstreamTarget }
  | { readonly kind: 'name'; readonly target: NamedTarget }
  | { readonly kind: 'file'; readonly path: string }

const ports: Readonly<Record<UpstreamProtocol, number>> = { dns: 53, tls: 853, https: 443 }
/** RFC 8484 §4.1.1 leaves the path to the server; this is the one that nearly all have, and CoreDNS's default. */
const DEFAULT_PATH = '/dns-query'

export const parseDestination = (text: string): Result<Destination, string> => {
  const [, scheme = 'dns', rest = ''] = /^(?:([a-z0-9]+):\/\/)?(.*)$/i.exec(text) ?? []
  if (scheme === 'grpc' || scheme === 'quic')
    return refused(`"${text}": Seamark does not forward by ${scheme}:// (tls:// and https:// are encrypted, too)`)
  if (scheme !== 'dns' && scheme !== 'tls' && scheme !== 'https')
    return refused(`"${text}": "${scheme}://" is none of dns://, tls:// and https://`)
  const [, authority = '', written = ''] = /^([^/]*)(\/.*)?$/.exec(rest) ?? []
  if (scheme !== 'https' && written !== '') return accepted({ kind: 'file', path: rest })
  const path = scheme === 'https' ? written || DEFAULT_PATH : ''
  // A server name may stand between address and port: 192.0.2.1%dns.example:853.
  const named = /^([^%]+)%([^%:]+)((?::\d{1,5})?)$/.exec(authority)
  const serverName = scheme !== 'dns' && named && isIP(strip(named[1]!)) !== 0 ? named[2] : undefined
  const plain = serverName === undefined ? authority : `${named![1]}${named![3]}`
  const [host, port] = splitPort(plain, ports[scheme])
  if (port < 1 || port > 65_535) return refused(`"${text}": ${port} is not a port (1 to 65535)`)
  const endpoint = { protocol: scheme, port, path } as const
  if (isIP(host.replace(/%.*$/, '')) !== 0)
    return accepted({ kind: 'server', target: { ...endpoint, address: host, serverName } })
  if (!isHostName(host))
    return refused(`"${text}" is neither an IP address nor a host name (each with or without :PORT) nor a resolv.conf`)
  return accepted({ kind: 'name', target: { ...endpoint, host, serverName: scheme === 'dns' ? undefined : host } })
}

/** One text a target, to recognise it by. Not for people: the path of a URL may be somebody's secret. */
export const targetKey = ({ protocol, serverName = '', path, ...target }: UpstreamTarget): string =>
  `${protocol}://${targetLabel(target)}%${serverName}${path}`

/** `192.0.2.1:53`: CoreDNS's `to`. */
export const targetLabel = ({ address, port }: Pick<UpstreamTarget, 'address' | 'port'>): string =>
  `${address.includes(':') ? `[${address}]` : address}:${port}`

/** RFC 1123 §2.1; the last label is not a number, so that a mistyped address is no name. */
const isHostName = (host: string): boolean =>
  host.length <= 253 &&
  /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*(?!\d+\.?$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.?$/i.test(host)

const strip = (address: string): string => address.replace(/^\[(.*)\]$/, '$1')

const splitPort = (text: string, otherwise: number): readonly [string, number] => {
  if (isIP(text.replace(/%.*$/, '')) !== 0) return [text, otherwise]
  const match = /^(.*?)(?::(\d{1,5}))?$/.exec(text)!
  return [strip(match[1]!), match[2] === undefined ? otherwise : Number(match[2])]
}
