/**
 * What depends on others goes with them (Kubernetes: "Garbage collection"). Background: dependents without any owner are
 * deleted; those that have another one lose the dead references alone. Foreground: an owner that is being deleted waits,
 * by its finalizer `foregroundDeletion`, for the dependents that block it. Orphan: dependents lose the reference, then the
 * owner its finalizer `orphan`.
 *
 * Promised: nothing is deleted unless the end of its owners was seen, or the API itself has said that they are gone or go
 * in the foreground, and unless it is still as it was seen then.
 */
import { isDeepStrictEqual } from 'node:util'
import type { OwnerReference } from '#cluster/api/object.ts'
import type { Milliseconds } from '#lib/clock.ts'
import { isConflict, isNotFound } from '#watcher/api-status-error.ts'
import type { ControllerEnvironment, CreateController, Verdict } from '../controller.ts'
import type { MetadataChange, MetadataSource } from '../metadata-source.ts'
import { NodeWriter } from '../node-writer.ts'
import { deletionOf, FOREGROUND, type Node, ORPHAN, OwnerGraph, ownersOf } from '../owner-graph.ts'
import { OwnerLookup } from '../owner-lookup.ts'

/** An owner of a kind that nobody serves may be there again one day. */
const UNKNOWN: Milliseconds = 60_000

/** As kube-controller-manager ignores them: there are many, and they go by themselves. */
const IGNORED = new Set(['/events', 'events.k8s.io/events'])

/** The owners of one object. */
interface Finding {
  readonly solid: readonly OwnerReference[]
  readonly absent: readonly OwnerReference[]
  /** Those that are being deleted and wait for their dependents. */
  readonly waiting: readonly OwnerReference[]
}

/** Whether memory has the owner; what can have no owner there is left alone, and counts as having it. */
const isThere = (source: MetadataSource, { metadata }: Node, owner: OwnerReference): boolean => {
  const kind = source.kind(owner.apiVersion, owner.kind)
  if (!kind) return false
  if (kind.namespaced && metadata.namespace === undefined) return true
  return source.get(kind.resource, kind.namespaced ? metadata.namespace : undefined, owner.name)?.uid === owner.uid
}

class GarbageCollector {
  readonly #environment: ControllerEnvironment
  readonly #graph: OwnerGraph
  readonly #owners: OwnerLookup

  constructor(environment: ControllerEnvironment) {
    const { client, metadata } = environment
    this.#environment = environment
    this.#graph = new OwnerGraph((node, owner) => isThere(metadata, node, owner))
    this.#owners = new OwnerLookup(client, metadata)
  }

  /** Gives the uids of those to look at. */
  take(change: MetadataChange): readonly string[] {
    const { resource, current, previous } = change
    if (IGNORED.has(`${resource.group}/${resource.resource}`)) return []
    const due = this.#graph.take(change)
    if (due.length > 0 && !current && previous) this.#owners.gone(resource, previous)
    return due
  }

  async settle(uid: string, signal: AbortSignal): Promise<Verdict> {
    const node = this.#graph.get(uid)
    if (!node) return 'settled'
    const write = new NodeWriter(this.#environment.client, signal)
    const deletion = deletionOf(node.metadata)
    if (deletion === 'none') return this.#collect(node, write, signal)
    if (deletion === 'dependents') await this.#releaseUnblocked(node, write)
    if (deletion === 'orphaning') await this.#orphan(node, write)
    return 'settled'
  }

  async #collect(before: Node, write: NodeWriter, signal: AbortSignal): Promise<Verdict> {
    const finding = await this.#judge(before, signal)
    if (typeof finding !== 'object' || 'again' in finding) return finding
    const former = [...finding.absent, ...finding.waiting]
    if (former.length === 0) return 'settled'
    const node = this.#graph.get(before.metadata.uid ?? '')
    if (!node) return 'settled'
    if (!isDeepStrictEqual(ownersOf(node.metadata), ownersOf(before.metadata))) return 'unsettled'
    const { namespace, name } = node.metadata
    const { resource } = node.resource
    const orphan = finding.solid.length === 0
    if (!orphan) await write.disown(node, owner => former.some(other => isDeepStrictEqual(owner, other)))
    else if (finding.waiting.length > 0) await this.#deleteInForeground(node, write)
    else await write.delete(node)
    this.#environment.logger.debug({ resource, namespace, name, deleted: orphan }, 'an owner is gone')
    return 'settled'
  }

  async #judge({ metadata }: Node, signal: AbortSignal): Promise<Finding | Verdict> {
    const finding = { solid: [] as OwnerReference[], absent: [] as OwnerReference[], waiting: [] as OwnerReference[] }
    for (const reference of ownersOf(metadata)) {
      const owner = await this.#owners.find(reference, metadata.namespace, signal)
      if (owner === 'impossible') return 'settled'
      if (owner === 'unknown') return { again: UNKNOWN }
      if (owner === 'absent') finding.absent.push(reference)
      else finding[deletionOf(owner) === 'dependents' ? 'waiting' : 'solid'].push(reference)
    }
    return finding
  }

  /** With its own dependents first. Where those wait for theirs already, they may be waiting for this one: a circle. */
  async #deleteInForeground(node: Node, write: NodeWriter): Promise<void> {
    const dependents = [...this.#graph.dependentsOf(node)]
    if (dependents.length === 0) return write.delete(node)
    const isCircle = dependents.some(({ metadata }) => deletionOf(metadata) === 'dependents')
    return write.delete(isCircle ? await write.unblock(node) : node, 'Foreground')
  }

  /** Its dependents have been woken with its deletion; the end of one that blocks it wakes it again. */
  async #releaseUnblocked(node: Node, write: NodeWriter): Promise<void> {
    if (!this.#graph.isBlocked(node)) await write.release(node, FOREGROUND)
  }

  async #orphan(node: Node, write: NodeWriter): Promise<void> {
    for (const dependent of [...this.#graph.dependentsOf(node)]) {
      try {
        await write.disown(dependent, ({ uid }) => uid === node.metadata.uid)
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    }
    await write.release(node, ORPHAN)
  }
}

export const garbageCollector: CreateController = environment => {
  const collector = new GarbageCollector(environment)
  return {
    name: 'garbage-collector',
    watch(wake) {
      environment.metadata.subscribe(change => {
        for (const uid of collector.take(change)) wake(uid)
      })
    },
    async reconcile(uid, signal) {
      try {
        return await collector.settle(uid, signal)
      } catch (error) {
        if (isNotFound(error)) return 'settled'
        if (isConflict(error)) return 'unsettled'
        throw error
      }
    },
  }
}
