/**
 * The Pods of each node and what they name, kept up with each change of a Pod: what the kubelet of that node may read.
 * Pods that a kubelet made itself (mirror Pods) entitle it to nothing.
 */
import { podKind } from '#cluster/api/kinds/pod.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import type { Cacher } from '../storage/cacher.ts'
import { type PodReferences, podReferences } from './pod-references.ts'

export const MIRROR = 'kubernetes.io/config.mirror'

export interface NodePod {
  readonly namespace: string
  readonly name: string
  /** Found when first asked for. */
  readonly references: () => PodReferences
}

export const nodeOfPod = ({ spec }: ApiObject): string =>
  isObject(spec) && typeof spec.nodeName === 'string' ? spec.nodeName : ''

const lazily = <Value>(make: () => Value): (() => Value) => {
  let made: { readonly value: Value } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

const NOTHING: PodReferences = { serviceAccount: '', secrets: new Set(), configMaps: new Set(), claims: new Set() }

const entryOf = (pod: ApiObject): NodePod => {
  const mirror = pod.metadata.annotations?.[MIRROR] !== undefined
  const { namespace = '', name = '' } = pod.metadata
  return { namespace, name, references: lazily(() => (mirror ? NOTHING : podReferences(pod))) }
}

export class NodePods {
  readonly #byNode = new Map<string, Map<string, NodePod>>()

  /** `cacher` has started. */
  constructor(cacher: Cacher) {
    const cache = cacher.cache(podKind)
    for (const { object } of cache.list()) this.#add(object)
    cache.subscribe(({ previous, current }) => {
      if (previous) this.#remove(previous.object)
      if (current) this.#add(current.object)
    })
  }

  has(node: string, namespace: string, name: string): boolean {
    return this.#byNode.get(node)?.has(`${namespace}/${name}`) ?? false
  }

  /** Whether a Pod of the node in that namespace names it. */
  names(node: string, namespace: string, holds: (references: PodReferences) => boolean): boolean {
    for (const pod of this.#byNode.get(node)?.values() ?? [])
      if (pod.namespace === namespace && holds(pod.references())) return true
    return false
  }

  #add(pod: ApiObject): void {
    const node = nodeOfPod(pod)
    if (node === '') return
    const entry = entryOf(pod)
    const pods = this.#byNode.get(node) ?? new Map<string, NodePod>()
    pods.set(`${entry.namespace}/${entry.name}`, entry)
    this.#byNode.set(node, pods)
  }

  #remove(pod: ApiObject): void {
    const node = nodeOfPod(pod)
    const pods = this.#byNode.get(node)
    pods?.delete(`${pod.metadata.namespace}/${pod.metadata.name}`)
    if (pods?.size === 0) this.#byNode.delete(node)
  }
}
