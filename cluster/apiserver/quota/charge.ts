/**
 * What a write does to one quota: how its usage changes, and why it may not. Pure.
 *
 * Promised: usage is charged and given back to the nano; who gives back, or changes nothing, is never refused.
 */
import type { Kind } from '#cluster/api/kind.ts'
import type { ResourceQuota } from '#cluster/api/kinds/resource-quota.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import type { Container, PodSpec } from '#cluster/api/pod/pod.ts'
import { formatQuantity, type Quantity } from '#cluster/api/quantity.ts'
import { type Amounts, minus, NOTHING, plus, readAmounts, writeAmounts } from '#cluster/api/resource-list.ts'
import { isInScope } from './scopes.ts'
import { computeUsage, isMeasuredBy, usageOf } from './usage.ts'

/** Of one object in a transaction. */
export interface ObjectChange {
  readonly kind: Kind
  /** Undefined: it is made. */
  readonly before: ApiObject | undefined
  /** Undefined: it goes. */
  readonly after: ApiObject | undefined
}

const measure = (quota: ResourceQuota, kind: Kind, object: ApiObject | undefined): Amounts =>
  object && isInScope(quota, kind, object) ? usageOf(kind, object) : new Map()

/** By which the usage of what the quota bounds changes; without what stays. */
export const deltaOf = (quota: ResourceQuota, changes: readonly ObjectChange[]): Map<string, Quantity> => {
  const hard = Object.keys(quota.status?.hard ?? {})
  const delta = new Map<string, Quantity>()
  for (const { kind, before, after } of changes) {
    const names = hard.filter(name => isMeasuredBy(kind, name))
    if (names.length === 0) continue
    const [old, next] = [measure(quota, kind, before), measure(quota, kind, after)]
    for (const name of names) {
      const change = minus(next.get(name) ?? NOTHING, old.get(name) ?? NOTHING)
      if (change.nano !== 0n) delta.set(name, plus(delta.get(name) ?? NOTHING, change))
    }
  }
  for (const [name, { nano }] of delta) if (nano === 0n) delta.delete(name)
  return delta
}

/** Below nothing there is nothing: a count that was wrong is mended by the next recount. */
export const charged = (quota: ResourceQuota, delta: Amounts): ResourceQuota => {
  const used = readAmounts(quota.status?.used)
  for (const [name, change] of delta) {
    const next = plus(used.get(name) ?? NOTHING, change)
    used.set(name, next.nano < 0n ? NOTHING : next)
  }
  return { ...quota, status: { ...quota.status, used: writeAmounts(used) } }
}

const listed = (names: readonly string[], amounts: Amounts): string =>
  [...names]
    .sort()
    .map(name => `${name}=${formatQuantity(amounts.get(name) ?? NOTHING)}`)
    .join(',')

/** The detail of the 403; undefined: there is room. */
export const excess = (quota: ResourceQuota, delta: Amounts): string | undefined => {
  const [hard, used] = [readAmounts(quota.status?.hard), readAmounts(quota.status?.used)]
  const room = (name: string) => minus(hard.get(name) ?? NOTHING, used.get(name) ?? NOTHING).nano
  const exceeded = [...delta].filter(([name, { nano }]) => nano > 0n && nano > room(name)).map(([name]) => name)
  if (exceeded.length === 0) return undefined
  return `exceeded quota: ${quota.metadata.name}, requested: ${listed(exceeded, delta)}, used: ${listed(exceeded, used)}, limited: ${listed(exceeded, hard)}`
}

/** What each container must say where a quota bounds it. */
const DEMANDED = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory'])

const says = ({ resources }: Container): Amounts =>
  computeUsage(readAmounts(resources?.requests), readAmounts(resources?.limits))

/** The detail of the 403 for a Pod whose usage nobody could tell; undefined: it says enough. */
export const unsaid = (quota: ResourceQuota, kind: Kind, object: ApiObject): string | undefined => {
  if (kind.group !== '' || kind.resource !== 'pods' || !isInScope(quota, kind, object)) return undefined
  const spec: PodSpec = isObject(object.spec) ? object.spec : {}
  if (Object.keys({ ...spec.resources?.requests, ...spec.resources?.limits }).length > 0) return undefined
  const demanded = Object.keys(quota.status?.hard ?? {}).filter(name => DEMANDED.has(name))
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  const missing = demanded.sort().flatMap(name => {
    const silent = containers.filter(container => !says(container).has(name)).map(container => container.name ?? '')
    return silent.length > 0 ? [`${name} for: ${[...new Set(silent)].sort().join(',')}`] : []
  })
  return missing.length > 0 ? `failed quota: ${quota.metadata.name}: must specify ${missing.join('; ')}` : undefined
}
