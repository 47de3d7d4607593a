/**
 * From a kubeconfig file to a way into a cluster, by kubectl's rules (Kubernetes documentation, "Organizing Cluster
 * Access Using kubeconfig Files"). Whatever is wrong is a SeamarkError BAD_KUBECONFIG that names the file and the field.
 */
import type { Clock } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import type { ClusterAccess } from './access.ts'
import { readCluster } from './kubeconfig/cluster.ts'
import type { Field } from './kubeconfig/field.ts'
import {
  type KubeconfigEntries,
  type KubeconfigText,
  type NamedEntry,
  parseKubeconfig,
  readKubeconfigText,
} from './kubeconfig/file.ts'
import { readUser } from './kubeconfig/user.ts'

export interface KubeconfigOptions {
  readonly file: string
  /** Default: `current-context`. */
  readonly context?: string | undefined
  /** What exec plugins inherit. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
}

export const loadKubeconfig = async (options: KubeconfigOptions): Promise<ClusterAccess> =>
  accessOf(await readKubeconfigText(options.file), options)

/** The same from a text that has been read. */
export const accessOf = async (text: KubeconfigText, options: KubeconfigOptions): Promise<ClusterAccess> => {
  const { file, environment, clock } = options
  const entries = await parseKubeconfig(text)
  const context = chooseContext(entries, options)
  const clusterName = context.field.child('cluster')
  const cluster = entryOf(entries.clusters, clusterName, 'cluster', file)
  const parsedCluster = readCluster(cluster.field, clock)
  const userName = context.field.child('user')
  const user = userName.text() === '' ? undefined : entryOf(entries.users, userName, 'user', file)
  const credentials = readUser(user?.field, { clock, environment, cluster: parsedCluster })
  const namespace = context.field.child('namespace').text() || 'default'
  const { server, authority, insecure, serverName } = parsedCluster
  return { server, namespace, authority, insecure, serverName, credentials }
}

const chooseContext = ({ contexts, currentContext }: KubeconfigEntries, options: KubeconfigOptions): NamedEntry => {
  const { context = currentContext.text(), file } = options
  if (context === '') throw new SeamarkError('BAD_KUBECONFIG', `${file}: current-context: names no context`)
  const entry = contexts.get(context)
  if (entry) return entry
  const place = options.context === undefined ? currentContext.place : file
  const known = [...contexts.keys()].join(', ') || 'none'
  throw new SeamarkError('BAD_KUBECONFIG', `${place}: there is no context "${context}" (there are: ${known})`)
}

const entryOf = (entries: ReadonlyMap<string, NamedEntry>, name: Field, kind: string, file: string): NamedEntry => {
  const entry = entries.get(name.text())
  if (entry) return entry
  throw name.problem(`there is no ${kind} "${name.text()}" in ${file}`)
}
