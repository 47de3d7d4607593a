/**
 * What a write of a Service leaves to the server: addresses and ports that it has stay when the client leaves them out,
 * and go when its new type has no use for them. The singular `clusterIP` and the list's first entry are kept the same.
 */
import { isDeepStrictEqual } from 'node:util'
import type { ApiObject } from '../object.ts'
import { applyServiceDefaults } from './defaults.ts'
import type { Service, ServicePort, ServiceSpec } from './service.ts'

const needsClusterIp = ({ type }: ServiceSpec): boolean => type !== 'ExternalName'
const needsNodePort = ({ type }: ServiceSpec): boolean => type === 'NodePort' || type === 'LoadBalancer'
const needsHealthCheckPort = ({ type, externalTrafficPolicy }: ServiceSpec): boolean =>
  type === 'LoadBalancer' && externalTrafficPolicy === 'Local'
const needsTrafficPolicy = ({ type, externalIPs = [] }: ServiceSpec): boolean =>
  type === 'NodePort' || type === 'LoadBalancer' || (type === 'ClusterIP' && externalIPs.length > 0)

/** Clients from before dual-stack change only `clusterIP`; newer ones may change only the list. */
const alignClusterIps = (next: ServiceSpec, current: ServiceSpec): void => {
  const singleChanged = (next.clusterIP ?? '') !== (current.clusterIP ?? '')
  const listChanged = !isDeepStrictEqual(next.clusterIPs ?? [], current.clusterIPs ?? [])
  if (singleChanged && !listChanged) {
    if (!next.clusterIP) delete next.clusterIPs
    else next.clusterIPs = [next.clusterIP, ...(next.clusterIPs ?? []).slice(1)]
  } else if (listChanged && !singleChanged && !next.clusterIPs?.length) {
    delete next.clusterIP
  }
}

const keepAddresses = (next: ServiceSpec, current: ServiceSpec): void => {
  if (!needsClusterIp(next) || !needsClusterIp(current)) return
  if (!next.clusterIP && current.clusterIP) next.clusterIP = current.clusterIP
  if (!next.clusterIPs?.length && next.clusterIP === current.clusterIP && current.clusterIPs) {
    next.clusterIPs = [...current.clusterIPs]
  }
  if (!next.ipFamilies?.length && current.ipFamilies) next.ipFamilies = [...current.ipFamilies]
}

const identityOf = ({ protocol, port }: ServicePort): string => `${protocol}/${port}`

const keepNodePorts = (next: ServiceSpec, current: ServiceSpec): void => {
  if (!needsNodePort(next) || !needsNodePort(current)) return
  const had = new Map((current.ports ?? []).map(port => [identityOf(port), port.nodePort]))
  const used = new Set((next.ports ?? []).map(({ nodePort }) => nodePort))
  for (const port of next.ports ?? []) {
    const before = had.get(identityOf(port))
    if (port.nodePort || !before || used.has(before)) continue
    port.nodePort = before
    used.add(before)
  }
}

const nodePortsOf = ({ ports = [] }: ServiceSpec): unknown[] =>
  ports.map(port => [identityOf(port), port.nodePort ?? 0])

/** Deletes `fields` that the client has left as they were: it changed the type and did not mean them. */
const dropUnchanged = (next: ServiceSpec, current: ServiceSpec, fields: readonly (keyof ServiceSpec)[]): void => {
  for (const field of fields) if (isDeepStrictEqual(next[field], current[field])) delete next[field]
}

const dropForType = (next: ServiceSpec, current: ServiceSpec): void => {
  if (needsClusterIp(current) && !needsClusterIp(next)) {
    dropUnchanged(next, current, ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'])
  }
  if (needsNodePort(current) && !needsNodePort(next) && isDeepStrictEqual(nodePortsOf(next), nodePortsOf(current))) {
    for (const port of next.ports ?? []) delete port.nodePort
  }
  if (needsHealthCheckPort(current) && !needsHealthCheckPort(next))
    dropUnchanged(next, current, ['healthCheckNodePort'])
  if (needsTrafficPolicy(current) && !needsTrafficPolicy(next)) dropUnchanged(next, current, ['externalTrafficPolicy'])
  if (current.type === 'LoadBalancer' && next.type !== 'LoadBalancer') {
    dropUnchanged(next, current, ['allocateLoadBalancerNodePorts', 'loadBalancerClass'])
  }
}

export const prepareServiceForCreate = (object: ApiObject): void => {
  applyServiceDefaults(object)
  const { spec } = object as Service
  object.status = { loadBalancer: {} }
  if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP]
}

export const prepareServiceForUpdate = (object: ApiObject, existing: ApiObject): void => {
  applyServiceDefaults(object)
  const next = (object as Service).spec
  const current = (existing as Service).spec
  alignClusterIps(next, current)
  keepAddresses(next, current)
  keepNodePorts(next, current)
  if (needsHealthCheckPort(next) && needsHealthCheckPort(current) && !next.healthCheckNodePort) {
    if (current.healthCheckNodePort) next.healthCheckNodePort = current.healthCheckNodePort
  }
  dropForType(next, current)
  // An address that no balancer holds any more.
  if (current.type === 'LoadBalancer' && next.type !== 'LoadBalancer') {
    object.status = { ...(object as Service).status, loadBalancer: {} }
  }
}
