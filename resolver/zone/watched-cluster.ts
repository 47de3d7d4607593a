/** The informers over one apiserver, and the snapshot of what they hold. */
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import type { RestClient } from '#watcher/client.ts'
import { createInformer, type InformerOptions, type RunningInformer } from '#watcher/create-informer.ts'
import type { ObjectKey } from '#watcher/informer.ts'
import { informerMetrics } from '#watcher/informer-metrics.ts'
import { PodMap } from '#watcher/pod-map.ts'
import { Reflector } from '#watcher/reflector.ts'
import { shapeOf } from '#watcher/shape.ts'
import { readSnapshot, type SnapshotHeader, type SnapshotList } from '#watcher/snapshot-file.ts'
import { SnapshotKeeper } from '#watcher/snapshot-keeper.ts'
import type { View } from '#watcher/view.ts'
import { endpointSliceView } from '#watcher/views/endpoint-slice.ts'
import { IDENTITY_NAMESPACE, namespaceView } from '#watcher/views/namespace.ts'
import { podView } from '#watcher/views/pod.ts'
import { serviceView } from '#watcher/views/service.ts'
import { serviceImportView } from '#watcher/views/service-import.ts'
import type { Cluster, ClusterNeeds } from './cluster-source.ts'

export type WatchOptions = Required<Pick<InformerOptions, 'clock' | 'random' | 'logger' | 'registry'>> & {
  /** With a snapshot to answer from, the apiserver is not asked before this resolves. */
  readonly answering?: Promise<void> | undefined
}

/** Where the lists are kept for the next start. */
export interface SnapshotPlace {
  readonly file: string
  /** What is asked, and where: the file of another source is not read. */
  readonly source: string
}

/** One list with what fills it. */
interface WatchedList extends SnapshotList {
  readonly synced: boolean
  readonly problem: string
  readonly resourceVersion: string
  readonly lastHeard: Milliseconds | undefined
  /** `listed` is called when the first list is complete. */
  start(listed: () => void): void
  close(): Promise<void>
  subscribe(listener: () => void): unknown
  forgetSeeds(): void
}

