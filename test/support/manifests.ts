/** API objects for tests, with only what DNS reads of them. */
import type { Manifest } from './static-cluster.ts'

export const namespace = (name: string, labels: Readonly<Record<string, string>> = {}): Manifest => ({
  kind: 'Namespace',
  metadata: { name, labels },
})

/** `spec` as in the API; a string is the cluster IP. */
export const service = (namespaceName: string, name: string, spec: string | object): Manifest => ({
  kind: 'Service',
  metadata: { namespace: namespaceName, name },
  spec: typeof spec === 'string' ? { clusterIPs: [spec], ports: [{ name: 'http', port: 80 }] } : spec,
})

export interface SliceEndpoint {
  readonly address: string
  readonly hostname?: string
  readonly ready?: boolean
  readonly podName?: string
}

export interface SliceFields {
  readonly namespace: string
  readonly service: string
  readonly name?: string
  readonly endpoints: readonly (string | SliceEndpoint)[]
  readonly annotations?: Readonly<Record<string, string>>
}

/** One port: http, TCP 8080. */
export const slice = ({
  namespace: inNamespace,
  service: of,
  name,
  endpoints,
  annotations,
}: SliceFields): Manifest => ({
  kind: 'EndpointSlice',
  metadata: {
    namespace: inNamespace,
    name: name ?? `${of}-1`,
    labels: { 'kubernetes.io/service-name': of },
    ...(annotations && { annotations }),
  },
  addressType: 'IPv4',
  endpoints: endpoints
    .map(endpoint => (typeof endpoint === 'string' ? { address: endpoint } : endpoint))
    .map(({ address, hostname, ready = true, podName }: SliceEndpoint) => ({
      addresses: [address],
      hostname,
      conditions: { ready },
      ...(podName !== undefined && { targetRef: { kind: 'Pod', name: podName } }),
    })),
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
})
