/**
 * What one object takes of a namespace's quotas, by the names that a quota's `hard` has: `count/deployments.apps` of
 * anything, and what Pods, Services and claims to storage are measured by besides. Pure.
 */
import type { Kind } from '#cluster/api/kind.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import type { PodSpec } from '#cluster/api/pod/pod.ts'
import { podDemandWithOverhead } from '#cluster/api/pod/resources.ts'
import type { Quantity } from '#cluster/api/quantity.ts'
import { type Amounts, amountOf, count, NOTHING, roundUp } from '#cluster/api/resource-list.ts'
import { isExtendedResource, isHugePages } from '#cluster/api/resource-name.ts'
import type { ServiceSpec } from '#cluster/api/service/service.ts'

/** What Kubernetes counts under a name of its own besides. */
const ALIASES: Readonly<Record<string, string>> = {
  configmaps: 'configmaps',
  resourcequotas: 'resourcequotas',
  replicationcontrollers: 'replicationcontrollers',
  secrets: 'secrets',
}

const ONE = count(1)

/** What no quota counts. */
export const isUncounted = ({ group, resource, namespaced }: Kind): boolean =>
  !namespaced || (resource === 'events' && (group === '' || group === 'events.k8s.io'))

const countName = ({ group, resource }: Kind): string =>
  group === '' ? `count/${resource}` : `count/${resource}.${group}`

const specOf = (object: ApiObject): Record<string, unknown> => (isObject(object.spec) ? object.spec : {})

/** A Pod that has ended takes a place in the store and nothing else. */
const hasEnded = ({ status }: ApiObject): boolean =>
  isObject(status) && (status.phase === 'Failed' || status.phase === 'Succeeded')

const BOUNDED = ['cpu', 'memory', 'ephemeral-storage']

/** What requests and limits take, by the names of quotas. Of one container, or of a Pod. */
export const computeUsage = (requests: Amounts, limits: Amounts): Map<string, Quantity> => {
  const usage = new Map<string, Quantity>()
  for (const name of BOUNDED) {
    const [request, limit] = [requests.get(name), limits.get(name)]
    if (request) usage.set(name, request).set(`requests.${name}`, request)
    if (limit) usage.set(`limits.${name}`, limit)
  }
  for (const [name, amount] of requests) {
    if (isHugePages(name)) usage.set(name, amount)
    if (isHugePages(name) || isExtendedResource(name)) usage.set(`requests.${name}`, amount)
  }
  return usage
}

const podUsage = (pod: ApiObject): Iterable<readonly [string, Quantity]> => {
  if (hasEnded(pod)) return []
  const spec: PodSpec = specOf(pod)
  const compute = computeUsage(podDemandWithOverhead(spec, 'requests'), podDemandWithOverhead(spec, 'limits'))
  return compute.set('pods', ONE)
}

const serviceUsage = (service: ApiObject): Iterable<readonly [string, Quantity]> => {
  const { type, ports = [], allocateLoadBalancerNodePorts } = specOf(service) as ServiceSpec
  const balanced = type === 'LoadBalancer'
  const wanted = balanced && allocateLoadBalancerNodePorts === false ? ports.filter(port => port.nodePort) : ports
  return [
    ['services', ONE],
    ['services.loadbalancers', balanced ? ONE : NOTHING],
    ['services.nodeports', balanced || type === 'NodePort' ? count(wanted.length) : NOTHING],
  ]
}

/** Of before the field. */
const OLD_CLASS = 'volume.beta.kubernetes.io/storage-class'

const storageOf = (claim: ApiObject): Quantity | undefined => {
  const { requests = {} } = (specOf(claim).resources ?? {}) as { requests?: Record<string, string> }
  if (requests.storage === undefined) return undefined
  const { allocatedResources = {} } = (claim.status ?? {}) as { allocatedResources?: Record<string, string> }
  // KEP-1790: an expansion that was taken back is paid for until it is known to have failed.
  const [asked, allocated] = [roundUp(amountOf(requests.storage)), roundUp(amountOf(allocatedResources.storage))]
  return allocated.nano > asked.nano ? allocated : asked
}

const claimUsage = (claim: ApiObject): Iterable<readonly [string, Quantity]> => {
  const given = claim.metadata.annotations?.[OLD_CLASS] ?? specOf(claim).storageClassName
  const prefix = typeof given === 'string' && given !== '' ? `${given}.storageclass.storage.k8s.io/` : undefined
  const storage = storageOf(claim)
  const own: [string, Quantity][] = [
    ['persistentvolumeclaims', ONE],
    ...(storage ? [['requests.storage', storage] as [string, Quantity]] : []),
  ]
  return prefix === undefined
    ? own
    : [...own, ...own.map(([name, amount]): [string, Quantity] => [prefix + name, amount])]
}

const MEASURED: Readonly<Record<string, (object: ApiObject) => Iterable<readonly [string, Quantity]>>> = {
  pods: podUsage,
  services: serviceUsage,
  persistentvolumeclaims: claimUsage,
}

export const usageOf = (kind: Kind, object: ApiObject): Map<string, Quantity> => {
  const usage = new Map<string, Quantity>([[countName(kind), ONE]])
  if (kind.group !== '') return usage
  const alias = ALIASES[kind.resource]
  if (alias) usage.set(alias, ONE)
  for (const [name, amount] of MEASURED[kind.resource]?.(object) ?? []) usage.set(name, amount)
  return usage
}

const POD_NAMES = new Set(['pods', ...BOUNDED.flatMap(name => [name, `requests.${name}`, `limits.${name}`])])

const isPodName = (name: string): boolean =>
  POD_NAMES.has(name) ||
  isHugePages(name) ||
  name.startsWith('requests.hugepages-') ||
  (name.startsWith('requests.') && isExtendedResource(name.slice('requests.'.length)))

const isClaimName = (name: string): boolean =>
  ['persistentvolumeclaims', 'requests.storage'].some(
    each => name === each || name.endsWith(`.storageclass.storage.k8s.io/${each}`),
  )

/** Whether objects of the kind can take anything of that name. */
export const isMeasuredBy = (kind: Kind, name: string): boolean => {
  if (name === countName(kind)) return true
  if (kind.group !== '') return false
  switch (kind.resource) {
    case 'pods':
      return isPodName(name)
    case 'services':
      return name === 'services' || name === 'services.nodeports' || name === 'services.loadbalancers'
    case 'persistentvolumeclaims':
      return isClaimName(name)
    default:
      return ALIASES[kind.resource] === name
  }
}
