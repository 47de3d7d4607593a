/** A cluster in memory, made of API objects as they stand in manifests. */
import type { Milliseconds } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import type { Cluster, ClusterNeeds, ClusterSource } from '#resolver/zone/cluster-source.ts'
import { objectKey } from '#watcher/informer.ts'
import { PodMap } from '#watcher/pod-map.ts'
import type { View } from '#watcher/view.ts'
import { type EndpointSliceView, endpointSliceView } from '#watcher/views/endpoint-slice.ts'
import { type NamespaceView, namespaceView } from '#watcher/views/namespace.ts'
import { type ServiceView, serviceView } from '#watcher/views/service.ts'
import { type ServiceImportView, serviceImportView } from '#watcher/views/service-import.ts'
import { StaticInformer } from './static-informer.ts'

/** As much of an API object as the cluster sorts by. */
export interface Manifest extends Readonly<Record<string, unknown>> {
  readonly kind: string
  readonly metadata: {
    readonly namespace?: string
    readonly name: string
    readonly labels?: Readonly<Record<string, string>>
  }
}

const EVERYTHING: ClusterNeeds = {
  endpointSlices: true,
  pods: true,
  podLabels: [],
  podNames: true,
  topologyZones: true,
  topologyHints: true,
  servingEndpoints: false,
  serviceImports: true,
  labels: '',
  namespaceLabels: '',
}

export class StaticCluster implements Cluster {
  readonly services: StaticInformer<ServiceView>
  readonly namespaces: StaticInformer<NamespaceView>
  readonly endpointSlices: StaticInformer<EndpointSliceView>
  readonly pods: PodMap
  readonly serviceImports: StaticInformer<ServiceImportView>
  readonly #needs: ClusterNeeds
  readonly #sliceView: View<EndpointSliceView>
  started = false
  closed = false

  constructor(manifests: readonly Manifest[] = [], synced = true, needs: ClusterNeeds = EVERYTHING) {
    this.#needs = needs
    const { servingEndpoints, topologyZones, topologyHints } = needs
    this.#sliceView = endpointSliceView({
      podNames: true,
      zones: topologyZones,
      hints: topologyHints,
      serving: servingEndpoints,
    })
    this.services = new StaticInformer(synced)
    this.namespaces = new StaticInformer(synced)
    this.endpointSlices = new StaticInformer(synced)
    this.pods = new PodMap({ labelKeys: needs.podLabels, logger: silentLogger })
    this.pods.listBegins()
    if (synced) this.pods.listEnds()
    this.serviceImports = new StaticInformer(synced)
    for (const manifest of manifests) this.apply(manifest)
  }

  apply(manifest: Manifest): void {
    const { labels, namespaceLabels } = this.#needs
    const apply = {
      Namespace: () => this.#put(this.namespaces, namespaceView, manifest, namespaceLabels),
      Service: () => this.#put(this.services, serviceView, manifest, labels),
      EndpointSlice: () => this.#put(this.endpointSlices, this.#sliceView, manifest, labels),
      Pod: () => this.pods.put(manifest),
      ServiceImport: () => this.#put(this.serviceImports, serviceImportView, manifest, ''),
    }[manifest.kind]
    if (!apply) throw new Error(`no informer for kind ${manifest.kind}`)
    apply()
  }

  remove(manifest: Manifest): void {
    const { namespace, name } = manifest.metadata
    if (manifest.kind === 'Pod') this.pods.remove(manifest)
    const informers = [this.services, this.namespaces, this.endpointSlices, this.serviceImports]
    const kinds = ['Service', 'Namespace', 'EndpointSlice', 'ServiceImport']
    informers[kinds.indexOf(manifest.kind)]?.remove(objectKey(namespace, name))
  }

  sync(): void {
    for (const informer of [this.services, this.namespaces, this.endpointSlices, this.serviceImports]) informer.sync()
    this.pods.listEnds()
  }

  async start(): Promise<void> {
    this.started = true
  }

  async close(): Promise<void> {
    this.closed = true
  }

  problem(): string {
    return this.services.synced ? '' : 'the test has not synced it'
  }

  age(): Milliseconds | undefined {
    return this.services.synced ? 0 : undefined
  }

  revisions(): Readonly<Record<string, string>> {
    return { services: this.services.resourceVersion }
  }

  #put<Object>(informer: StaticInformer<Object>, view: View<Object>, manifest: Manifest, selector: string): void {
    const { namespace, name, labels = {} } = manifest.metadata
    if (matches(labels, selector)) informer.put(objectKey(namespace, name), view.strip(manifest))
  }
}

/** Equality selectors only: `tier=edge,zone=a`. */
const matches = (labels: Readonly<Record<string, string>>, selector: string): boolean =>
  selector
    .split(',')
    .filter(term => term !== '')
    .every(term => {
      const [key = '', value = ''] = term.split('=')
      return labels[key] === value
    })

/** What a directive with `needs` sees of `manifests`. */
export const staticSource =
  (manifests: readonly Manifest[], synced = true): ClusterSource =>
  async needs => {
    const cluster = new StaticCluster(manifests, synced, needs)
    const { endpointSlices, pods, serviceImports } = needs
    return {
      services: cluster.services,
      namespaces: cluster.namespaces,
      endpointSlices: endpointSlices ? cluster.endpointSlices : undefined,
      pods: pods ? cluster.pods : undefined,
      serviceImports: serviceImports ? cluster.serviceImports : undefined,
      start: () => cluster.start(),
      close: () => cluster.close(),
      problem: () => cluster.problem(),
      age: () => cluster.age(),
      revisions: () => cluster.revisions(),
    }
  }
