/** The cluster by a real apiserver: how to get in, and the informers. */
import { resolve } from 'node:path'
import { SeamarkError } from '#lib/errors.ts'
import type { Registry } from '#lib/metrics.ts'
import type { ClusterAccess } from '#watcher/access.ts'
import { RestClient } from '#watcher/client.ts'
import { createInformer, type InformerOptions, type RunningInformer } from '#watcher/create-informer.ts'
import { endpointAccess } from '#watcher/endpoint.ts'
import { inClusterAccess } from '#watcher/in-cluster.ts'
import { kubeconfigFiles, loadKubeconfig } from '#watcher/kubeconfig.ts'
import { type RequestObserver, requestMetrics } from '#watcher/request-observer.ts'
import type { View } from '#watcher/view.ts'
import { endpointSliceView } from '#watcher/views/endpoint-slice.ts'
import { namespaceView } from '#watcher/views/namespace.ts'
import { podView } from '#watcher/views/pod.ts'
import { serviceView } from '#watcher/views/service.ts'
import { serviceImportView } from '#watcher/views/service-import.ts'
import type { Environment } from '../plugin.ts'
import type { Cluster, ClusterNeeds, ClusterSource } from './cluster-source.ts'

/** What a directive says about the way in; all undefined: the pod's own service account. */
export interface ConnectionSettings {
  readonly kubeconfig: { readonly file: string; readonly context: string | undefined } | undefined
  readonly endpoint: URL | undefined
  /** File names, relative to the Corefile's folder. */
  readonly tls: { readonly certificate: string; readonly key: string; readonly authority: string } | undefined
}

type Surroundings = Pick<
  Environment,
  'clock' | 'random' | 'logger' | 'registry' | 'variables' | 'folder' | 'overrides' | 'version'
>

/** The flag beats the directive; a directive that says nothing means the pod that this runs in. */
const findAccess = async (connection: ConnectionSettings, surroundings: Surroundings): Promise<ClusterAccess> => {
  const { clock, variables: environment, folder, overrides } = surroundings
  const { kubeconfig, endpoint, tls } = connection
  if (overrides.kubeconfig) {
    return loadKubeconfig({ ...kubeconfigFiles(overrides.kubeconfig, environment), environment, clock })
  }
  if (kubeconfig) {
    const files = [resolve(folder, kubeconfig.file)]
    return loadKubeconfig({ files, context: kubeconfig.context, environment, clock })
  }
  if (!endpoint) return podAccess(surroundings)
  const files = tls && {
    certificate: resolve(folder, tls.certificate),
    key: resolve(folder, tls.key),
    authority: resolve(folder, tls.authority),
  }
  return endpointAccess({ server: endpoint, clock, ...files })
}

const podAccess = async ({ variables: environment, clock }: Surroundings): Promise<ClusterAccess> => {
  try {
    return await inClusterAccess({ environment, clock })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new SeamarkError(
      'BAD_KUBECONFIG',
      `the kubernetes plugin has no way into a cluster: no --kubeconfig, no "kubeconfig" or "endpoint" in the Corefile, and ${why}`,
      { cause },
    )
  }
}

const observers = new WeakMap<Registry, RequestObserver>()

/** One set of client metrics a registry, however many directives and reloads there are. */
const observerOf = (registry: Registry): RequestObserver => {
  let observer = observers.get(registry)
  if (!observer) observers.set(registry, (observer = requestMetrics(registry, 'coredns_kubernetes_rest_client')))
  return observer
}

export const watchCluster =
  (connection: ConnectionSettings, surroundings: Surroundings): ClusterSource =>
  async needs => {
    const { clock, random, registry, logger, version } = surroundings
    const client = new RestClient({
      access: await findAccess(connection, surroundings),
      clock,
      logger,
      userAgent: `seamark-dns/${version}`,
      observer: observerOf(registry),
    })
    return new WatchedCluster(client, needs, { clock, random, registry, logger })
  }

class WatchedCluster implements Cluster {
  readonly services
  readonly namespaces
  readonly endpointSlices
  readonly pods
  readonly serviceImports
  readonly #client: RestClient
  readonly #abort = new AbortController()
  readonly #informers: RunningInformer<unknown>[] = []

  constructor(client: RestClient, needs: ClusterNeeds, options: InformerOptions) {
    this.#client = client
    const labelled = { ...options, ...(needs.labels !== '' && { labelSelector: needs.labels }) }
    const namespaceOptions = {
      ...options,
      ...(needs.namespaceLabels !== '' && { labelSelector: needs.namespaceLabels }),
    }
    this.namespaces = this.#inform(namespaceView, namespaceOptions)
    this.services = this.#inform(serviceView, labelled)
    this.endpointSlices = needs.endpointSlices ? this.#inform(endpointSliceView, labelled) : undefined
    this.pods = needs.pods ? this.#inform(podView, options) : undefined
    this.serviceImports = needs.serviceImports ? this.#inform(serviceImportView, options) : undefined
  }

  start(): void {
    for (const informer of this.#informers) void informer.start(this.#abort.signal)
  }

  async close(): Promise<void> {
    this.#abort.abort()
    await Promise.all(this.#informers.map(informer => informer.close()))
    await this.#client.close()
  }

  problem(): string {
    const late = this.#informers.filter(({ synced }) => !synced)
    return late.map(({ name, problem }) => `${name}: ${problem || 'still listing'}`).join('; ')
  }

  #inform<Object>(view: View<Object>, options: InformerOptions): RunningInformer<Object> {
    const informer = createInformer(this.#client, view, options)
    this.#informers.push(informer as RunningInformer<unknown>)
    return informer
  }
}
