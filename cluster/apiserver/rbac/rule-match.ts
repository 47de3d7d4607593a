/** Whether a rule of a role allows a request (Kubernetes: plugin/pkg/auth/authorizer/rbac RuleAllows). */
import type { PolicyRule } from '#cluster/api/rbac/rbac.ts'
import type { Attributes } from '../authorizer.ts'

const hasOrAll = (values: readonly string[] | undefined, value: string): boolean =>
  values !== undefined && (values.includes(value) || values.includes('*'))

const matchesResource = ({ resources }: PolicyRule, resource: string, subresource: string): boolean => {
  if (subresource === '') return hasOrAll(resources, resource)
  return hasOrAll(resources, `${resource}/${subresource}`) || (resources?.includes(`*/${subresource}`) ?? false)
}

/** A rule that names objects allows nothing that names none: list and create have no name. */
const matchesName = ({ resourceNames }: PolicyRule, name: string): boolean =>
  resourceNames === undefined || resourceNames.length === 0 || resourceNames.includes(name)

const withoutStars = (pattern: string): string => {
  let end = pattern.length
  while (pattern[end - 1] === '*') end--
  return pattern.slice(0, end)
}

/** `pattern`: a path, or the start of one with a star behind. */
export const matchesPath = (pattern: string, path: string): boolean =>
  pattern === path || pattern === '*' || (pattern.endsWith('*') && path.startsWith(withoutStars(pattern)))

export const ruleAllows = (rule: PolicyRule, { verb, path, resource }: Attributes): boolean => {
  if (!hasOrAll(rule.verbs, verb)) return false
  if (!resource) return rule.nonResourceURLs?.some(pattern => matchesPath(pattern, path)) ?? false
  return (
    hasOrAll(rule.apiGroups, resource.group) &&
    matchesResource(rule, resource.resource, resource.subresource) &&
    matchesName(rule, resource.name)
  )
}
