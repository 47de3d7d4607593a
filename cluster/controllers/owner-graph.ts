/**
 * Who depends on whom, by the owner references of all objects: the dependents, and the owners whose deletion waits for
 * the garbage collector. What neither owns visibly nor is owned is not kept, so that memory grows with the references.
 *
 * Promised: `take` names all objects about which a change may mean something to do. Not promised: that there is.
 */
import { isDeepStrictEqual } from 'node:util'
import type { ObjectMeta, OwnerReference } from '#cluster/api/object.ts'
import type { Resource } from '#watcher/resource.ts'
import type { MetadataChange } from './metadata-source.ts'

type Uid = string

export interface Node {
  readonly resource: Resource
  readonly metadata: ObjectMeta
}

export const FOREGROUND = 'foregroundDeletion'
export const ORPHAN = 'orphan'

/** What an object's deletion waits for. `others`: for nothing that the garbage collector does. */
type Deletion = 'none' | 'dependents' | 'orphaning' | 'others'

export const deletionOf = ({ deletionTimestamp, finalizers = [] }: ObjectMeta): Deletion => {
  if (deletionTimestamp === undefined) return 'none'
  if (finalizers.includes(FOREGROUND)) return 'dependents'
  return finalizers.includes(ORPHAN) ? 'orphaning' : 'others'
}

export const ownersOf = ({ ownerReferences }: ObjectMeta): readonly OwnerReference[] => ownerReferences ?? []

const isKept = (metadata: ObjectMeta): boolean => {
  if (ownersOf(metadata).length > 0) return true
  const deletion = deletionOf(metadata)
  return deletion === 'dependents' || deletion === 'orphaning'
}

const blocks = (dependent: Node, { metadata: { uid } }: Node): boolean =>
  ownersOf(dependent.metadata).some(owner => owner.uid === uid && owner.blockOwnerDeletion === true)

/** References of `some` that `others` does not have just so. */
const unlike = (some: readonly OwnerReference[], others: readonly OwnerReference[]): readonly OwnerReference[] =>
  some === others ? [] : some.filter(owner => !others.some(other => isDeepStrictEqual(owner, other)))

export class OwnerGraph {
  readonly #nodes = new Map<Uid, Node>()
  /** By the owner's uid, whether or not there is such an owner. */
  readonly #dependents = new Map<Uid, Set<Uid>>()
  readonly #isThere: (node: Node, owner: OwnerReference) => boolean

  /** `isThere`: whether the owner of `node` is surely there, as far as memory tells. */
  constructor(isThere: (node: Node, owner: OwnerReference) => boolean) {
    this.#isThere = isThere
  }

  get(uid: Uid): Node | undefined {
    return this.#nodes.get(uid)
  }

  /** Those that an owner can have: in its namespace, or, of an owner that lies in none, anywhere. */
  *dependentsOf({ metadata: { uid = '', namespace } }: Node): Generator<Node, undefined> {
    for (const dependent of this.#dependents.get(uid) ?? []) {
      const node = this.#nodes.get(dependent)
      if (node && (namespace === undefined || node.metadata.namespace === namespace)) yield node
    }
  }

  /** Whether a dependent must go before it. */
  isBlocked(owner: Node): boolean {
    for (const dependent of this.dependentsOf(owner)) if (blocks(dependent, owner)) return true
    return false
  }

  /** Takes a change in; gives the uids of those to look at. */
  take({ resource, current, previous }: MetadataChange): readonly Uid[] {
    const { uid } = current ?? previous ?? {}
    if (uid === undefined) return []
    const before = this.#nodes.get(uid)
    if (!current) return this.#remove(uid, before)
    if (!before && !isKept(current)) return []
    return this.#put(uid, { resource, metadata: current }, before)
  }

  #remove(uid: Uid, before: Node | undefined): readonly Uid[] {
    const owners = before ? ownersOf(before.metadata) : []
    for (const owner of owners) this.#unlink(uid, owner)
    this.#nodes.delete(uid)
    return [...(this.#dependents.get(uid) ?? []), ...this.#waiting(owners)]
  }

  #put(uid: Uid, node: Node, before: Node | undefined): readonly Uid[] {
    const owners = ownersOf(node.metadata)
    const former = before ? ownersOf(before.metadata) : []
    const left = unlike(former, owners)
    const joined = unlike(owners, former)
    for (const owner of left) this.#unlink(uid, owner)
    for (const owner of owners) this.#link(uid, owner)
    if (isKept(node.metadata)) this.#nodes.set(uid, node)
    else this.#nodes.delete(uid)
    const due = this.#waiting(left)
    const deletion = deletionOf(node.metadata)
    if (deletion === 'none' && joined.some(owner => this.#mayLose(node, owner))) due.push(uid)
    if (before && deletionOf(before.metadata) === deletion) return due
    if (deletion === 'dependents') due.push(uid, ...(this.#dependents.get(uid) ?? []))
    if (deletion === 'orphaning') due.push(uid)
    return due
  }

  #mayLose(node: Node, owner: OwnerReference): boolean {
    return this.#isWaiting(owner) || !this.#isThere(node, owner)
  }

  #isWaiting({ uid }: OwnerReference): boolean {
    const node = this.#nodes.get(uid)
    return node !== undefined && deletionOf(node.metadata) === 'dependents'
  }

  /** The owners that wait for their dependents. */
  #waiting(owners: readonly OwnerReference[]): Uid[] {
    return owners.filter(owner => this.#isWaiting(owner)).map(({ uid }) => uid)
  }

  #link(uid: Uid, owner: OwnerReference): void {
    const dependents = this.#dependents.get(owner.uid)
    if (dependents) dependents.add(uid)
    else this.#dependents.set(owner.uid, new Set([uid]))
  }

  #unlink(uid: Uid, owner: OwnerReference): void {
    const dependents = this.#dependents.get(owner.uid)
    dependents?.delete(uid)
    if (dependents?.size === 0) this.#dependents.delete(owner.uid)
  }
}
