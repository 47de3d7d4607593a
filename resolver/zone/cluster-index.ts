/**
 * The cluster as the zone asks for it: every lookup of an answer is one or two map lookups, whatever the cluster's size.
 *
 * Promised: kept in step within the informers' own listeners, so that whatever an informer shows is answered; holds
 * references to the informers' views and no copies of them. Not promised: that lists of different resources belong
 * together at any moment (a slice may come before its service); names appear once all that they need is there.
 */
import { LRUCache } from 'lru-cache'
import type { ChangeBoard } from '#lib/change-board.ts'
import type { Clock } from '#lib/clock.ts'
import type { Following } from '#watcher/following.ts'
import type { Informer } from '#watcher/informer.ts'
import type { PodFacts } from '#watcher/pod-table.ts'
import type { EndpointSliceView } from '#watcher/views/endpoint-slice.ts'
import type { ServiceView } from '#watcher/views/service.ts'
import type { ServiceImportView } from '#watcher/views/service-import.ts'
import { type AddressKey, addressData } from './address.ts'
import type { ClusterViews } from './cluster-source.ts'
import { EndpointSet } from './endpoints.ts'
import { facts } from './facts.ts'
import { ReverseIndex } from './reverse-index.ts'
import type { ServiceEntry } from './service-entry.ts'
import { ServiceTree, type ServiceTreeOptions, type SliceOwner } from './service-tree.ts'
import type { ZoneSettings } from './settings.ts'

export interface ClusterIndexOptions {
  readonly clock: Clock
  /** Told of everything that a client can see (facts.ts has the names). */
  readonly board: ChangeBoard
  readonly settings: Pick<ZoneSettings, 'zones' | 'namespaces' | 'ignoreEmptyService' | 'endpointPodNames' | 'pods'>
  /** Called when a slice of a headless service that changed after the first list is in force. */
  readonly programmed?: (slice: EndpointSliceView) => void
}

type TreeOptions = Pick<ServiceTreeOptions, 'reverse' | 'externals' | 'withheld' | 'namesEndpoints'> & {
  readonly factOf: (namespace: string, name: string) => string
}

/** Named endpoints are kept for the services that were asked for lately: at most this many endpoints in all. */
const NAMED_ENDPOINTS = 50_000

