/**
 * The API without the network, for what runs inside the apiserver (the first objects, leases of its own): the same
 * verbs, checks and planners as over HTTPS, as a user who may do everything.
 *
 * Promised: objects that come out are frozen and shared; those that go in are copied.
 */

import { cloneJson } from '#cluster/api/clone.ts'
import type { Kind } from '#cluster/api/kind.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { Status } from '#cluster/api/status.ts'
import { accepted, type Result } from '#lib/result.ts'
import type { Registry } from './registry.ts'
import { create } from './verbs/create.ts'
import { remove } from './verbs/delete.ts'
import type { DeleteOptions } from './verbs/delete-options.ts'
import type { Subresource, WriteOptions } from './verbs/request.ts'
import { update } from './verbs/update.ts'

export interface LocalClient {
  /** As of the last acknowledged write. */
  get(kind: Kind, namespace: string | undefined, name: string): Promise<ApiObject | undefined>
  /** By key order; all namespaces when none is given. */
  list(kind: Kind, namespace?: string): Promise<readonly ApiObject[]>
  /** In the object's namespace. */
  create(kind: Kind, object: ApiObject): Promise<Result<ApiObject, Status>>
  /** 409 unless the object still has the resourceVersion that `object` carries; without one, whatever it is by now. */
  update(kind: Kind, object: ApiObject, subresource?: Subresource): Promise<Result<ApiObject, Status>>
  remove(
    kind: Kind,
    namespace: string | undefined,
    name: string,
    options?: Omit<DeleteOptions, 'dryRun'>,
  ): Promise<Result<ApiObject, Status>>
  /** Each change from now on, in order; `object` is undefined once it is gone. Returns the way to stop. */
  watch(kind: Kind, changed: (change: LocalChange) => void): () => void
}

export interface LocalChange {
  readonly object: ApiObject | undefined
  readonly previous: ApiObject | undefined
}

/** As the first objects of a Kubernetes cluster name their maker. */
const WRITING: WriteOptions = { dryRun: false, manager: 'kube-apiserver', warn: () => {} }

export const createLocalClient = (registry: Registry): LocalClient => {
  const targetOf = (kind: Kind, { metadata }: ApiObject) => ({
    resource: registry.resource(kind),
    namespace: kind.namespaced ? metadata.namespace : undefined,
    name: metadata.name ?? '',
  })
  const objectOf = <Written extends { readonly object: ApiObject }>(
    result: Result<Written, Status>,
  ): Result<ApiObject, Status> => (result.ok ? accepted(result.value.object) : result)

  return {
    async get(kind, namespace, name) {
      await registry.cacher.fresh()
      const { cache } = registry.resource(kind)
      return cache.get(kind.namespaced ? `${namespace ?? ''}/${name}` : name)?.object
    },
    async list(kind, namespace) {
      await registry.cacher.fresh()
      return registry
        .resource(kind)
        .cache.list(namespace)
        .map(stored => stored.object)
    },
    create: async (kind, object) =>
      objectOf(await create(registry, targetOf(kind, object), cloneJson(object), WRITING)),
    update: async (kind, object, subresource) =>
      objectOf(
        await update(registry, { ...targetOf(kind, object), subresource }, () => accepted(cloneJson(object)), WRITING),
      ),
    remove: async (kind, namespace, name, options = {}) => {
      const target = { resource: registry.resource(kind), namespace, name }
      return objectOf(await remove(registry, target, { ...options, dryRun: false }, WRITING))
    },
    watch: (kind, changed) =>
      registry
        .resource(kind)
        .cache.subscribe(({ current, previous }) => changed({ object: current?.object, previous: previous?.object })),
  }
}
