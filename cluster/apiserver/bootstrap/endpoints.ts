/** Where pods reach this machine's servers: the EndpointSlices of `kubernetes` and `kube-dns`, as Kubernetes writes them. */

import { familyOf, validateEndpointIp } from '#cluster/api/ip.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { SocketAddress } from '#lib/address.ts'

export interface NamedPort {
  readonly name: string
  readonly protocol: 'TCP' | 'UDP'
  /** Where the server listens; undefined: it does not. */
  readonly listens: SocketAddress | undefined
}

export interface Reachability {
  /** `''` for none. */
  readonly advertiseAddress: string
}

const isWildcard = (host: string): boolean => host === '' || host === '0.0.0.0' || host === '::'

/** Whether who connects to the advertised address meets the server. Slices may not name loopback addresses. */
const isReached = ({ host }: SocketAddress, advertised: string): boolean => isWildcard(host) || host === advertised

const isAdvertisable = (address: string): boolean => validateEndpointIp('', address).length === 0

/** The ports that are reached on the advertised address. */
const reachedPorts = (ports: readonly NamedPort[], { advertiseAddress }: Reachability) =>
  isAdvertisable(advertiseAddress)
    ? ports.flatMap(({ name, protocol, listens }) =>
        listens && isReached(listens, advertiseAddress) ? [{ name, port: listens.port, protocol }] : [],
      )
    : []

export interface SliceOptions {
  readonly namespace: string
  /** Of the Service; the slice has the same one. */
  readonly name: string
  readonly labels?: Readonly<Record<string, string>>
  readonly ports: readonly NamedPort[]
}

export const endpointSlice = (options: SliceOptions, reachability: Reachability): ApiObject => {
  const { namespace, name, labels = {} } = options
  const ports = reachedPorts(options.ports, reachability)
  const { advertiseAddress } = reachability
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace, name, labels: { 'kubernetes.io/service-name': name, ...labels } },
    addressType: familyOf(advertiseAddress) ?? 'IPv4',
    endpoints: ports.length > 0 ? [{ addresses: [advertiseAddress], conditions: { ready: true } }] : [],
    ports,
  }
}

/** The old form of the same; skip-mirror: its slice is written here, not mirrored from it. */
export const legacyEndpoints = (options: SliceOptions, reachability: Reachability): ApiObject => {
  const ports = reachedPorts(options.ports, reachability)
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      namespace: options.namespace,
      name: options.name,
      labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
    },
    ...(ports.length > 0 ? { subsets: [{ addresses: [{ ip: reachability.advertiseAddress }], ports }] } : {}),
  }
}
