/**
 * The quotas of all namespaces: every write that changes what one of them counts carries the new count in its own
 * transaction, so that usage is never more than was allowed, nor other than what is there, at any revision.
 *
 * Promised: writes that are charged to a namespace go one after the other, each on the count of the one before; a quota
 * that is new, or asks for something new, is counted before anything more is charged to it. Not promised: that a Pod
 * whose node never lets go of it is no longer counted (Kubernetes stops counting it when its grace is over).
 */
import { isDeepStrictEqual } from 'node:util'
import type { Kind } from '#cluster/api/kind.ts'
import { asQuota, type ResourceQuota, resourceQuotaKind } from '#cluster/api/kinds/resource-quota.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { Quantity } from '#cluster/api/quantity.ts'
import { type Amounts, addAmounts, NOTHING, readAmounts, writeAmounts } from '#cluster/api/resource-list.ts'
import { forbidden, type Status } from '#cluster/api/status.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { Cacher } from '../storage/cacher.ts'
import type { WatchCache } from '../storage/watch-cache.ts'
import { charged, deltaOf, excess, type ObjectChange, unsaid } from './charge.ts'
import { type LimitedResource, uncovered } from './limited.ts'
import { isInScope } from './scopes.ts'
import { Turns } from './turns.ts'
import { isMeasuredBy, isUncounted, usageOf } from './usage.ts'

/** A quota that was just made is counted at once: who waits longer is told. */
const PATIENCE: Milliseconds = 2_000

/** A write as it will be done. */
export interface QuotaWrite {
  readonly kind: Kind
  /** The object whose write it is, under its name. */
  readonly name: string
  readonly namespace: string | undefined
  /** All that the transaction changes. */
  readonly changes: readonly ObjectChange[]
  /** Whether a quota that has no room refuses it, or counts it all the same. */
  readonly enforced: boolean
}

/** Objects that can be counted. */
interface Countable {
  readonly kind: Kind
  readonly cache: WatchCache
}

/** What there is to count, and in which memory: all that quotas know of the registry, which has them in turn. */
interface Inventory {
  readonly cacher: Cacher
  readonly clock: Clock
  readonly resources: readonly Countable[]
  /** The kinds that share what is stored of `kind`. */
  versionsOf(kind: Kind): readonly Kind[]
}

/** Whether the count is of what the quota asks for now. */
export const isCounted = (quota: ResourceQuota): boolean => {
  const [asked, known] = [readAmounts(quota.spec?.hard), readAmounts(quota.status?.hard)]
  const nanos = (amounts: Amounts) => new Map([...amounts].map(([name, { nano }]) => [name, nano]))
  const used = quota.status?.used ?? {}
  return isDeepStrictEqual(nanos(asked), nanos(known)) && [...known.keys()].every(name => Object.hasOwn(used, name))
}

const isSelf = ({ kind, name }: QuotaWrite, quota: ResourceQuota): boolean =>
  kind === resourceQuotaKind && name === quota.metadata.name

export class Quotas {
  readonly #inventory: Inventory
  readonly #cache: WatchCache
  readonly #clock: Clock
  readonly #refuses: boolean
  readonly #limits: readonly LimitedResource[]
  readonly #turns = new Turns()

  /**
   * `refuses`: whether too much is refused, or counted and no more; `limits`: what may then be taken only where a quota
   * counts it.
   */
  constructor(inventory: Inventory, refuses: boolean, limits: readonly LimitedResource[] = []) {
    this.#inventory = inventory
    this.#refuses = refuses
    this.#limits = refuses ? limits : []
    this.#cache = inventory.cacher.cache(resourceQuotaKind)
    this.#clock = inventory.clock
  }

  /** Whether writes into the namespace may concern any, or want one. */
  has(namespace: string | undefined): boolean {
    if (namespace === undefined) return false
    return this.#limits.length > 0 || (this.#cache.size > 0 && this.#cache.list(namespace).length > 0)
  }

