/**
 * LimitRanges of a namespace: containers of a new Pod get the defaults that they do not say themselves, and what is out
 * of bounds is refused, Pods and claims alike. What is there already stays, whatever the bounds become.
 */
import { type Limit, limitRangeKind, limitsOf } from '#cluster/api/kinds/limit-range.ts'
import { podKind } from '#cluster/api/kinds/pod.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import type { Container, Pod, PodSpec } from '#cluster/api/pod/pod.ts'
import { podDemand } from '#cluster/api/pod/resources.ts'
import { formatQuantity, type Quantity } from '#cluster/api/quantity.ts'
import { type Amounts, amountOf, type ResourceList, readAmounts } from '#cluster/api/resource-list.ts'
import { forbidden } from '#cluster/api/status.ts'
import type { AdmissionPlugin, AdmissionRequest, Refusal } from '../admission.ts'
import type { Cacher } from '../storage/cacher.ts'

const ANNOTATION = 'kubernetes.io/limit-ranger'

/** Gives `list` what of `defaults` it lacks; the names of what it gave, for the annotation. */
const complete = (list: ResourceList | undefined, defaults: ResourceList) => {
  const missing = Object.keys(defaults).filter(name => !Object.hasOwn(list ?? {}, name))
  const added = Object.fromEntries(missing.map(name => [name, defaults[name]!]))
  return { list: { ...list, ...added }, missing: missing.sort().join(', ') }
}

interface Defaults {
  readonly requests: ResourceList
  readonly limits: ResourceList
}

const completeContainer = (container: Container, defaults: Defaults, called: string): string[] => {
  const requests = complete(container.resources?.requests, defaults.requests)
  const limits = complete(container.resources?.limits, defaults.limits)
  if (requests.missing + limits.missing === '') return []
  container.resources = { ...container.resources, limits: limits.list, requests: requests.list }
  return [
    ...(requests.missing ? [`${requests.missing} request for ${called} ${container.name}`] : []),
    ...(limits.missing ? [`${limits.missing} limit for ${called} ${container.name}`] : []),
  ]
}

const defaultsOf = (limits: readonly Limit[]): Defaults => {
  const all = limits.filter(({ type }) => type === 'Container')
  return {
    requests: Object.assign({}, ...all.map(limit => limit.defaultRequest)),
    limits: Object.assign({}, ...all.map(limit => limit.default)),
  }
}

const completePod = (pod: ApiObject, limits: readonly Limit[]): void => {
  const { containers = [], initContainers = [] } = (pod as Pod).spec
  const defaults = defaultsOf(limits)
  const done = [
    ...containers.flatMap(container => completeContainer(container, defaults, 'container')),
    ...initContainers.flatMap(container => completeContainer(container, defaults, 'init container')),
  ]
  if (done.length === 0) return
  const { metadata } = pod
  metadata.annotations = { ...metadata.annotations, [ANNOTATION]: `LimitRanger plugin set: ${done.join('; ')}` }
}

/** What one thing asks for and may take. */
interface Demands {
  readonly requests: Amounts
  readonly limits: Amounts
}

/** The complaint about one resource; undefined: none. */
type Bound = (name: string, enforced: string, demands: Demands, type: string) => string | undefined

const nanoOf = (amount: Quantity | undefined): bigint => amount?.nano ?? 0n

const atLeast: Bound = (name, enforced, { requests, limits }, type) => {
  const [request, limit, least] = [requests.get(name), limits.get(name), amountOf(enforced).nano]
  const text = `minimum ${name} usage per ${type} is ${enforced}`
  if (!request) return `${text}.  No request is specified`
  if (request.nano < least) return `${text}, but request is ${formatQuantity(request)}`
  return limit && limit.nano < least ? `${text}, but limit is ${formatQuantity(limit)}` : undefined
}

const atMost: Bound = (name, enforced, { requests, limits }, type) => {
  const [request, limit, most] = [requests.get(name), limits.get(name), amountOf(enforced).nano]
  const text = `maximum ${name} usage per ${type} is ${enforced}`
  if (!limit) return `${text}.  No limit is specified`
  if (limit.nano > most) return `${text}, but limit is ${formatQuantity(limit)}`
  return request && request.nano > most ? `${text}, but request is ${formatQuantity(request)}` : undefined
}

