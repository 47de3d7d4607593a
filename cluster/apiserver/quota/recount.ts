/**
 * Keeps the counts of quotas right where no write can: of one that is new or bounds something new, and of all every now
 * and then, whoever may have written into a status (Kubernetes: the resourcequota controller).
 *
 * A new bound is first written down without a count: when that is in memory, so is all that was written before anybody
 * knew of the bound; all that comes later waits for the count (`quotas.ts`).
 */
import { isDeepStrictEqual } from 'node:util'
import { asQuota, type ResourceQuota, resourceQuotaKind } from '#cluster/api/kinds/resource-quota.ts'
import { readAmounts } from '#cluster/api/resource-list.ts'
import { notFound } from '#cluster/api/status.ts'
import type { Milliseconds, Timer } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { accepted, refused } from '#lib/result.ts'
import type { Registry } from '../registry.ts'
import type { WriteOptions } from '../verbs/request.ts'
import { type Change, update } from '../verbs/update.ts'
import { isCounted, type Quotas } from './quotas.ts'

/** kube-controller-manager's --resource-quota-sync-period. */
const PERIOD: Milliseconds = 300_000
const RETRY: Milliseconds = 1_000

const WRITING: WriteOptions = { dryRun: false, manager: 'kube-controller-manager', warn: () => {} }

const isSameCount = (a: ResourceQuota['status'], b: ResourceQuota['status']): boolean => {
  const plain = (status: ResourceQuota['status']) =>
    [status?.hard, status?.used].map(list => new Map([...readAmounts(list)].map(([name, { nano }]) => [name, nano])))
  return isDeepStrictEqual(plain(a), plain(b))
}

export class Recount {
  readonly #registry: Registry
  readonly #quotas: Quotas
  readonly #logger: Logger
  readonly #running = new Set<string>()
  #timer: Timer | undefined
  #stop: (() => void) | undefined

  constructor(registry: Registry, quotas: Quotas, logger: Logger) {
    this.#registry = registry
    this.#quotas = quotas
    this.#logger = logger
  }

  start(): void {
    const cache = this.#registry.cacher.cache(resourceQuotaKind)
    this.#stop = cache.subscribe(({ current }) => {
      if (current && !isCounted(asQuota(current.object))) void this.#recount(current.key)
    })
    this.#recountAll()
  }

  close(): void {
    this.#timer?.cancel()
    this.#stop?.()
    this.#stop = undefined
  }

  #recountAll(): void {
    for (const { key } of this.#registry.cacher.cache(resourceQuotaKind).list()) void this.#recount(key)
    this.#timer = this.#registry.clock.after(PERIOD, () => this.#recountAll())
  }

  /** Never rejects; what fails is tried again. */
  async #recount(key: string): Promise<void> {
    if (this.#running.has(key) || !this.#stop) return
    this.#running.add(key)
    try {
      await this.#settle(key)
    } catch (error) {
      if (!this.#stop) return
      this.#logger.warn({ error, quota: key }, 'cannot count for a quota; will try again')
      this.#registry.clock.after(RETRY, () => void this.#recount(key))
      return
    } finally {
      this.#running.delete(key)
    }
    // Changed meanwhile.
    if (!this.#isCounted(key)) void this.#recount(key)
  }

  #isCounted(key: string): boolean {
    const current = this.#registry.cacher.cache(resourceQuotaKind).get(key)
    return !current || isCounted(asQuota(current.object))
  }

  async #settle(key: string): Promise<void> {
    if (!this.#isCounted(key)) await this.#write(key, ({ spec }) => ({ hard: { ...spec?.hard } }))
    await this.#write(key, quota => ({ hard: { ...quota.spec?.hard }, used: this.#quotas.count(quota) }))
  }

  async #write(key: string, status: (quota: ResourceQuota) => NonNullable<ResourceQuota['status']>): Promise<void> {
    const [namespace = '', name = ''] = key.split('/')
    const resource = this.#registry.resource(resourceQuotaKind)
    const change: Change = current => {
      if (!current) return refused(notFound({ ...resourceQuotaKind, name }))
      const quota = asQuota(structuredClone(current))
      const next = status(quota)
      return accepted(isSameCount(next, quota.status) ? quota : { ...quota, status: next })
    }
    const written = await update(this.#registry, { resource, namespace, name, subresource: 'status' }, change, WRITING)
    // Gone: nothing to count.
    if (!written.ok && written.problem.code !== 404) throw new Error(written.problem.message)
  }
}
