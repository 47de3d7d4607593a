/**
 * Pods of a namespace keep to the level of the Pod Security Standards that its labels name (KEP-2579): `enforce` refuses,
 * `warn` warns, also of templates, and `audit` leaves a line in the log.
 */
import { isSame } from '#cluster/api/immutable.ts'
import { namespaceKind } from '#cluster/api/kinds/namespace.ts'
import { podKind } from '#cluster/api/kinds/pod.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { forbidden, invalid } from '#cluster/api/status.ts'
import type { Logger } from '#lib/log.ts'
import type { AdmissionPlugin, AdmissionRequest, Refusal } from '../admission.ts'
import type { PodSecurityConfiguration } from '../pod-security/configuration.ts'
import { type Part, type PodParts, partAt, partsOf, plural, podParts } from '../pod-security/pod-parts.ts'
import {
  checkPolicyLabels,
  type Demand,
  isStricter,
  labelledPolicy,
  nameOf,
  type Policy,
  policyOf,
  violationsOf,
} from '../pod-security/policy.ts'
import { podTemplateOf } from '../pod-security/templates.ts'
import type { Cacher } from '../storage/cacher.ts'

/** Subresources by which a Pod does not become another; `ephemeralcontainers` and `resize` are none of them. */
const HARMLESS = new Set(['binding', 'eviction', 'status'])

/** Of a namespace whose level changes: to look at more would hold up everybody. */
const MAX_PODS = 3000

type Labels = Readonly<Record<string, string>>

const labelsOf = ({ metadata }: ApiObject): Labels => metadata.labels ?? {}

/** Whether Pods that are there already may now be such as could not come any more. */
const looksStricter = (next: Demand, last: Demand): boolean =>
  next.level !== 'privileged' && (isStricter(next, last) || next.version !== last.version)

/** In words; undefined: there is nothing against the Pod. */
const describe = (demand: Demand, pod: PodParts): string | undefined => {
  const found = violationsOf(demand, pod)
  const list = found.map(({ reason, detail }) => `${reason} (${detail})`).join(', ')
  return found.length === 0 ? undefined : `PodSecurity ${nameOf(demand)}: ${list}`
}

const CONTAINERS = ['initContainers', 'containers', 'ephemeralContainers'] as const

const imagesOf = (spec: unknown): unknown =>
  CONTAINERS.map(list => partsOf(partAt(spec)[list]).map(({ name, image }) => ({ name, image })))

/** What a Pod may change later does not make it another Pod, but for new containers and images. */
const isSignificant = ({ object, current }: AdmissionRequest): boolean =>
  !current || !isSame(imagesOf(object.spec), imagesOf(current.spec))

const partsOfPod = ({ spec, metadata }: ApiObject): PodParts =>
  podParts(isObject(spec) ? (spec as Part) : {}, metadata.annotations ?? {})

/** `a`, `a (and 1 other pod)`, `a (and 2 other pods)` */
const several = (names: readonly string[]): string => {
  const others = names.length - 1
  return others === 0 ? names[0]! : `${names[0]} (and ${others} other ${plural('pod', 'pods', others)})`
}

export interface PodSecurityEnvironment {
  readonly cacher: Cacher
  readonly logger: Logger
  readonly podSecurity: PodSecurityConfiguration
}

