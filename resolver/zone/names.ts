/**
 * What a name asks for, by its form alone (Kubernetes DNS specification 1.1 §2, KEP-1645): pure, and knows nothing of
 * what exists. All labels canonical.
 */
import { ROOT, splitLabels } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'
import type { AddressKey } from './address.ts'
import { isReverseName, type Zone } from './settings.ts'

/** Which endpoints of a topology zone: only those (`pin`), or those first (`prefer`). */
export type ZonalPolicy = 'pin' | 'prefer'

export type NamedRequest =
  | { readonly at: 'apex' | 'dns' | 'name-server' | 'version' | 'services' | 'pods' }
  | { readonly at: 'namespace'; readonly tree: 'svc' | 'pod'; readonly namespace: string }
  | { readonly at: 'pod'; readonly namespace: string; readonly label: string }
  | ServiceRequest
  /** The whole address, as PTR records have it. */
  | { readonly at: 'address'; readonly key: AddressKey }
  /** Some first part of addresses: dotted IPv4 text with the final dot, or fewer than 32 hexadecimal digits. */
  | { readonly at: 'addresses'; readonly prefix: string }
  /** No such form. */
  | { readonly at: 'nowhere' }

export type ServiceRequest = { readonly namespace: string; readonly service: string } & (
  | { readonly at: 'service' }
  /** `_tcp.<service>`. */
  | { readonly at: 'protocol'; readonly protocol: string }
  /** `_http._tcp.<service>`, without the underscores. */
  | { readonly at: 'port'; readonly port: string; readonly protocol: string }
  | { readonly at: 'endpoint'; readonly endpoint: string }
  /** `<endpoint>.<cluster>.<service>` of a headless import. */
  | { readonly at: 'cluster-endpoint'; readonly endpoint: string; readonly cluster: string }
  /** `_zone.<service>` and `pin._zone.<service>`. */
  | { readonly at: 'topology' }
  /** Below a service in no form that a name of it has. */
  | { readonly at: 'deeper' }
  /** `<zone>.pin._zone.<service>`; the zone may have dots. */
  | { readonly at: 'topology-zone'; readonly policy: ZonalPolicy; readonly zone: string }
)

const NOWHERE: NamedRequest = { at: 'nowhere' }

/** `canonicalName` must lie in `zone`. */
export const parseRequest = (canonicalName: DnsName, zone: Zone): NamedRequest => {
  if (canonicalName.length === zone.name.length) return { at: 'apex' }
  const relative = zone.name === ROOT ? canonicalName : canonicalName.slice(0, -zone.name.length)
  const labels = splitLabels(relative)
  const last = labels.pop()
  if (last === 'dns') return parseServerName(labels)
  if (isReverseName(canonicalName)) return parseReverse(canonicalName)
  if (zone.kind === 'reverse') return NOWHERE
  if (last === 'svc') return parseService(labels)
  if (last === 'pod') return parsePod(labels)
  return last === 'dns-version' && labels.length === 0 ? { at: 'version' } : NOWHERE
}

const parseServerName = (labels: readonly string[]): NamedRequest => {
  if (labels.length === 0) return { at: 'dns' }
  return labels.length === 1 && labels[0] === 'ns' ? { at: 'name-server' } : NOWHERE
}

const parsePod = (labels: string[]): NamedRequest => {
  const namespace = labels.pop()
  const label = labels.pop()
  if (namespace === undefined) return { at: 'pods' }
  if (label === undefined) return { at: 'namespace', tree: 'pod', namespace }
  return labels.length === 0 ? { at: 'pod', namespace, label } : NOWHERE
}

/** The labels left of `svc`, or of a zone that has no `svc`. */
export const parseService = (labels: string[]): NamedRequest => {
  const namespace = labels.pop()
  const service = labels.pop()
  if (namespace === undefined) return { at: 'services' }
  if (service === undefined) return { at: 'namespace', tree: 'svc', namespace }
  return parseBelowService({ namespace, service }, labels)
}

const underscored = (label: string): string | undefined =>
  label.length > 1 && label.startsWith('_') ? label.slice(1) : undefined

const parseBelowService = (
  service: { readonly namespace: string; readonly service: string },
  labels: string[],
): NamedRequest => {
  const nearest = labels.pop()
  const next = labels.pop()
  if (nearest === undefined) return { at: 'service', ...service }
  if (nearest === '_zone') return parseTopology(service, next, labels)
  const protocol = underscored(nearest)
  if (next === undefined) {
    return protocol === undefined
      ? { at: 'endpoint', ...service, endpoint: nearest }
      : { at: 'protocol', ...service, protocol }
  }
  if (labels.length > 0) return { at: 'deeper', ...service }
  const port = underscored(next)
  if (protocol !== undefined)
    return port === undefined ? { at: 'deeper', ...service } : { at: 'port', ...service, port, protocol }
  return { at: 'cluster-endpoint', ...service, endpoint: next, cluster: nearest }
}

const parseTopology = (
  service: { readonly namespace: string; readonly service: string },
  policy: string | undefined,
  labels: readonly string[],
): NamedRequest => {
  if (policy === undefined) return { at: 'topology', ...service }
  if (policy !== 'pin' && policy !== 'prefer') return { at: 'deeper', ...service }
  if (labels.length === 0) return { at: 'topology', ...service }
  return { at: 'topology-zone', ...service, policy, zone: labels.join('.') }
}

/** RFC 1035 §3.5 and RFC 3596 §2.5. */
export const parseReverse = (canonicalName: DnsName): NamedRequest => {
  const labels = splitLabels(canonicalName)
  const isIPv4 = labels.at(-2) === 'in-addr'
  const parts = labels.slice(0, -2).reverse()
  if (isIPv4) {
    if (parts.length > 4 || !parts.every(isOctet)) return NOWHERE
    const text = parts.join('.')
    return parts.length === 4
      ? { at: 'address', key: text }
      : { at: 'addresses', prefix: text === '' ? '' : `${text}.` }
  }
  if (parts.length > 32 || !parts.every(part => /^[0-9a-f]$/.test(part))) return NOWHERE
  const digits = parts.join('')
  return parts.length === 32 ? { at: 'address', key: digits } : { at: 'addresses', prefix: digits }
}

const isOctet = (label: string): boolean => /^(?:0|[1-9]\d{0,2})$/.test(label) && Number(label) <= 255
