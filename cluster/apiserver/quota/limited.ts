/**
 * What may be taken only where a quota of the namespace counts it (LimitedResource of the ResourceQuota plugin): else a
 * namespace without quotas could have all of it. Pure.
 */
import type { Kind } from '#cluster/api/kind.ts'
import type { ResourceQuota, ScopeExpression } from '#cluster/api/kinds/resource-quota.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { ObjectChange } from './charge.ts'
import { isInScope, matchesScope, scopesOf } from './scopes.ts'
import { isMeasuredBy, usageOf } from './usage.ts'

export interface LimitedResource {
  /** '': the core group. */
  readonly apiGroup: string
  /** Plural. */
  readonly resource: string
  /** Parts of the names that quotas have for what is taken. */
  readonly matchContains: readonly string[]
  /** Of objects that need a quota with such a scope, of whatever resource. */
  readonly matchScopes: readonly ScopeExpression[]
}

/** Whether the object takes more than it did. */
const takesMore = (kind: Kind, before: ApiObject | undefined, after: ApiObject): boolean => {
  const known = before ? usageOf(kind, before) : new Map()
  return [...usageOf(kind, after)].some(([name, { nano }]) => nano > (known.get(name)?.nano ?? 0n))
}

const limitedNames = (limits: readonly LimitedResource[], kind: Kind, object: ApiObject): readonly string[] => {
  const parts = limits
    .filter(({ apiGroup, resource }) => apiGroup === kind.group && resource === kind.resource)
    .flatMap(({ matchContains }) => matchContains)
  return [...usageOf(kind, object)]
    .filter(([name, { nano }]) => nano > 0n && parts.some(part => name.includes(part)))
    .map(([name]) => name)
}

/** As Go prints such a list. */
const printed = (scopes: readonly ScopeExpression[]): string =>
  `[${scopes.map(({ scopeName, operator, values = [] }) => `{${scopeName} ${operator} [${values.join(' ')}]}`).join(' ')}]`

/** The detail of the 403; undefined: what is limited of it is counted. */
export const uncovered = (
  limits: readonly LimitedResource[],
  quotas: readonly ResourceQuota[],
  change: ObjectChange | undefined,
): string | undefined => {
  const { kind, before, after } = change ?? {}
  if (limits.length === 0 || !kind || !after || !takesMore(kind, before, after)) return undefined
  const covered = new Set(
    quotas
      .filter(quota => isInScope(quota, kind, after))
      .flatMap(({ status }) => Object.keys(status?.hard ?? {}))
      .filter(name => isMeasuredBy(kind, name)),
  )
  const names = limitedNames(limits, kind, after).filter(name => !covered.has(name))
  if (names.length > 0) return `insufficient quota to consume: ${names.sort().join(',')}`
  const known = new Set(
    quotas
      .flatMap(scopesOf)
      .filter(scope => matchesScope(scope, kind, after))
      .map(({ scopeName }) => scopeName),
  )
  const scopes = limits
    .flatMap(({ matchScopes }) => matchScopes)
    .filter(scope => matchesScope(scope, kind, after) && !known.has(scope.scopeName))
  return scopes.length > 0 ? `insufficient quota to match these scopes: ${printed(scopes)}` : undefined
}