export class ClusterIndex {
  readonly #views: ClusterViews
  readonly #options: ClusterIndexOptions
  /** The lists that names are made of. */
  readonly #named: readonly { readonly synced: boolean; readonly following: Following | undefined }[]
  readonly #present = new Set<string>()
  readonly #services: ServiceTree
  readonly #imports: ServiceTree
  readonly #reverse = new ReverseIndex<ServiceEntry>()
  readonly #importedReverse = new ReverseIndex<ServiceEntry>()
  readonly #externals = new ReverseIndex<ServiceEntry>()
  readonly #withheld = new ReverseIndex<ServiceEntry>()
  readonly #endpoints = new LRUCache<ServiceEntry, EndpointSet>({
    maxSize: NAMED_ENDPOINTS,
    sizeCalculation: endpoints => 1 + endpoints.all.length,
  })
  readonly #stops: (() => void)[] = []
  /** Where the board has the serial. */
  readonly serialCell: number

  constructor(views: ClusterViews, options: ClusterIndexOptions) {
    this.#views = views
    this.#options = options
    const { services, namespaces, endpointSlices, pods, serviceImports } = views
    const verified = options.settings.pods === 'verified' ? pods : undefined
    const named = [services, namespaces, endpointSlices, verified, serviceImports]
    this.#named = named.filter(list => list !== undefined)
    this.serialCell = options.board.valueCell(`serial of ${options.settings.zones.map(({ name }) => name).join(' ')}`)
    this.#services = this.#tree({
      factOf: facts.service,
      reverse: this.#reverse,
      externals: this.#externals,
      withheld: this.#withheld,
      namesEndpoints: form => form === 'cluster-ip' || form === 'headless',
    })
    // Imports have no addresses outside, and none of this server's own.
    this.#imports = this.#tree({
      factOf: facts.imported,
      reverse: this.#importedReverse,
      externals: new ReverseIndex(),
      withheld: new ReverseIndex(),
      // KEP-1645 §2.3.4: what has an address of its own has no names for its endpoints.
      namesEndpoints: form => form === 'headless',
    })
    this.#touch()
    this.#subscribe()
  }

  /** Whether all lists that names are made of are complete: what is not here does not exist. */
  get synced(): boolean {
    return this.#named.every(({ synced }) => synced)
  }

  /** How those lists stand to the apiserver. */
  get following(): readonly Following[] {
    return this.#named.map(({ following }) => following).filter(following => following !== undefined)
  }

  /** SOA serial: Unix time of the last change that a client could see, and never the same for two contents (RFC 1982). */
  get serial(): number {
    return this.#options.board.tell(this.serialCell)
  }

  /** Whether the Namespace exists and is served. */
  hasNamespace(name: string): boolean {
    const { namespaces } = this.#options.settings
    return this.#present.has(name) && (namespaces === undefined || namespaces.has(name))
  }

  /** Of the Namespace; none where nothing is known of it. */
  namespaceLabels(name: string): Readonly<Record<string, string>> {
    return this.#views.namespaces.get(name)?.labels ?? {}
  }

  service(namespace: string, name: string): ServiceEntry | undefined {
    return this.hasNamespace(namespace) ? this.#services.find(namespace, name) : undefined
  }

  /** A service of the cluster set, as if it were one of ours. */
  importedService(namespace: string, name: string): ServiceEntry | undefined {
    return this.hasNamespace(namespace) ? this.#imports.find(namespace, name) : undefined
  }

  /** All services that are served, or all imported ones, out of the reach of later changes; by namespace and name. */
  snapshot(which: 'services' | 'imports'): readonly ServiceEntry[] {
    const tree = which === 'services' ? this.#services : this.#imports
    const entries = [...tree.entries()].filter(({ namespace }) => this.hasNamespace(namespace))
    return entries.map(entry => entry.snapshot()).sort(byName)
  }

  endpoints(entry: ServiceEntry): EndpointSet {
    let endpoints = this.#endpoints.get(entry)
    if (!endpoints) {
      endpoints = new EndpointSet(entry.slices, this.#options.settings.endpointPodNames)
      this.#endpoints.set(entry, endpoints)
    }
    return endpoints
  }

  /** Services whose cluster IP this is, and slices that have it as a ready endpoint: all of visible services. */
  get reverse(): ReverseIndex<ServiceEntry> {
    return this.#reverse
  }

  get importedReverse(): ReverseIndex<ServiceEntry> {
    return this.#importedReverse
  }

  /** Services by the addresses that they have outside of the cluster (externalIPs, load balancers). */
  get externals(): ReverseIndex<ServiceEntry> {
    return this.#externals
  }

  /** Services that have the address as a ready endpoint; also those of namespaces that are not served. */
  servicesAt(key: AddressKey): readonly ServiceEntry[] {
    return [...this.#reverse.endpointOwners(key), ...this.#withheld.endpointOwners(key)]
  }

  /** Live pods with this address; several share that of their host's network. */
  pods(key: AddressKey): readonly PodFacts[] {
    return this.#views.pods?.find(addressData(key)) ?? []
  }

  /** Whether pods are known at all. */
  get watchesPods(): boolean {
    return this.#views.pods !== undefined
  }

  podNamed(namespace: string, name: string): PodFacts | undefined {
    return this.#views.pods?.named(namespace, name)
  }

  /** What `PodFacts.labels` are the values of. */
  get podLabelKeys(): readonly string[] {
    return this.#views.pods?.labelKeys ?? []
  }

  close(): void {
    for (const stop of this.#stops.splice(0)) stop()
  }

  #tree({ factOf, ...indexes }: TreeOptions): ServiceTree {
    const { board } = this.#options
    const { ignoreEmptyService } = this.#options.settings
    return new ServiceTree({
      ...indexes,
      ignoreEmptyService,
      isVisible: namespace => this.hasNamespace(namespace),
      isWithheld: namespace => this.#present.has(namespace) && !this.hasNamespace(namespace),
      appeared: ({ namespace, name }) => board.appeared(factOf(namespace, name)),
      vanished: ({ namespace, name }) => board.vanished(factOf(namespace, name)),
      changed: entry => {
        this.#endpoints.delete(entry)
        this.#touch(factOf(entry.namespace, entry.name))
      },
    })
  }

  #touch(fact?: string): void {
    const { board, clock } = this.#options
    if (fact !== undefined) board.changed(fact)
    board.changed(facts.reverse)
    board.advance(this.serialCell, Math.floor(clock.now() / 1000))
  }

  #subscribe(): void {
    const { namespaces, services, endpointSlices, pods, serviceImports } = this.#views
    this.#watch(namespaces, (_, next, key) => this.#setNamespace(key, next !== undefined))
    this.#watch(services, (previous, next) => {
      const { namespace, name } = (next ?? previous)!
      this.#services.setService(namespace, name, next)
    })
    this.#watch(serviceImports, (previous, next) => {
      const { namespace, name } = (next ?? previous)!
      this.#imports.setService(namespace, name, next && importedAsService(next))
    })
    if (pods && this.#options.settings.pods === 'verified')
      this.#stops.push(pods.subscribe(() => this.#touch(facts.pods)))
    this.#watch(endpointSlices, (previous, next) => this.#setSlice(previous, next))
  }

  #watch<View>(
    informer: Informer<View> | undefined,
    apply: (previous: View | undefined, next: View | undefined, key: string) => void,
  ): void {
    const stop = informer?.subscribe(change =>
      apply(
        change.type === 'added' ? undefined : change.previous,
        change.type === 'deleted' ? undefined : change.object,
        change.key,
      ),
    )
    if (stop) this.#stops.push(stop)
  }

  #setNamespace(name: string, present: boolean): void {
    if (this.#present.has(name) === present) return
    if (present) this.#present.add(name)
    else this.#present.delete(name)
    this.#services.refresh(name)
    this.#imports.refresh(name)
    this.#touch(facts.namespace(name))
  }

  #setSlice(previous: EndpointSliceView | undefined, next: EndpointSliceView | undefined): void {
    this.#services.setSlice(previous, next, localOwner)
    if (this.#views.serviceImports) this.#imports.setSlice(previous, next, importedOwner)
    const { programmed } = this.#options
    if (!programmed || !next || !this.synced || next.lastChangeTriggerTime === '') return
    const service = this.service(next.namespace, next.serviceName)?.service
    if (service?.headless && next.lastChangeTriggerTime !== previous?.lastChangeTriggerTime) programmed(next)
  }
}

const byName = (one: ServiceEntry, other: ServiceEntry): number =>
  compare(one.namespace, other.namespace) || compare(one.name, other.name)

/** By code unit: independent of any locale. */
const compare = (one: string, other: string): number => Number(one > other) - Number(one < other)

/** A slice of the cluster set carries the label of the import, not that of a local service (KEP-1645). */
const localOwner: SliceOwner = slice => slice.serviceName
const importedOwner: SliceOwner = slice => slice.importedService

const importedAsService = ({
  namespace,
  name,
  headless,
  ips,
  ports,
  resourceVersion,
}: ServiceImportView): ServiceView => ({
  namespace,
  name,
  type: 'ClusterIP',
  clusterIPs: headless ? [] : ips,
  headless,
  externalName: '',
  ports,
  externalIPs: [],
  ingress: [],
  resourceVersion,
})