/** Of a claim, which has no limits. */
const asksAtMost: Bound = (name, enforced, { requests }, type) => {
  const request = requests.get(name)
  const text = `maximum ${name} usage per ${type} is ${enforced}`
  if (!request) return `${text}.  No request is specified`
  return request.nano > amountOf(enforced).nano ? `${text}, but request is ${formatQuantity(request)}` : undefined
}

const inRatio: Bound = (name, enforced, { requests, limits }, type) => {
  const [request, limit] = [nanoOf(requests.get(name)), nanoOf(limits.get(name))]
  const text = `${name} max limit to request ratio per ${type} is ${enforced}`
  if (request === 0n) return `${text}, but no request is specified or request is 0`
  if (limit === 0n) return `${text}, but no limit is specified or limit is 0`
  const unit = 1_000_000_000n
  if (limit * unit <= amountOf(enforced).nano * request) return undefined
  return `${text}, but provided ratio is ${(Number(limit) / Number(request)).toFixed(6)}`
}

const complaints = (demands: Demands, { type = '', min, max, maxLimitRequestRatio }: Limit): string[] => {
  const check = (list: ResourceList | undefined, bound: Bound): string[] =>
    Object.entries(list ?? {}).flatMap(([name, enforced]) => bound(name, enforced, demands, type) ?? [])
  const most = type === 'PersistentVolumeClaim' ? asksAtMost : atMost
  return [...check(min, atLeast), ...check(max, most), ...check(maxLimitRequestRatio, inRatio)]
}

const demandsOf = (resources: { requests?: ResourceList; limits?: ResourceList } = {}): Demands => ({
  requests: readAmounts(resources.requests),
  limits: readAmounts(resources.limits),
})

const checkPod = (spec: PodSpec, limit: Limit): string[] => {
  if (limit.type === 'Pod')
    return complaints({ requests: podDemand(spec, 'requests'), limits: podDemand(spec, 'limits') }, limit)
  if (limit.type !== 'Container') return []
  return [...(spec.containers ?? []), ...(spec.initContainers ?? [])].flatMap(({ resources }) =>
    complaints(demandsOf(resources), limit),
  )
}

const checkClaim = (spec: Record<string, unknown>, { type, min, max }: Limit): string[] =>
  type === 'PersistentVolumeClaim'
    ? complaints({ ...demandsOf(spec.resources as object | undefined), limits: new Map() }, { type, min, max } as Limit)
    : []

/** Each once, as Kubernetes gathers errors. */
const aggregate = (texts: readonly string[]): string => {
  const distinct = [...new Set(texts)]
  return distinct.length === 1 ? distinct[0]! : `[${distinct.join(', ')}]`
}

const isClaim = ({ kind }: AdmissionRequest): boolean => kind.group === '' && kind.resource === 'persistentvolumeclaims'

export const createLimitRanger = (cacher: Cacher): AdmissionPlugin => {
  const ranges = (namespace: string | undefined) =>
    cacher
      .cache(limitRangeKind)
      .list(namespace)
      .map(({ object }) => limitsOf(object))
  const judge = (request: AdmissionRequest, check: (limit: Limit) => string[]): Refusal => {
    for (const limits of ranges(request.namespace)) {
      const found = limits.flatMap(check)
      const { kind, object, name } = request
      if (found.length > 0) return forbidden({ ...kind, name: name || (object.metadata.name ?? '') }, aggregate(found))
    }
    return undefined
  }
  return {
    name: 'LimitRanger',
    admit({ verb, kind, subresource, namespace, object }) {
      if (kind !== podKind || verb !== 'create' || subresource !== '' || !isObject(object.spec)) return undefined
      for (const limits of ranges(namespace)) completePod(object, limits)
      return undefined
    },
    validate(request) {
      const { verb, kind, subresource, object, current } = request
      if (verb === 'delete' || subresource !== '' || current?.metadata.deletionTimestamp || !isObject(object.spec))
        return undefined
      const { spec } = object
      if (isClaim(request)) return judge(request, limit => checkClaim(spec, limit))
      return kind === podKind && verb === 'create' ? judge(request, limit => checkPod(spec, limit)) : undefined
    },
  }
}