export const createPodSecurity = ({ cacher, logger, podSecurity }: PodSecurityEnvironment): AdmissionPlugin => {
  const { defaults, exemptions } = podSecurity

  /** Undefined: there is no such namespace, or it asks for nothing. */
  const policyAt = (namespace = '') => {
    const space = cacher.cache(namespaceKind).get(namespace)?.object
    return space && policyOf(labelsOf(space), defaults)
  }

  const isExempt = ({ namespace = '', user }: AdmissionRequest): boolean =>
    exemptions.namespaces.has(namespace) || exemptions.usernames.has(user.name)

  const runsExempt = (spec: unknown): boolean => {
    const { runtimeClassName } = partAt(spec)
    return typeof runtimeClassName === 'string' && exemptions.runtimeClasses.has(runtimeClassName)
  }

  const tell = (request: AdmissionRequest, pod: PodParts, audit: Demand, warn: Demand): void => {
    const { namespace, name, object, kind } = request
    const audited = describe(audit, pod)
    if (audited) {
      const annotations = { 'pod-security.kubernetes.io/audit-violations': `would violate ${audited}` }
      const about = { resource: kind.resource, namespace, name: name || object.metadata.name, user: request.user.name }
      logger.info({ ...about, annotations }, 'audit annotations')
    }
    const warned = describe(warn, pod)
    if (warned) request.warn(`would violate ${warned}`)
  }

  const checkPod = (request: AdmissionRequest): Refusal => {
    const { kind, object, namespace, name } = request
    const policy = policyAt(namespace)
    if (!policy || !isSignificant(request) || isExempt(request) || runsExempt(object.spec)) return undefined
    const pod = partsOfPod(object)
    const enforced = describe(policy.enforce, pod)
    if (enforced) return forbidden({ ...kind, name: name || (object.metadata.name ?? '') }, `violates ${enforced}`)
    tell(request, pod, policy.audit, policy.warn)
    return undefined
  }

  const checkTemplate = (request: AdmissionRequest): undefined => {
    const template = podTemplateOf(request.kind, request.object)
    const policy = template && policyAt(request.namespace)
    if (!policy || isExempt(request) || runsExempt(template.spec)) return
    tell(request, podParts(template.spec, template.annotations), policy.audit, policy.warn)
  }

  /** Tells what is there already and could not come any more, by name, as lists are. */
  const lookAround = ({ name, warn }: AdmissionRequest, enforce: Demand): void => {
    const pods = cacher.cache(podKind).list(name)
    const names = new Map<string, string[]>()
    for (const { object } of pods.slice(0, MAX_PODS)) {
      if (runsExempt(object.spec)) continue
      const reasons = violationsOf(enforce, partsOfPod(object)).map(({ reason }) => reason)
      if (reasons.length === 0) continue
      const key = reasons.join(', ')
      const alike = names.get(key) ?? []
      alike.push(object.metadata.name ?? '')
      names.set(key, alike)
    }
    if (pods.length > MAX_PODS)
      warn(`new PodSecurity enforce level only checked against the first ${MAX_PODS} of ${pods.length} existing pods`)
    if (names.size === 0) return
    warn(
      `existing pods in namespace ${JSON.stringify(name)} violate the new PodSecurity enforce level ${nameOf(enforce)}`,
    )
    for (const line of [...names].map(([reasons, pods]) => `${several(pods)}: ${reasons}`).sort()) warn(line)
  }

  const checkNamespace = (request: AdmissionRequest): Refusal => {
    const { object, current } = request
    const [labels, before] = [labelsOf(object), current ? labelsOf(current) : {}]
    const errors = checkPolicyLabels(labels, before)
    if (errors.length > 0) return invalid({ ...namespaceKind, name: object.metadata.name ?? '' }, errors)
    const [next, last] = [policyOf(labels, defaults), policyOf(before, defaults)]
    if (exemptions.namespaces.has(object.metadata.name ?? '')) tellOfExemption(request, labels, next, last)
    else if (current && looksStricter(next.enforce, last.enforce)) lookAround(request, next.enforce)
    return undefined
  }

  const tellOfExemption = ({ object, current, warn }: AdmissionRequest, labels: Labels, next: Policy, last: Policy) => {
    const ignored = labelledPolicy(labels, next)
    if (ignored === '' || isSame(next, defaults) || (current && !looksStricter(next.enforce, last.enforce))) return
    const name = JSON.stringify(object.metadata.name)
    warn(`namespace ${name} is exempt from Pod Security, and the policy (${ignored}) will be ignored`)
  }

  return {
    name: 'PodSecurity',
    validate(request) {
      const { verb, kind, subresource } = request
      if (verb === 'delete') return undefined
      if (kind === podKind) return HARMLESS.has(subresource) ? undefined : checkPod(request)
      if (subresource !== '') return undefined
      return kind === namespaceKind ? checkNamespace(request) : checkTemplate(request)
    },
  }
}
