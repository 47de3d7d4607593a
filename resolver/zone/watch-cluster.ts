/** The cluster by a real apiserver: how to get in, and one watch for all who want the same. */
import { createHash } from 'node:crypto'
import { join, resolve } from 'node:path'
import { SeamarkError } from '#lib/errors.ts'
import type { Registry } from '#lib/metrics.ts'
import type { ClusterAccess } from '#watcher/access.ts'
import { RestClient } from '#watcher/client.ts'
import { endpointAccess } from '#watcher/endpoint.ts'
import { inClusterAccess } from '#watcher/in-cluster.ts'
import { loadKnownKubeconfig } from '#watcher/known-kubeconfig.ts'
import { type KubeconfigOptions, loadKubeconfig } from '#watcher/kubeconfig.ts'
import { type RequestObserver, requestMetrics } from '#watcher/request-observer.ts'
import type { Environment } from '../plugin.ts'
import type { Cluster, ClusterNeeds, ClusterSource } from './cluster-source.ts'
import { type SnapshotPlace, WatchedCluster } from './watched-cluster.ts'

/** What a directive says about the way in; all undefined: the pod's own service account. */
export interface ConnectionSettings {
  readonly kubeconfig: { readonly file: string; readonly context: string | undefined } | undefined
  readonly endpoint: URL | undefined
  /** File names, relative to the Corefile's folder. */
  readonly tls: { readonly certificate: string; readonly key: string; readonly authority: string } | undefined
}

type Surroundings = Pick<
  Environment,
  | 'clock'
  | 'inputs'
  | 'random'
  | 'logger'
  | 'registry'
  | 'variables'
  | 'folder'
  | 'overrides'
  | 'version'
  | 'stateFolder'
  | 'answering'
>

/** The flag beats the directive; a directive that says nothing means the pod that this runs in. */
const findAccess = async (connection: ConnectionSettings, surroundings: Surroundings): Promise<ClusterAccess> => {
  const { clock, variables: environment, folder, overrides, stateFolder, version } = surroundings
  const load = (options: KubeconfigOptions) =>
    stateFolder === undefined
      ? loadKubeconfig(options)
      : loadKnownKubeconfig({ ...options, folder: stateFolder, version })
  const { kubeconfig, endpoint, tls } = connection
  if (overrides.kubeconfig) return load({ file: overrides.kubeconfig, environment, clock })
  if (kubeconfig) {
    const file = resolve(folder, kubeconfig.file)
    return load({ file, context: kubeconfig.context, environment, clock })
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

/** A cluster that several directives watch in the same way, an old configuration and the one that takes its place too. */
interface SharedCluster {
  readonly cluster: Promise<Cluster>
  /** The last one to close ends it. */
  users: number
}

const shared = new WeakMap<Registry, Map<string, SharedCluster>>()

/** One watch for all who ask the same of the same apiserver, however many directives and reloads there are. */
export const watchCluster =
  (connection: ConnectionSettings, surroundings: Surroundings): ClusterSource =>
  async needs => {
    const { registry, folder, overrides } = surroundings
    let clusters = shared.get(registry)
    if (!clusters) shared.set(registry, (clusters = new Map()))
    const key = JSON.stringify([connection, folder, overrides.kubeconfig, needs])
    const known = clusters.get(key)
    const entry = known ?? { cluster: connect(connection, surroundings, needs), users: 0 }
    clusters.set(key, entry)
    entry.users++
    const leave = () => {
      if (--entry.users > 0) return false
      if (clusters.get(key) === entry) clusters.delete(key)
      return true
    }
    try {
      return shareOf(await entry.cluster, leave)
    } catch (error) {
      leave()
      throw error
    }
  }

/** `leave` says whether nobody else is left. */
const shareOf = (cluster: Cluster, leave: () => boolean): Cluster => {
  let left = false
  const { services, namespaces, endpointSlices, pods, serviceImports } = cluster
  return {
    ...{ services, namespaces, endpointSlices, pods, serviceImports },
    start: () => cluster.start(),
    problem: () => cluster.problem(),
    age: () => cluster.age(),
    revisions: () => cluster.revisions(),
    async close() {
      if (left) return
      left = true
      if (leave()) await cluster.close()
    },
  }
}

const connect = async (
  connection: ConnectionSettings,
  surroundings: Surroundings,
  needs: ClusterNeeds,
): Promise<Cluster> => {
  const { clock, inputs, random, registry, logger, version, stateFolder, answering } = surroundings
  const access = await findAccess(connection, surroundings)
  const userAgent = `seamark-dns/${version}`
  const client = new RestClient({ access, clock, inputs, logger, userAgent, observer: observerOf(registry) })
  const place = stateFolder === undefined ? undefined : snapshotPlace(stateFolder, access.server, needs)
  return new WatchedCluster(client, needs, { clock, random, registry, logger, answering }, place)
}

/** A file for each source, so that directives for two clusters, or with other selectors, do not take turns in one. */
const snapshotPlace = (folder: string, server: URL, needs: ClusterNeeds): SnapshotPlace => {
  const source = JSON.stringify({ server: server.href, ...needs })
  const hash = createHash('sha256').update(source).digest('hex').slice(0, 16)
  return { file: join(folder, `cluster-${hash}.snapshot`), source }
}
