/** Whether a rule of a role allows a request (Kubernetes: plugin/pkg/auth/authorizer/rbac RuleAllows). */
import type { PolicyRule } from '#cluster/api/rbac/rbac.ts'
import type { Attributes } from '../authorizer.ts'

const hasOrAll = (values: readonly string[] | undefined, value: string): boolean =>
  values?.some(candidate => candidate === '*' || candidate === value) ?? false

const matchesResource = (rule: PolicyRule, resource: string, subresource: string): boolean => {
  const { resources = [] } = rule
  const combined = subresource === '' ? resource : `${resource}/${subresource}`
  return resources.some(
    candidate =>
      candidate === '*' || candidate === combined || (subresource !== '' && candidate === `*/${subresource}`),
  )
}

/** A rule that names objects allows nothing that names none: list and create have no name. */
const matchesName = ({ resourceNames = [] }: PolicyRule, name: string): boolean =>
  resourceNames.length === 0 || resourceNames.includes(name)

/** `pattern`: a path, or the start of one with a star behind. */
export const matchesPath = (pattern: string, path: string): boolean =>
  pattern === path || pattern === '*' || (pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, '')))

export const ruleAllows = (rule: PolicyRule, { verb, path, resource }: Attributes): boolean => {
  if (!hasOrAll(rule.verbs, verb)) return false
  if (!resource) return rule.nonResourceURLs?.some(pattern => matchesPath(pattern, path)) ?? false
  return (
    hasOrAll(rule.apiGroups, resource.group) &&
    matchesResource(rule, resource.resource, resource.subresource) &&
    matchesName(rule, resource.name)
  )
}
