/**
 * The pods of a cluster by address, kept right by a reflector without an object for each of them (see `pod-table.ts`).
 *
 * Promised: as an informer (`informer.ts`): once `synced`, every live pod with an address is found by it, and every later
 * change is seen in the API's order.
 */
import ipaddr from 'ipaddr.js'
import type { Logger } from '#lib/log.ts'
import type { Registry } from '#lib/metrics.ts'
import type { Following } from './following.ts'
import { type InformerMetrics, informerMetrics } from './informer-metrics.ts'
import type { ApiObject } from './object.ts'
import { type PodFacts, PodTable } from './pod-table.ts'
import type { ReflectorTarget } from './reflector.ts'
import { shapeOf } from './shape.ts'
import type { SnapshotList } from './snapshot-file.ts'
import { podView } from './views/pod.ts'

export interface PodMapOptions {
  /** Labels that are kept; others are dropped. */
  readonly labelKeys: readonly string[]
  readonly logger: Logger
  readonly registry?: Registry
}

/** A pod in a snapshot: namespace, name, addresses, whether on the host's network, labels. */
type KeptPod = readonly [string, string, readonly string[], boolean, PodFacts['labels']]

const isKeptPod = shapeOf({ ...(['a', 'a', ['192.0.2.1'], false, []] satisfies KeptPod) })

export class PodMap implements ReflectorTarget, SnapshotList {
  readonly name = podView.resource.resource
  readonly #table: PodTable
  readonly #logger: Logger
  readonly #metrics: InformerMetrics | undefined
  readonly #listeners = new Set<() => void>()
  /** The reflector that fills it; undefined: it is filled by hand. */
  following: Following | undefined
  #synced = false
  /** 0: seeded; then 1–255 in turn. */
  #list = 0

  constructor({ labelKeys, logger, registry }: PodMapOptions) {
    this.#table = new PodTable(labelKeys)
    this.#logger = logger
    this.#metrics = registry && informerMetrics(registry, podView.resource)
  }

  /** Whether the first list is complete. Never turns false again. */
  get synced(): boolean {
    return this.#synced
  }

  get size(): number {
    return this.#table.size
  }

  get labelKeys(): readonly string[] {
    return this.#table.labelKeys
  }

  /** Live pods with this address (4 or 16 bytes): several, where they are on a host's network. */
  find(address: Uint8Array): readonly PodFacts[] {
    return this.#table.find(address)
  }

  /** A live pod with an address. */
  named(namespace: string, name: string): PodFacts | undefined {
    return this.#table.named(namespace, name)
  }

  /** Told after each change of a pod that has, or had, an address. Returns the way to stop. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  listBegins(): void {
    this.#list = (this.#list % 255) + 1
  }

  listEnds(): void {
    this.#synced = true
    if (this.#table.sweep(this.#list)) this.#changed('deleted')
  }

  put(raw: ApiObject): void {
    try {
      const { addresses, labels, ...pod } = podView.strip(raw as unknown as Readonly<Record<string, unknown>>)
      const values = this.labelKeys.map(key => labels[key])
      this.#put({ ...pod, ...familiesOf(addresses), labels: values })
    } catch (error) {
      this.#logger.error({ pod: raw.metadata.name, error }, 'pod left out: it cannot be read')
      this.#metrics?.listenerError()
    }
  }

  remove({ metadata: { namespace = '', name = '' } }: ApiObject): void {
    if (this.#table.remove(namespace, name)) this.#changed('deleted')
  }

  *snapshot(): Generator<KeptPod, void> {
    for (const { namespace, name, ipv4, ipv6, hostNetwork, labels } of this.#table.entries()) {
      const addresses = [ipv4, ipv6].filter(address => address !== undefined)
      yield [namespace, name, addresses.map(textOf), hostNetwork, labels]
    }
  }

  seed(kept: unknown): void {
    if (!Array.isArray(kept) || !isKeptPod({ ...kept })) throw new Error(`${this.name}: an object is not whole`)
    const [namespace, name, addresses, hostNetwork, labels] = kept as unknown as KeptPod
    this.#put({ namespace, name, ...familiesOf(addresses), hostNetwork, labels })
  }

  forgetSeeds(): void {
    if (this.#list === 0) this.#table.sweep(1)
  }

  /** A pod without an address is nobody's to find. */
  #put(pod: PodFacts): void {
    if (!pod.ipv4 && !pod.ipv6) {
      if (this.#table.remove(pod.namespace, pod.name)) this.#changed('deleted')
      return
    }
    const before = this.#table.size
    if (this.#table.put(pod, this.#list)) this.#changed(this.#table.size > before ? 'added' : 'modified')
  }

  #changed(type: 'added' | 'modified' | 'deleted'): void {
    this.#metrics?.change(type, this.#table.size)
    for (const listener of this.#listeners) listener()
  }
}

const textOf = (address: Uint8Array): string => ipaddr.fromByteArray([...address]).toString()

/** The first address of each family: Kubernetes gives a pod no more. */
const familiesOf = (addresses: readonly string[]): Pick<PodFacts, 'ipv4' | 'ipv6'> => {
  const bytes = addresses.filter(address => ipaddr.isValid(address)).map(address => ipaddr.parse(address).toByteArray())
  const family = (length: number) => {
    const found = bytes.find(address => address.length === length)
    return found && Uint8Array.from(found)
  }
  return { ipv4: family(4), ipv6: family(16) }
}
