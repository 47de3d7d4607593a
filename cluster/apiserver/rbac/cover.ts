/** Whether whoever holds some rules holds others too: nobody grants more than they have. */
import type { PolicyRule } from '#cluster/api/rbac/rbac.ts'
import { matchesPath } from './rule-match.ts'

const covers = (held: readonly string[] = [], wanted: readonly string[] = []): boolean =>
  held.includes('*') || wanted.every(value => held.includes(value))

const coversResource = (held: readonly string[] = [], wanted: readonly string[] = []): boolean =>
  covers(held, wanted) ||
  wanted.every(resource => {
    if (held.includes(resource)) return true
    const slash = resource.indexOf('/')
    return slash >= 0 && held.includes(`*${resource.slice(slash)}`)
  })

const coversNames = (held: readonly string[] = [], wanted: readonly string[] = []): boolean =>
  held.length === 0 || (wanted.length > 0 && wanted.every(name => held.includes(name)))

/** A pattern is covered only by itself or a wider one: what it stands for cannot be listed. */
const coversPaths = (held: readonly string[] = [], wanted: readonly string[] = []): boolean =>
  wanted.every(path => held.some(pattern => matchesPath(pattern, path)))

const ruleCovers = (held: PolicyRule, wanted: PolicyRule): boolean =>
  covers(held.verbs, wanted.verbs) &&
  covers(held.apiGroups, wanted.apiGroups) &&
  coversResource(held.resources, wanted.resources) &&
  coversPaths(held.nonResourceURLs, wanted.nonResourceURLs) &&
  coversNames(held.resourceNames, wanted.resourceNames)

/** One verb on one resource (and name), or on one path, each: what may be held by different rules. */
function* single(rule: PolicyRule): Generator<PolicyRule> {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule
  for (const group of apiGroups)
    for (const resource of resources)
      for (const verb of verbs) {
        const plain = { apiGroups: [group], resources: [resource], verbs: [verb] }
        if (resourceNames.length === 0) yield plain
        for (const name of resourceNames) yield { ...plain, resourceNames: [name] }
      }
  for (const path of nonResourceURLs) for (const verb of verbs) yield { nonResourceURLs: [path], verbs: [verb] }
}

/** The single rules of `wanted` that no rule of `held` covers. */
export const missingRules = (held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] =>
  wanted.flatMap(rule => [...single(rule)]).filter(rule => !held.some(owned => ruleCovers(owned, rule)))

const list = (values: readonly string[]): string => `[${values.map(value => JSON.stringify(value)).join(' ')}]`

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}` */
const describeRule = (rule: PolicyRule): string => {
  const fields = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ] as const
  return `{${fields.flatMap(([name, values]) => (values?.length ? [`${name}:${list(values)}`] : [])).join(', ')}}`
}

/** For people: the verbs on one resource together, a line each. */
export const describeMissing = (missing: readonly PolicyRule[]): string => {
  const together = new Map<string, PolicyRule>()
  for (const rule of missing) {
    const key = rule.nonResourceURLs
      ? JSON.stringify([rule.nonResourceURLs, rule.verbs])
      : JSON.stringify([rule.apiGroups, rule.resources, rule.resourceNames])
    const known = together.get(key)
    together.set(key, known ? { ...known, verbs: [...known.verbs, ...rule.verbs] } : rule)
  }
  return [...new Set([...together.values()].map(describeRule))].sort().join('\n')
}
