/**
 * Who has been granted which roles: bindings by subject, kept up with each change, so that a request looks only at the
 * bindings of its own user and groups, however many others there are.
 *
 * Promised: a change of a binding or role counts for every request that comes after the write was answered (the caches
 * publish before that). What is asked while the bindings are loaded is answered by those.
 */
import { clusterRoleKind } from '#cluster/api/kinds/cluster-role.ts'
import { clusterRoleBindingKind } from '#cluster/api/kinds/cluster-role-binding.ts'
import { roleKind } from '#cluster/api/kinds/role.ts'
import { roleBindingKind } from '#cluster/api/kinds/role-binding.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { Binding, PolicyRule, Role, Subject } from '#cluster/api/rbac/rbac.ts'
import { serviceAccountUser, type User } from '../authenticator.ts'
import type { Cacher } from '../storage/cacher.ts'
import type { WatchCache } from '../storage/watch-cache.ts'

type Bindings = Set<Binding>

/** One scope's bindings: all namespaces', or one's. */
class BindingIndex {
  readonly #bySubject = new Map<string, Bindings>()

  add(binding: Binding): void {
    for (const key of subjectKeys(binding)) {
      const bindings = this.#bySubject.get(key)
      if (bindings) bindings.add(binding)
      else this.#bySubject.set(key, new Set([binding]))
    }
  }

  remove(binding: Binding): void {
    for (const key of subjectKeys(binding)) {
      const bindings = this.#bySubject.get(key)
      bindings?.delete(binding)
      if (bindings?.size === 0) this.#bySubject.delete(key)
    }
  }

  get(key: string): Iterable<Binding> {
    return this.#bySubject.get(key) ?? NONE
  }

  get isEmpty(): boolean {
    return this.#bySubject.size === 0
  }
}

const NONE: readonly Binding[] = []

/** Users and groups have names of their own, so the key says which it is. */
const userKey = (name: string): string => `u:${name}`
const groupKey = (name: string): string => `g:${name}`

/** Undefined: it can be nobody. */
const subjectKey = ({ kind, name, namespace }: Subject, of: Binding): string | undefined => {
  switch (kind) {
    case 'User':
      return userKey(name)
    case 'Group':
      return groupKey(name)
    case 'ServiceAccount': {
      const home = namespace || of.metadata.namespace
      return home ? userKey(serviceAccountUser(home, name)) : undefined
    }
    default:
      return undefined
  }
}

const subjectKeys = (binding: Binding): readonly string[] =>
  (binding.subjects ?? []).map(subject => subjectKey(subject, binding)).filter(key => key !== undefined)

export class Grants {
  readonly #roles: WatchCache
  readonly #clusterRoles: WatchCache
  readonly #everywhere = new BindingIndex()
  readonly #byNamespace = new Map<string, BindingIndex>()

  /** `cacher` has started. */
  constructor(cacher: Cacher) {
    this.#roles = cacher.cache(roleKind)
    this.#clusterRoles = cacher.cache(clusterRoleKind)
    for (const kind of [clusterRoleBindingKind, roleBindingKind]) {
      const cache = cacher.cache(kind)
      for (const { object } of cache.list()) this.#add(object)
      cache.subscribe(({ previous, current }) => {
        if (previous) this.#remove(previous.object)
        if (current) this.#add(current.object)
      })
    }
  }

  /** The user's bindings everywhere, then in the namespace ('' for none). */
  *of(user: User, namespace: string): Generator<Binding> {
    const keys = keysOf(user)
    yield* grantsIn(this.#everywhere, keys)
    const here = namespace === '' ? undefined : this.#byNamespace.get(namespace)
    if (here) yield* grantsIn(here, keys)
  }

  /** What a binding grants; undefined: its role is not there. */
  rules({ roleRef, metadata }: Pick<Binding, 'roleRef' | 'metadata'>): readonly PolicyRule[] | undefined {
    const { kind, name } = roleRef
    const stored = kind === 'Role' ? this.#roles.get(`${metadata.namespace}/${name}`) : this.#clusterRoles.get(name)
    return stored && ((stored.object as Role).rules ?? [])
  }

  #indexOf({ metadata: { namespace } }: ApiObject): BindingIndex {
    if (namespace === undefined) return this.#everywhere
    const known = this.#byNamespace.get(namespace)
    if (known) return known
    const index = new BindingIndex()
    this.#byNamespace.set(namespace, index)
    return index
  }

  #add(object: ApiObject): void {
    this.#indexOf(object).add(object as Binding)
  }

  #remove(object: ApiObject): void {
    const { namespace } = object.metadata
    const index = this.#indexOf(object)
    index.remove(object as Binding)
    if (namespace !== undefined && index.isEmpty) this.#byNamespace.delete(namespace)
  }
}

const keysOf = (user: User): readonly string[] => [userKey(user.name), ...user.groups.map(groupKey)]

function* grantsIn(index: BindingIndex, keys: readonly string[]): Generator<Binding> {
  const seen = new Set<Binding>()
  for (const key of keys) {
    for (const binding of index.get(key)) {
      if (seen.has(binding)) continue
      seen.add(binding)
      yield binding
    }
  }
}

/** The first subject of the binding that is the user. */
export const subjectOf = (binding: Binding, user: User): Subject | undefined => {
  const keys = keysOf(user)
  return binding.subjects?.find(subject => keys.includes(subjectKey(subject, binding) ?? ''))
}