export class WatchedCluster implements Cluster {
  readonly services
  readonly namespaces
  readonly endpointSlices
  readonly pods
  readonly serviceImports
  readonly #client: RestClient
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #place: SnapshotPlace | undefined
  readonly #answering: Promise<void> | undefined
  readonly #lists: WatchedList[] = []
  /** The snapshot that the lists began with. */
  #snapshot: SnapshotHeader | undefined
  #keeper: SnapshotKeeper | undefined
  #starting: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(client: RestClient, needs: ClusterNeeds, options: WatchOptions, place: SnapshotPlace | undefined) {
    this.#client = client
    this.#clock = options.clock
    this.#logger = options.logger
    this.#place = place
    this.#answering = options.answering
    const labelled = { ...options, ...(needs.labels !== '' && { labelSelector: needs.labels }) }
    const byNamespaceLabels = {
      ...options,
      ...(needs.namespaceLabels !== '' && { labelSelector: needs.namespaceLabels }),
    }
    const sliceView = endpointSliceView({
      podNames: needs.podNames,
      zones: needs.topologyZones,
      hints: needs.topologyHints,
      serving: needs.servingEndpoints,
    })
    this.namespaces = this.#inform(namespaceView, byNamespaceLabels)
    this.services = this.#inform(serviceView, labelled)
    this.endpointSlices = needs.endpointSlices ? this.#inform(sliceView, labelled) : undefined
    this.pods = needs.pods ? this.#watchPods(needs.podLabels, options) : undefined
    this.serviceImports = needs.serviceImports ? this.#inform(serviceImportView, options) : undefined
  }

  start(): Promise<void> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  problem(): string {
    const late = this.#lists.filter(({ synced }) => !synced)
    return late.map(({ name, problem }) => `${name}: ${problem || 'still listing'}`).join('; ')
  }

  age(): Milliseconds | undefined {
    let oldest = 0
    for (const { synced, lastHeard } of this.#needed) {
      const age = synced ? this.#clock.monotonic() - (lastHeard ?? 0) : this.#snapshotAge()
      if (age === undefined) return undefined
      oldest = Math.max(oldest, age)
    }
    return oldest
  }

  revisions(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#lists.map(({ name, resourceVersion }) => [name, resourceVersion]))
  }

  async #start(): Promise<void> {
    if (this.#place) await this.#readSnapshot(this.#place)
    // TLS and what comes with it would take longer than the answers that somebody waits for.
    if (this.#snapshot && this.#answering) void this.#answering.then(() => this.#follow())
    else this.#follow()
  }

  #follow(): void {
    if (this.#closing) return
    for (const list of this.#lists) {
      list.start(() => this.#keep())
      list.subscribe(() => this.#keep())
    }
  }

  async #close(): Promise<void> {
    await this.#starting
    await this.#keeper?.close()
    await Promise.all(this.#lists.map(list => list.close()))
    await this.#client.close()
  }

  /** Where nobody may list pods, the other lists are as good: clients have no names then, and verified pods stay unknown. */
  get #needed(): readonly WatchedList[] {
    return this.#lists.filter(({ name, synced }) => synced || name !== podView.resource.resource)
  }

  /** Wall time may jump back: data of the future is data of now. */
  #snapshotAge(): Milliseconds | undefined {
    return this.#snapshot && Math.max(0, this.#clock.now() - this.#snapshot.time)
  }

  async #readSnapshot({ file, source }: SnapshotPlace): Promise<void> {
    const read = await readSnapshot(file, source)
    if (read.outcome === 'unusable')
      this.#logger.warn({ file, problem: read.problem }, 'the snapshot of the cluster is not used')
    if (read.outcome !== 'read') return
    try {
      read.seed(this.#lists)
    } catch (error) {
      for (const list of this.#lists) list.forgetSeeds()
      this.#logger.warn({ file, problem: String(error) }, 'the snapshot of the cluster is not used')
      return
    }
    this.#snapshot = read.header
    const age = Math.round((this.#snapshotAge() ?? 0) / 1000)
    this.#logger.info({ file, age }, 'answering from the snapshot of the cluster until it is listed')
    this.namespaces.subscribe(change => {
      if (change.key !== IDENTITY_NAMESPACE || change.type === 'deleted' || !this.#snapshot) return
      const { uid } = change.object
      if (uid !== '' && this.#snapshot.cluster !== '' && uid !== this.#snapshot.cluster) this.#forgetSnapshot(file)
    })
  }

  /** The apiserver's address is the same, the cluster behind it is not: nothing of the old one may be answered. */
  #forgetSnapshot(file: string): void {
    this.#snapshot = undefined
    for (const list of this.#lists) list.forgetSeeds()
    this.#logger.warn({ file }, 'the snapshot is of another cluster and is forgotten')
  }

  #inform<Object>(view: View<Object>, options: InformerOptions): RunningInformer<Object> {
    const informer = createInformer(this.#client, view, options)
    this.#lists.push(informerList(view, informer))
    return informer
  }

  #watchPods(labelKeys: readonly string[], options: WatchOptions): PodMap {
    const pods = new PodMap({ labelKeys, ...options })
    this.#lists.push(podList(this.#client, pods, options))
    return pods
  }

  /** Only whole lists are kept: what is missing would be missing at the next start. */
  #keep(): void {
    this.#keeper?.change()
    if (this.#keeper) return
    const place = this.#place
    if (!place || this.#closing || this.#needed.some(({ synced }) => !synced)) return
    this.#keeper = new SnapshotKeeper({
      file: place.file,
      lists: this.#lists,
      clock: this.#clock,
      logger: this.#logger,
      header: () => ({
        source: place.source,
        cluster: this.namespaces.get(IDENTITY_NAMESPACE)?.uid ?? '',
        time: this.#clock.now() - (this.age() ?? 0),
      }),
    })
  }
}

/** What any of the views keeps something of. */
const EXAMPLE = {
  metadata: { namespace: 'a', name: 'a', labels: {} },
  spec: { clusterIPs: ['192.0.2.1'], externalIPs: ['192.0.2.1'], ips: ['192.0.2.1'], ports: [{ name: 'a', port: 1 }] },
  status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
  addressType: 'IPv4',
  endpoints: [{ addresses: ['192.0.2.1'] }],
  ports: [{ name: 'a', port: 1 }],
}

const informerList = <Object>(
  { resource: { resource: name }, strip }: View<Object>,
  informer: RunningInformer<Object>,
  isWhole = shapeOf(strip(EXAMPLE)),
): WatchedList => ({
  name,
  get synced() {
    return informer.synced
  },
  get problem() {
    return informer.problem
  },
  get resourceVersion() {
    return informer.resourceVersion
  },
  get lastHeard() {
    return informer.lastHeard
  },
  start(listed) {
    void informer.start()
    informer.whenSynced().then(listed, () => {})
  },
  close: () => informer.close(),
  snapshot: () => informer.entries(),
  seed(kept) {
    const [key, object] = Array.isArray(kept) ? (kept as [ObjectKey, Object]) : []
    if (typeof key !== 'string' || object === undefined || !isWhole(object))
      throw new Error(`${name}: an object is not whole`)
    informer.seed(key, object)
  },
  subscribe: listener => informer.subscribe(listener),
  forgetSeeds: () => informer.forgetSeeds(),
})

const podList = (client: RestClient, pods: PodMap, options: WatchOptions): WatchedList => {
  const metrics = informerMetrics(options.registry, podView.resource)
  const abort = new AbortController()
  let running: Promise<void> | undefined
  let whenListed = () => {}
  const reflector = new Reflector(
    {
      client,
      resource: podView.resource,
      ...options,
      onList: way => {
        metrics.list(way)
        whenListed()
      },
      onFailure: () => metrics.failure(),
    },
    pods,
  )
  pods.following = reflector
  return {
    name: pods.name,
    get synced() {
      return pods.synced
    },
    get problem() {
      return reflector.problem
    },
    get resourceVersion() {
      return reflector.resourceVersion
    },
    get lastHeard() {
      return reflector.lastHeard
    },
    start(listed) {
      whenListed = listed
      running = reflector.run(abort.signal)
    },
    async close() {
      abort.abort()
      await running
    },
    snapshot: () => pods.snapshot(),
    seed: kept => pods.seed(kept),
    subscribe: listener => pods.subscribe(listener),
    forgetSeeds: () => pods.forgetSeeds(),
  }
}
