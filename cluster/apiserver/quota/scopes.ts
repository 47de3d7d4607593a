/** Which objects a quota with scopes is about (core/v1.ResourceQuotaScope). A quota without is about all. Pure. */
import type { Kind } from '#cluster/api/kind.ts'
import type { ResourceQuota, ScopeExpression } from '#cluster/api/kinds/resource-quota.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import type { PodSpec } from '#cluster/api/pod/pod.ts'
import { qualityOfService } from '#cluster/api/pod/quality-of-service.ts'

interface AffinityTerm {
  readonly namespaces?: readonly string[]
  readonly namespaceSelector?: unknown
}

interface Affinity {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly AffinityTerm[]
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly { readonly podAffinityTerm?: AffinityTerm }[]
}

const isTerminating = ({ activeDeadlineSeconds }: PodSpec): boolean =>
  activeDeadlineSeconds !== undefined && activeDeadlineSeconds >= 0

const isBestEffort = (spec: PodSpec): boolean => qualityOfService(spec) === 'BestEffort'

const termsOf = (affinity: Affinity | undefined): readonly AffinityTerm[] => [
  ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
  ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(each => each.podAffinityTerm ?? {}),
]

const looksAbroad = ({ affinity }: PodSpec): boolean => {
  const { podAffinity, podAntiAffinity } = (affinity ?? {}) as Record<string, Affinity | undefined>
  return [...termsOf(podAffinity), ...termsOf(podAntiAffinity)].some(
    ({ namespaces = [], namespaceSelector }) => namespaces.length > 0 || namespaceSelector !== undefined,
  )
}

/** `names`: what the object has of what the scope is about. */
const chooses = ({ operator, values = [] }: ScopeExpression, names: readonly string[]): boolean => {
  switch (operator) {
    case 'In':
      return names.some(name => values.includes(name))
    case 'NotIn':
      return names.length === 0 || names.some(name => !values.includes(name))
    case 'Exists':
      return names.length > 0
    case 'DoesNotExist':
      return names.length === 0
    default:
      return false
  }
}

const matchesPod = (expression: ScopeExpression, spec: PodSpec): boolean => {
  switch (expression.scopeName) {
    case 'Terminating':
      return isTerminating(spec)
    case 'NotTerminating':
      return !isTerminating(spec)
    case 'BestEffort':
      return isBestEffort(spec)
    case 'NotBestEffort':
      return !isBestEffort(spec)
    case 'PriorityClass':
      return chooses(expression, spec.priorityClassName ? [String(spec.priorityClassName)] : [])
    case 'CrossNamespacePodAffinity':
      return looksAbroad(spec)
    default:
      return false
  }
}

/** KEP-3751. */
const attributesClasses = ({ spec, status }: ApiObject): string[] => {
  const { volumeAttributesClassName } = (spec ?? {}) as { volumeAttributesClassName?: string }
  const { currentVolumeAttributesClassName, modifyVolumeStatus } = (status ?? {}) as {
    currentVolumeAttributesClassName?: string
    modifyVolumeStatus?: { targetVolumeAttributesClassName?: string }
  }
  const target = modifyVolumeStatus?.targetVolumeAttributesClassName
  return [volumeAttributesClassName, currentVolumeAttributesClassName, target].filter(name => name !== undefined)
}

export const matchesScope = (expression: ScopeExpression, { group, resource }: Kind, object: ApiObject): boolean => {
  if (group !== '') return false
  if (resource === 'pods') return matchesPod(expression, isObject(object.spec) ? object.spec : {})
  const ofClaim = resource === 'persistentvolumeclaims' && expression.scopeName === 'VolumeAttributesClass'
  return ofClaim && chooses(expression, attributesClasses(object))
}

/** Those that a quota has, however it says so. */
export const scopesOf = ({ spec = {} }: ResourceQuota): readonly ScopeExpression[] => [
  ...(spec.scopes ?? []).map(scopeName => ({ scopeName, operator: 'Exists' })),
  ...(spec.scopeSelector?.matchExpressions ?? []),
]

export const isInScope = (quota: ResourceQuota, kind: Kind, object: ApiObject): boolean =>
  scopesOf(quota).every(scope => matchesScope(scope, kind, object))
