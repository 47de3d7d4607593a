/**
 * Where a Service of the cluster is reached by the apiserver itself, which no kube-proxy serves: at one of its ready
 * endpoints, by its EndpointSlices (KEP-752), those of the Service's first address family before others.
 */
import { endpointSliceKind } from '#cluster/api/kinds/endpoint-slice.ts'
import { serviceKind } from '#cluster/api/kinds/service.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { ServiceSpec } from '#cluster/api/service/service.ts'
import type { Random } from '#lib/random.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { Cacher } from '../storage/cacher.ts'

export interface ServiceReference {
  readonly namespace?: string
  readonly name?: string
  /** Of the Service, not of its Pods. Default 443. */
  readonly port?: number
}

export interface ServiceEndpoint {
  /** An address, or the name that an ExternalName Service stands for. */
  readonly host: string
  readonly port: number
}

interface Slice extends ApiObject {
  readonly addressType?: string
  readonly endpoints?: readonly { readonly addresses?: readonly string[]; readonly conditions?: { ready?: boolean } }[]
  readonly ports?: readonly { readonly name?: string; readonly port?: number }[]
}

export const DEFAULT_SERVICE_PORT = 443
const SERVICE_LABEL = 'kubernetes.io/service-name'

const readyAddresses = ({ endpoints }: Slice): string[] =>
  (endpoints ?? []).flatMap(({ addresses = [], conditions }) =>
    conditions?.ready === false ? [] : addresses.slice(0, 1),
  )

const endpointsOf = (slices: readonly Slice[], portName: string): ServiceEndpoint[] =>
  slices.flatMap(slice => {
    const port = slice.ports?.find(({ name = '' }) => name === portName)?.port
    return port === undefined ? [] : readyAddresses(slice).map(host => ({ host, port }))
  })

/** Refused: why it is reached nowhere, in Kubernetes's words. */
export const resolveServiceEndpoint = (
  cacher: Cacher,
  { namespace = '', name = '', port = DEFAULT_SERVICE_PORT }: ServiceReference,
  random: Random,
): Result<ServiceEndpoint, string> => {
  const service = cacher.cache(serviceKind).get(`${namespace}/${name}`)?.object
  if (!service) return refused(`service "${name}" not found`)
  const { type, externalName, ports = [], ipFamilies = [] } = (service.spec ?? {}) as ServiceSpec
  if (type === 'ExternalName') return accepted({ host: externalName ?? '', port })
  const servicePort = ports.find(each => each.port === port)
  if (!servicePort) return refused(`no service port ${port} found for service "${name}"`)
  const slices = cacher
    .cache(endpointSliceKind)
    .list(namespace)
    .map(stored => stored.object as Slice)
    .filter(({ metadata }) => metadata.labels?.[SERVICE_LABEL] === name)
  const first = slices.filter(({ addressType }) => addressType === ipFamilies[0])
  const portName = servicePort.name ?? ''
  const preferred = endpointsOf(first, portName)
  const usable = preferred.length > 0 ? preferred : endpointsOf(slices, portName)
  const chosen = usable[random.integer(usable.length || 1)]
  return chosen ? accepted(chosen) : refused(`no endpoints available for service "${name}"`)
}
