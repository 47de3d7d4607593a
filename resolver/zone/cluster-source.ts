/** What the zone reads of the cluster, and the door through which it gets it: a real watch, or a test's memory. */
import type { Milliseconds } from '#lib/clock.ts'
import type { Informer } from '#watcher/informer.ts'
import type { PodMap } from '#watcher/pod-map.ts'
import type { EndpointSliceView } from '#watcher/views/endpoint-slice.ts'
import type { NamespaceView } from '#watcher/views/namespace.ts'
import type { ServiceView } from '#watcher/views/service.ts'
import type { ServiceImportView } from '#watcher/views/service-import.ts'

/** Which lists are wanted. What is not wanted is not watched, so that it costs neither memory nor rights. */
export interface ClusterNeeds {
  readonly endpointSlices: boolean
  readonly pods: boolean
  /** Whether endpoints are wanted with the names of their pods, with their topology zones, and with their hints. */
  readonly podNames: boolean
  readonly topologyZones: boolean
  readonly topologyHints: boolean
  /** Whether endpoints that are shutting down count as ready while they serve. */
  readonly servingEndpoints: boolean
  /** Labels of pods that somebody shows; others are not kept. */
  readonly podLabels: readonly string[]
  readonly serviceImports: boolean
  /** Label selector for services and endpoint slices; `''`: all. */
  readonly labels: string
  /** Label selector for namespaces; `''`: all. */
  readonly namespaceLabels: string
}

/** The lists; undefined where `ClusterNeeds` did not ask for one. */
export interface ClusterViews {
  readonly services: Informer<ServiceView>
  readonly namespaces: Informer<NamespaceView>
  readonly endpointSlices: Informer<EndpointSliceView> | undefined
  readonly pods: PodMap | undefined
  readonly serviceImports: Informer<ServiceImportView> | undefined
}

export interface Cluster extends ClusterViews {
  /**
   * Begins to fill the lists: with what an earlier life left on disk before it resolves, which makes no list `synced`;
   * does not wait for the apiserver. Never rejects.
   */
  start(): Promise<void>
  /** Ends it all; the lists keep what they have. */
  close(): Promise<void>
  /** What keeps the lists from being complete, in words; `''` when nothing does. */
  problem(): string
  /** How long ago the lists were known to be right, all of them; undefined: there is one of which nothing is known. */
  age(): Milliseconds | undefined
  /** The revision that each list has reached, by its resource; `''` before its first. */
  revisions(): Readonly<Record<string, string>>
}

/** Rejects where there is no way in; an apiserver that is merely away makes lists that stay incomplete. */
export type ClusterSource = (needs: ClusterNeeds) => Promise<Cluster>