  /** Undefined: no quota counts it. Otherwise it may begin when this resolves, and calls what it resolves to at its end. */
  turn(write: QuotaWrite): Promise<() => void> | undefined {
    const { kind, namespace } = write
    if (namespace === undefined || isUncounted(kind)) return undefined
    const quotas = this.#quotasOf(namespace)
    // The status of a quota is what the count is written to.
    const recount = kind === resourceQuotaKind && write.changes.every(({ before, after }) => before && after)
    if (quotas.length === 0 || recount) return undefined
    const concerned = quotas.some(quota => !isCounted(quota) || deltaOf(quota, write.changes).size > 0)
    return concerned ? this.#begin(namespace) : undefined
  }

  /** The quotas as they shall be, for the write's transaction. Refused: 403. */
  charge(write: QuotaWrite): Result<readonly ResourceQuota[], Status> {
    const { namespace, changes, enforced, kind, name } = write
    if (namespace === undefined) return accepted([])
    const quotas = this.#quotasOf(namespace)
    const limited = enforced && !isUncounted(kind) && changes.some(asksForMore)
    const wanting = limited ? uncovered(this.#limits, quotas, changes[0]) : undefined
    if (wanting !== undefined) return refused(forbidden({ ...kind, name }, wanting))
    const next: ResourceQuota[] = []
    for (const quota of quotas) {
      if (isSelf(write, quota)) continue
      const delta = deltaOf(quota, changes)
      const problem = enforced && this.#refuses ? objection(quota, write, delta) : undefined
      if (problem !== undefined) return refused(forbidden({ ...kind, name }, problem))
      if (delta.size > 0) next.push(charged(quota, delta))
    }
    return accepted(next)
  }

  /** What is there of what the quota bounds. */
  count(quota: ResourceQuota): Record<string, string> {
    const { namespace } = quota.metadata
    const names = Object.keys(quota.spec?.hard ?? {})
    const used = new Map<string, Quantity>(names.map(name => [name, NOTHING]))
    for (const { kind, cache } of this.#counted(names))
      for (const { object } of cache.list(namespace)) addAmounts(used, this.#share(quota, kind, object, names))
    return writeAmounts(used)
  }

  #share(quota: ResourceQuota, kind: Kind, object: ApiObject, names: readonly string[]): Amounts {
    if (!isInScope(quota, kind, object)) return new Map()
    return new Map([...usageOf(kind, object)].filter(([name]) => names.includes(name)))
  }

  /** One resource for each place in the store. */
  #counted(names: readonly string[]): readonly Countable[] {
    return this.#inventory.resources.filter(
      ({ kind }) =>
        !isUncounted(kind) &&
        this.#inventory.versionsOf(kind)[0] === kind &&
        names.some(name => isMeasuredBy(kind, name)),
    )
  }

  #quotasOf(namespace: string): readonly ResourceQuota[] {
    return this.#cache.list(namespace).map(({ object }) => asQuota(object))
  }

  async #begin(namespace: string): Promise<() => void> {
    const end = await this.#turns.take(namespace)
    await this.#settled(namespace)
    return end
  }

  /** Once all quotas of the namespace are counted, or nobody wants to wait any longer. */
  #settled(namespace: string): Promise<void> {
    const settled = () => this.#quotasOf(namespace).every(isCounted)
    if (settled()) return Promise.resolve()
    return new Promise(resolve => {
      const finish = () => {
        timer.cancel()
        stop()
        resolve()
      }
      const timer = this.#clock.after(PATIENCE, finish)
      const stop = this.#cache.subscribe(() => settled() && finish())
    })
  }
}

const asksForMore = ({ before, after }: ObjectChange): boolean =>
  after !== undefined && (before === undefined || !isDeepStrictEqual(before.spec, after.spec))

/** Why the write may not be; undefined: nothing against it. Status tells what is so, and is never refused for that. */
const objection = (quota: ResourceQuota, { kind, changes }: QuotaWrite, delta: Amounts): string | undefined => {
  for (const { before, after, kind: changed } of changes) {
    const silent = !before && after ? unsaid(quota, changed, after) : undefined
    if (silent !== undefined) return silent
  }
  if (isCounted(quota)) {
    const problem = excess(quota, delta)
    return problem !== undefined && changes.some(asksForMore) ? problem : undefined
  }
  const names = Object.keys(quota.spec?.hard ?? {}).filter(name => isMeasuredBy(kind, name))
  return names.length > 0 && changes.some(asksForMore)
    ? `status unknown for quota: ${quota.metadata.name}, resources: ${names.sort().join(',')}`
    : undefined
}
