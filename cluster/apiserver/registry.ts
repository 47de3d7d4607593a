/**
 * The resources that the apiserver serves, each with its kind, its memory and its planner, and what all verbs need:
 * store, clock, randomness.
 */

import type { Kind } from '#cluster/api/kind.ts'
import { apiVersionOf, type GroupVersionResource } from '#cluster/api/object.ts'
import type { Store } from '#cluster/store/kv.ts'
import type { Clock } from '#lib/clock.ts'
import type { Random } from '#lib/random.ts'
import { Admission } from './admission.ts'
import type { Planner } from './planner.ts'
import type { Quotas } from './quota/quotas.ts'
import type { Cacher } from './storage/cacher.ts'
import { LeasePool } from './storage/lease-pool.ts'
import type { WatchCache } from './storage/watch-cache.ts'

export interface Resource {
  readonly kind: Kind
  readonly cache: WatchCache
  readonly planner: Planner | undefined
}

export interface RegistryOptions {
  readonly store: Store
  readonly cacher: Cacher
  /** Those with a path of their own. */
  readonly kinds: readonly Kind[]
  readonly planners: readonly Planner[]
  readonly clock: Clock
  readonly random: Random
}

const resourcePath = ({ group, version, resource }: GroupVersionResource): string => `${group}/${version}/${resource}`

const nameOf = (apiVersion: string, kind: string): string => `${apiVersion}/${kind}`

const storagePath = ({ group, resource, storage }: Kind): string =>
  `${(storage ?? { group }).group}/${(storage ?? { resource }).resource}`

export class Registry {
  readonly store: Store
  readonly cacher: Cacher
  readonly clock: Clock
  readonly random: Random
  /** Judges writes; set once the server knows who may do what. */
  admission = new Admission([])
  /** What namespaces may take; set with `admission`. Undefined: as much as there is. */
  quotas: Quotas | undefined
  /** For kinds whose objects go by themselves. */
  readonly leases: LeasePool
  readonly #byPath = new Map<string, Resource>()
  readonly #byKind = new Map<Kind, Resource>()
  readonly #versions = new Map<Kind, readonly Kind[]>()
  /** By what objects say of themselves; made when it is asked for. */
  #byName: ReadonlyMap<string, Resource> | undefined
  readonly #added = new Set<(resource: Resource) => void>()

  constructor(options: RegistryOptions) {
    this.store = options.store
    this.cacher = options.cacher
    this.clock = options.clock
    this.random = options.random
    this.leases = new LeasePool(options.store, options.clock)
    const planners = new Map(options.planners.map(planner => [planner.kind, planner]))
    for (const kind of options.kinds) {
      const resource = { kind, cache: options.cacher.cache(kind), planner: planners.get(kind) }
      this.#byPath.set(resourcePath(kind), resource)
      this.#byKind.set(kind, resource)
    }
  }

  /** Serves kinds from now on whose objects are in memory already; `hidden` ones to those who have the kind only. */
  add(kinds: readonly Kind[], hidden: readonly Kind[] = []): void {
    for (const kind of [...kinds, ...hidden]) {
      const resource = { kind, cache: this.cacher.cache(kind), planner: undefined }
      if (!hidden.includes(kind)) this.#byPath.set(resourcePath(kind), resource)
      this.#byKind.set(kind, resource)
    }
    this.#forget()
    for (const kind of kinds) for (const added of this.#added) added(this.resource(kind))
  }

  /** Calls `added` for each kind that is served from then on. */
  onAdd(added: (resource: Resource) => void): void {
    this.#added.add(added)
  }

  /** Serves them no more, unless others have taken their paths. */
  remove(kinds: readonly Kind[]): void {
    for (const kind of kinds) {
      if (this.find(kind)?.kind === kind) this.#byPath.delete(resourcePath(kind))
      this.#byKind.delete(kind)
    }
    this.#forget()
  }

  #forget(): void {
    this.#versions.clear()
    this.#byName = undefined
  }

  find(path: GroupVersionResource): Resource | undefined {
    return this.#byPath.get(resourcePath(path))
  }

  /** By `apiVersion` and `kind`, as an object says them. */
  findKind(apiVersion: string, kind: string): Resource | undefined {
    this.#byName ??= new Map(
      this.resources.map(resource => [nameOf(apiVersionOf(resource.kind), resource.kind.kind), resource]),
    )
    return this.#byName.get(nameOf(apiVersion, kind))
  }

  /** The resource of a kind that is served; another one is a bug. */
  resource(kind: Kind): Resource {
    const resource = this.#byKind.get(kind)
    if (!resource) throw new TypeError(`${kind.resource}.${kind.group} is not served`)
    return resource
  }

  /** The kinds that share what is stored of `kind`, itself included: its versions. */
  versionsOf(kind: Kind): readonly Kind[] {
    const known = this.#versions.get(kind)
    if (known) return known
    const place = storagePath(kind)
    const versions = [...this.#byKind.keys()].filter(other => storagePath(other) === place)
    this.#versions.set(kind, versions)
    return versions
  }

  /** The kind of namespaces, when it is served: what lies in a namespace needs one. */
  get namespaces(): Resource | undefined {
    return this.find({ group: '', version: 'v1', resource: 'namespaces' })
  }

  get resources(): readonly Resource[] {
    return [...this.#byPath.values()]
  }
}
