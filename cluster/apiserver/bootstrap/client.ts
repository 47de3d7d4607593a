/** The API as the bootstrap uses it: the same verbs, checks and planners as every client's, without the network. */
import type { Result } from '#lib/result.ts'
import type { Kind } from '../../api/kind.ts'
import type { ApiObject } from '../../api/object.ts'
import type { Status } from '../../api/status.ts'
import type { Registry } from '../registry.ts'
import { objectKey } from '../storage/keys.ts'
import { create } from '../verbs/create.ts'
import { remove } from '../verbs/delete.ts'
import { update } from '../verbs/update.ts'

const WRITING = { dryRun: false, warn: () => {} }

export class BootstrapClient {
  readonly #registry: Registry

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** Frozen. */
  get(kind: Kind, namespace: string | undefined, name: string): ApiObject | undefined {
    return this.#registry.resource(kind).cache.get(objectKey(kind, namespace, name))?.object
  }

  async create(kind: Kind, object: ApiObject): Promise<Result<unknown, Status>> {
    const { namespace } = object.metadata
    const resource = this.#registry.resource(kind)
    return await create(this.#registry, { resource, namespace }, structuredClone(object), WRITING)
  }

  /** With the resourceVersion that was read, or 409. */
  async update(kind: Kind, object: ApiObject): Promise<Result<unknown, Status>> {
    const { namespace, name = '' } = object.metadata
    const target = { resource: this.#registry.resource(kind), namespace, name }
    return await update(this.#registry, target, () => ({ ok: true, value: structuredClone(object) }), WRITING)
  }

  async remove(kind: Kind, namespace: string | undefined, name: string): Promise<Result<unknown, Status>> {
    const target = { resource: this.#registry.resource(kind), namespace, name }
    return await remove(this.#registry, target, { dryRun: false }, WRITING)
  }
}
