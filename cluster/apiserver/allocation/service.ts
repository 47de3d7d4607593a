/** What of a Service decides which addresses and ports it holds. */
import type { ApiObject } from '#cluster/api/object.ts'
import type { ServiceSpec } from '#cluster/api/service/service.ts'

/** `clusterIP` of a headless Service. */
export const NONE = 'None'

/** The spec itself, not a copy. Validation has seen to it that there is one. */
export const serviceSpec = (object: ApiObject): ServiceSpec => (object.spec ?? {}) as ServiceSpec

export const isHeadless = ({ clusterIP, clusterIPs }: ServiceSpec): boolean =>
  clusterIP === NONE || clusterIPs?.[0] === NONE

export const hasSelector = ({ selector }: ServiceSpec): boolean =>
  selector !== undefined && Object.keys(selector).length > 0

/** Whether the Service holds addresses: it is neither of type ExternalName nor headless. */
export const holdsAddresses = (spec: ServiceSpec): boolean => spec.type !== 'ExternalName' && !isHeadless(spec)

export const mayHoldNodePorts = ({ type }: ServiceSpec): boolean => type === 'NodePort' || type === 'LoadBalancer'

/** externalTrafficPolicy Local: a balancer asks each node, on a port of its own, whether it has endpoints. */
export const needsHealthCheckPort = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local'
