/** What the garbage collector writes: each only if the object is still as it was seen (uid and resourceVersion). */
import type { ObjectMeta, OwnerReference } from '#cluster/api/object.ts'
import type { DeleteOptions, RestClient } from '#watcher/client.ts'
import type { ApiObject } from '#watcher/object.ts'
import { FOREGROUND, type Node, ORPHAN, ownersOf } from './owner-graph.ts'

type Policy = NonNullable<DeleteOptions['propagationPolicy']>

/** For a merge patch (RFC 7396 §2): null takes the member away. */
const orNone = <Item>(list: readonly Item[]): readonly Item[] | null => (list.length > 0 ? list : null)

const nameOf = ({ namespace, name = '' }: ObjectMeta) => ({ name, ...(namespace === undefined ? {} : { namespace }) })

/** What its own finalizers ask for is done as well. */
const policyOf = ({ finalizers = [] }: ObjectMeta): Policy => {
  if (finalizers.includes(ORPHAN)) return 'Orphan'
  return finalizers.includes(FOREGROUND) ? 'Foreground' : 'Background'
}

/** All methods throw ApiStatusError (a conflict, not found …) and SeamarkError. */
export class NodeWriter {
  readonly #client: RestClient
  readonly #signal: AbortSignal

  constructor(client: RestClient, signal: AbortSignal) {
    this.#client = client
    this.#signal = signal
  }

  /** Takes the references away for which `isFormer` holds. */
  async disown(node: Node, isFormer: (owner: OwnerReference) => boolean): Promise<void> {
    const ownerReferences = ownersOf(node.metadata).filter(owner => !isFormer(owner))
    await this.#patch(node, { ownerReferences: orNone(ownerReferences) })
  }

  /** Blocks no owner any more. Gives the node as it is then. */
  async unblock(node: Node): Promise<Node> {
    const ownerReferences = ownersOf(node.metadata).map(owner => ({ ...owner, blockOwnerDeletion: false }))
    return { ...node, metadata: await this.#patch(node, { ownerReferences }) }
  }

  async release(node: Node, finalizer: string): Promise<void> {
    const finalizers = (node.metadata.finalizers ?? []).filter(other => other !== finalizer)
    await this.#patch(node, { finalizers: orNone(finalizers) })
  }

  async delete({ resource, metadata }: Node, propagationPolicy: Policy = policyOf(metadata)): Promise<void> {
    const { uid = '', resourceVersion = '' } = metadata
    const preconditions = { uid, resourceVersion }
    await this.#client.delete(resource, nameOf(metadata), { signal: this.#signal, propagationPolicy, preconditions })
  }

  async #patch({ resource, metadata }: Node, change: object): Promise<ObjectMeta> {
    const { uid, resourceVersion } = metadata
    const body = { metadata: { uid, resourceVersion, ...change } }
    const options = { signal: this.#signal }
    const patched = await this.#client.patch<ApiObject>(resource, nameOf(metadata), { type: 'merge', body }, options)
    return patched.metadata as ObjectMeta
  }
}
