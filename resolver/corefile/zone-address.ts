/** The keys of server blocks, and the zones that directives name: `cluster.local`, `dns://.:1053`, `10.0.0.0/8:53`. */
import { accepted, type Result, refused } from '#lib/result.ts'
import { canonicalName, parseName } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'
import { suggestion } from './nearest.ts'
import { reverseZonesOf } from './reverse-zones.ts'

/** Schemes that CoreDNS knows, with the port that each has by default. */
export const schemes = { dns: 53, tls: 853, https: 443, https3: 443, quic: 853, grpc: 443 } as const
export type Scheme = keyof typeof schemes

export interface ZoneAddress {
  readonly scheme: Scheme
  /** Canonical and absolute; several where a network covers several reverse zones. */
  readonly zones: readonly DnsName[]
  /** Undefined where the key names none. */
  readonly port: number | undefined
}

export const parseZoneAddress = (text: string): Result<ZoneAddress, string> => {
  const [, schemeText = 'dns', rest = ''] = /^(?:([a-z0-9]+):\/\/)?(.*)$/i.exec(text) ?? []
  const scheme = schemeText.toLowerCase()
  if (!isScheme(scheme)) {
    const hint = suggestion(scheme, Object.keys(schemes))
    return refused(`"${text}": "${schemeText}://" is not a scheme of a server block${hint}`)
  }
  const [host, port] = splitPort(rest)
  if (port !== undefined && port > 65_535) return refused(`"${text}": port ${port} is above 65535`)
  const zones = parseZones(host)
  if (!zones.ok) return zones
  return accepted({ scheme, zones: zones.value, port })
}

/** A zone as directives name it: a domain name (its final dot may be left out) or a network. */
export const parseZones = (text: string): Result<readonly DnsName[], string> => {
  if (text === '') return refused('a zone is missing (the root is ".")')
  const reverse = reverseZonesOf(text)
  if (reverse) return accepted(reverse)
  if (/^[0-9a-f.:]+\/\d+$/i.test(text)) return refused(`"${text}" is not a network (like 10.0.0.0/8 or fd00::/8)`)
  const name = parseName(text)
  return name.ok ? accepted([canonicalName(name.value)]) : name
}

const isScheme = (text: string): text is Scheme => Object.hasOwn(schemes, text)

/** `:53` alone is the root on port 53. A colon inside an IPv6 network is no port. */
const splitPort = (text: string): readonly [string, number | undefined] => {
  if (reverseZonesOf(text)) return [text, undefined]
  const match = /^(.*):(\d{1,6})$/.exec(text)
  if (!match) return [text, undefined]
  return [match[1] === '' ? '.' : match[1]!, Number(match[2])]
}
