import { type PackedEndpoints, packEndpoints } from '../packed-endpoints.ts'
import { portsOf, type ServicePortView } from '../service-port.ts'
import type { View } from '../view.ts'

export interface EndpointSliceView {
  readonly namespace: string
  readonly name: string
  /** The label `kubernetes.io/service-name`, `''` when absent. */
  readonly serviceName: string
  readonly addressType: 'IPv4' | 'IPv6' | 'FQDN'
  /** See `unpackEndpoints`. */
  readonly endpoints: PackedEndpoints
  /** Ports without a number are left out. */
  readonly ports: readonly ServicePortView[]
  /** Labels of the multi-cluster API (KEP-1645), `''` when absent. */
  readonly importedService: string
  readonly sourceCluster: string
  readonly resourceVersion: string
  /** The annotation endpoints.kubernetes.io/last-change-trigger-time, `''` when absent: for the programming latency. */
  readonly lastChangeTriggerTime: string
}

interface Named {
  readonly name?: string
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
    readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean; readonly terminating?: boolean }
    readonly targetRef?: { readonly kind?: string; readonly name?: string }
    readonly zone?: string
    readonly hints?: { readonly forZones?: readonly Named[]; readonly forNodes?: readonly Named[] }
  }[]
  readonly ports?: readonly { readonly name?: string; readonly protocol?: string; readonly port?: number }[]
}

/** What some readers want of endpoints, and others do without. */
export interface EndpointDetails {
  /** Of ready endpoints. */
  readonly podNames: boolean
  readonly zones: boolean
  readonly hints: boolean
  /** Whether endpoints that are shutting down are ready while they serve. */
  readonly serving: boolean
}

/** Names of zones and nodes have no blanks in them. */
const joined = (names: readonly Named[] = []): string => names.map(({ name = '' }) => name).join(' ')

export const endpointSliceView = ({ podNames, zones, hints, serving }: EndpointDetails): View<EndpointSliceView> => ({
  resource: { group: 'discovery.k8s.io', version: 'v1', resource: 'endpointslices' },
  strip(raw) {
    const { metadata, addressType = 'IPv4', ports, ...rest } = raw as unknown as RawSlice
    const labels = metadata.labels ?? {}
    const endpoints = (rest.endpoints ?? []).map(({ addresses = [], hostname = '', zone = '', ...endpoint }) => {
      const { conditions } = endpoint
      // A terminating endpoint is never ready (Kubernetes API, EndpointConditions); it may serve until it is gone.
      const serves = serving && conditions?.terminating === true && conditions.serving !== false
      const ready = conditions?.ready !== false || serves
      const podName = endpoint.targetRef?.kind === 'Pod' ? (endpoint.targetRef.name ?? '') : ''
      // Who asks why a service has no endpoint is told which pods are not ready; those are few.
      return {
        addresses,
        hostname,
        podName: podNames || !ready ? podName : '',
        ready,
        zone: zones ? zone : '',
        zoneHints: hints ? joined(endpoint.hints?.forZones) : '',
        nodeHints: hints ? joined(endpoint.hints?.forNodes) : '',
      }
    })
    return {
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      serviceName: labels['kubernetes.io/service-name'] ?? '',
      addressType,
      endpoints: packEndpoints(endpoints),
      ports: portsOf(ports),
      importedService: labels['multicluster.kubernetes.io/service-name'] ?? '',
      sourceCluster: labels['multicluster.kubernetes.io/source-cluster'] ?? '',
      resourceVersion: metadata.resourceVersion ?? '',
      lastChangeTriggerTime: metadata.annotations?.['endpoints.kubernetes.io/last-change-trigger-time'] ?? '',
    }
  },
})
