import type { ServicePortView } from '../service-port.ts'
import type { View } from '../view.ts'

export interface EndpointView {
  readonly addresses: readonly string[]
  /** `''` when the endpoint has none. */
  readonly hostname: string
  /** targetRef's pod name, `''` when it is no pod. */
  readonly podName: string
  /** conditions.ready: absent counts as ready. */
  readonly ready: boolean
  readonly zone: string
}

export interface EndpointSliceView {
  readonly namespace: string
  readonly name: string
  /** The label `kubernetes.io/service-name`, `''` when absent. */
  readonly serviceName: string
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN'
  readonly endpoints: readonly EndpointView[]
  /** Ports without a number are left out. */
  readonly ports: readonly ServicePortView[]
  /** Labels of the multi-cluster API (KEP-1645), `''` when absent. */
  readonly importedService: string
  readonly sourceCluster: string
  readonly resourceVersion: string
  /** The annotation endpoints.kubernetes.io/last-change-trigger-time, `''` when absent: for the programming latency. */
  readonly lastChangeTriggerTime: string
}

interface RawSlice {
  readonly metadata: {
    readonly namespace?: string
    readonly name: string
    readonly resourceVersion?: string
    readonly labels?: Record<string, string>
    readonly annotations?: Record<string, string>
  }
  readonly addressType?: EndpointSliceView['addressType']
  readonly endpoints?: readonly {
    readonly addresses?: readonly string[]
    readonly hostname?: string
    readonly conditions?: { readonly ready?: boolean }
    readonly targetRef?: { readonly kind?: string; readonly name?: string }
    readonly zone?: string
  }[]
  readonly ports?: readonly { readonly name?: string; readonly protocol?: string; readonly port?: number }[]
}

export const endpointSliceView: View<EndpointSliceView> = {
  resource: { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' },
  strip(raw) {
    const { metadata, addressType = 'IPv4', endpoints, ports } = raw as unknown as RawSlice
    const labels = metadata.labels ?? {}
    return {
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      serviceName: labels['kubernetes.io/service-name'] ?? '',
      addressType,
      endpoints: (endpoints ?? []).map(endpoint => ({
        addresses: endpoint.addresses ?? [],
        hostname: endpoint.hostname ?? '',
        podName: endpoint.targetRef?.kind === 'Pod' ? (endpoint.targetRef.name ?? '') : '',
        ready: endpoint.conditions?.ready !== false,
        zone: endpoint.zone ?? '',
      })),
      ports: (ports ?? []).flatMap(({ name = '', protocol = 'TCP', port }) =>
        port === undefined ? [] : [{ name, protocol: protocol.toLowerCase(), port }],
      ),
      importedService: labels['multicluster.kubernetes.io/service-name'] ?? '',
      sourceCluster: labels['multicluster.kubernetes.io/source-cluster'] ?? '',
      resourceVersion: metadata.resourceVersion ?? '',
      lastChangeTriggerTime: metadata.annotations?.['endpoints.kubernetes.io/last-change-trigger-time'] ?? '',
    }
  },
}
