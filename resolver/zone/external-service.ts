/** What a service has outside of the cluster: `externalIPs`, its load balancer, or the endpoints of a headless one. */
import { parseName } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'
import { type AddressKey, addressKeys } from './address.ts'
import type { ClusterIndex } from './cluster-index.ts'
import type { Endpoint } from './endpoints.ts'
import type { ServiceEntry } from './service-entry.ts'

export interface ExternalService {
  readonly entry: ServiceEntry
  /** Without repetition. */
  readonly keys: readonly AddressKey[]
  /** Of load balancers that are known by name. */
  readonly hostnames: readonly DnsName[]
  /** Of a headless service, where they count as external; else empty. */
  readonly endpoints: readonly Endpoint[]
}

/** Undefined: the service is not to be seen from outside. */
export const externalService = (
  index: Pick<ClusterIndex, 'endpoints'>,
  entry: ServiceEntry | undefined,
  headless: boolean,
): ExternalService | undefined => {
  const service = entry?.service
  if (!entry || !service || service.type === 'ExternalName') return undefined
  if (service.headless && headless) {
    const endpoints = index.endpoints(entry).all
    const keys = [...new Set(endpoints.map(({ key }) => key))]
    return endpoints.length > 0 ? { entry, keys, hostnames: [], endpoints } : undefined
  }
  const addresses = [...service.externalIPs, ...service.ingress.map(({ ip }) => ip)]
  const keys = [...new Set(addressKeys(addresses))]
  const hostnames = service.ingress.flatMap(({ hostname }) => {
    const name = hostname === '' ? undefined : parseName(hostname)
    return name?.ok ? [name.value] : []
  })
  return keys.length + hostnames.length > 0 ? { entry, keys, hostnames, endpoints: [] } : undefined
}
