import { portsOf, type ServicePortView } from '../service-port.ts'
import type { View } from '../view.ts'

/** What DNS needs of a Service: about a tenth of the object. */
export interface ServiceView {
  readonly namespace: string
  readonly name: string
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName'
  /** Text as the API gave it; empty for headless (`None`) and ExternalName. */
  readonly clusterIPs: readonly string[]
  readonly headless: boolean
  /** As typed, `''` unless type is ExternalName. */
  readonly externalName: string
  readonly ports: readonly ServicePortView[]
  readonly externalIPs: readonly string[]
  /** status.loadBalancer.ingress: an address, or a host name. */
  readonly ingress: readonly { readonly ip: string; readonly hostname: string }[]
  readonly resourceVersion: string
}

interface RawService {
  readonly metadata: {
    readonly namespace?: string
    readonly name: string
    readonly resourceVersion?: string
  }
  readonly spec?: {
    readonly type?: ServiceView['type']
    readonly clusterIP?: string
    readonly clusterIPs?: readonly string[]
    readonly externalName?: string
    readonly externalIPs?: readonly string[]
    readonly ports?: readonly { readonly name?: string; readonly protocol?: string; readonly port: number }[]
  }
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string; readonly hostname?: string }[] }
  }
}

/** Most services have none of what may be many: one empty list for all of them. */
const NONE: readonly never[] = []

export const serviceView: View<ServiceView> = {
  resource: { group: '', version: 'v1', resource: 'services' },
  strip(raw) {
    const { metadata, spec = {}, status } = raw as unknown as RawService
    const type = spec.type ?? 'ClusterIP'
    const clusterIPs = spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])
    const headless = type !== 'ExternalName' && clusterIPs[0] === 'None'
    return {
      namespace: metadata.namespace ?? '',
      name: metadata.name,
      type,
      clusterIPs: headless || type === 'ExternalName' ? [] : clusterIPs.filter(ip => ip !== ''),
      headless,
      externalName: type === 'ExternalName' ? (spec.externalName ?? '') : '',
      ports: portsOf(spec.ports),
      externalIPs: spec.externalIPs ?? NONE,
      ingress: status?.loadBalancer?.ingress?.map(({ ip = '', hostname = '' }) => ({ ip, hostname })) ?? NONE,
      resourceVersion: metadata.resourceVersion ?? '',
    }
  },
}
