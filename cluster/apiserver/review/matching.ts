/** Whether a request is one of those that a webhook or a policy is about. */
import type { NamedRule, Rule } from '#cluster/api/admission-registration/rules.ts'
import type { Kind } from '#cluster/api/kind.ts'
import { namespaceKind } from '#cluster/api/kinds/namespace.ts'
import { isEmptySelector, type LabelSelector, matchesSelector } from '#cluster/api/label-selector.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { AdmissionRequest } from '../admission.ts'
import type { Cacher } from '../storage/cacher.ts'
import { namespaceOf, operationOf } from './reviewed.ts'

/** Configurations of admission are nobody's to hold up: else a webhook that is broken could not be removed. */
const EXEMPT = new Set([
  'validatingwebhookconfigurations',
  'mutatingwebhookconfigurations',
  'validatingadmissionpolicies',
  'validatingadmissionpolicybindings',
  'mutatingadmissionpolicies',
  'mutatingadmissionpolicybindings',
])

export const isExempt = ({ kind }: AdmissionRequest): boolean =>
  kind.group === 'admissionregistration.k8s.io' && EXEMPT.has(kind.resource)

const includes = (list: readonly string[] | undefined, item: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(item))

const isNamespace = ({ group, resource }: Kind): boolean => group === '' && resource === 'namespaces'

const isInScope = (scope: string | undefined, { kind, namespace }: AdmissionRequest): boolean => {
  const clusterWide = namespace === undefined || isNamespace(kind)
  if (scope === 'Namespaced') return !clusterWide
  return scope === 'Cluster' ? clusterWide : true
}

const isResource = (text: string, resource: string, subresource: string): boolean => {
  const slash = text.indexOf('/')
  const [wanted, sub] = slash < 0 ? [text, ''] : [text.slice(0, slash), text.slice(slash + 1)]
  return (wanted === '*' || wanted === resource) && (sub === '*' || sub === subresource)
}

/** `version`: as which the request is looked at. */
const matchesRule = (rule: Rule, request: AdmissionRequest, version: Kind): boolean =>
  isInScope(rule.scope, request) &&
  includes(rule.operations, operationOf(request)) &&
  includes(rule.apiGroups, version.group) &&
  includes(rule.apiVersions, version.version) &&
  (rule.resources ?? []).some(text => isResource(text, version.resource, request.subresource))

const matchesNamed = (rule: NamedRule, request: AdmissionRequest, version: Kind): boolean => {
  if (!matchesRule(rule, request, version)) return false
  const { resourceNames = [] } = rule
  return resourceNames.length === 0 || resourceNames.includes(request.name || (request.object.metadata.name ?? ''))
}

/**
 * The version of the object that the first rule asks for; undefined: none matches. `versions`: those that share what is
 * stored with the request's kind, which are looked at where the policy is `Equivalent`.
 */
export const matchedVersion = (
  rules: readonly NamedRule[] = [],
  request: AdmissionRequest,
  versions: readonly Kind[],
): Kind | undefined => {
  if (rules.some(rule => matchesNamed(rule, request, request.kind))) return request.kind
  const others = versions.filter(version => version !== request.kind)
  for (const rule of rules) {
    const version = others.find(other => matchesNamed(rule, request, other))
    if (version) return version
  }
  return undefined
}

const labelsOf = (object: ApiObject | undefined): Readonly<Record<string, string>> => object?.metadata.labels ?? {}

/** What is in no namespace is chosen by every selector. */
export const matchesNamespace = (
  selector: LabelSelector | undefined,
  request: AdmissionRequest,
  cacher: Cacher,
): boolean => {
  if (!selector || isEmptySelector(selector)) return true
  const { kind, verb, object, current } = request
  if (isNamespace(kind)) return matchesSelector(selector, labelsOf(verb === 'delete' ? current : object))
  const namespace = namespaceOf(request)
  if (namespace === '') return true
  return matchesSelector(selector, labelsOf(cacher.cache(namespaceKind).get(namespace)?.object))
}

/** By what it is, or by what it was. */
export const matchesObject = (
  selector: LabelSelector | undefined,
  { verb, object, current }: AdmissionRequest,
): boolean => {
  if (!selector || isEmptySelector(selector)) return true
  if (verb !== 'delete' && matchesSelector(selector, labelsOf(object))) return true
  return current !== undefined && matchesSelector(selector, labelsOf(current))
}
