/** The objects that every cluster starts with. */
import ipaddr from 'ipaddr.js'
import type { ApiObject } from '#cluster/api/object.ts'
import type { SocketAddress } from '#lib/address.ts'
import { parseServiceCidrs } from './options.ts'

export const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'] as const

export const namespaceObject = (name: string): ApiObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
})

export const serviceCidrObject = (cidrs: readonly string[]): ApiObject => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  metadata: { name: 'kubernetes' },
  spec: { cidrs },
})

/** The first address of the first range: 10.96.0.1. @throws SeamarkError BAD_OPTION */
export const firstAddress = (cidrs: readonly string[]): string => {
  const [first = ''] = parseServiceCidrs(cidrs.join(','))
  const [address, length] = ipaddr.parseCIDR(first)
  const network =
    address.kind() === 'ipv4'
      ? ipaddr.IPv4.networkAddressFromCIDR(`${address}/${length}`)
      : ipaddr.IPv6.networkAddressFromCIDR(`${address}/${length}`)
  const bytes = network.toByteArray()
  const last = bytes.length - 1
  bytes[last] = (bytes[last] ?? 0) + 1
  const next = ipaddr.fromByteArray(bytes)
  return next.kind() === 'ipv6' ? (next as ipaddr.IPv6).toRFC5952String() : next.toString()
}

/** What the cluster's own Pods name, so that they come before all others. */
export const priorityClassObjects = (): readonly ApiObject[] =>
  [
    [
      'system-node-critical',
      2_000_001_000,
      'Used for system critical pods that must not be moved from their current node.',
    ],
    [
      'system-cluster-critical',
      2_000_000_000,
      'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
    ],
  ].map(([name, value, description]) => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name: name as string },
    value,
    description,
  }))

export const kubernetesService = (clusterIP: string, apiserver: SocketAddress): ApiObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { namespace: 'default', name: 'kubernetes', labels: { component: 'apiserver', provider: 'kubernetes' } },
  spec: {
    type: 'ClusterIP',
    clusterIP,
    clusterIPs: [clusterIP],
    ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: apiserver.port }],
    sessionAffinity: 'None',
  },
})

/** As kubeadm makes it for CoreDNS, but without selector: the DNS server is a process of ours, not pods. */
export const kubeDnsService = (clusterIP: string): ApiObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    namespace: 'kube-system',
    name: 'kube-dns',
    labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
    annotations: { 'prometheus.io/port': '9153', 'prometheus.io/scrape': 'true' },
  },
  spec: {
    type: 'ClusterIP',
    clusterIP,
    clusterIPs: [clusterIP],
    ports: [
      { name: 'dns', protocol: 'UDP', port: 53, targetPort: 53 },
      { name: 'dns-tcp', protocol: 'TCP', port: 53, targetPort: 53 },
      { name: 'metrics', protocol: 'TCP', port: 9153, targetPort: 9153 },
    ],
  },
})
