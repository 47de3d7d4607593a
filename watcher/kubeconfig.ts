/**
 * From kubeconfig files to a way into a cluster, by kubectl's rules (Kubernetes documentation, "Organizing Cluster
 * Access Using kubeconfig Files"). Whatever is wrong is a SeamarkError BAD_KUBECONFIG that names the file and the field.
 */
import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import type { ClusterAccess } from './access.ts'
import { readCluster } from './kubeconfig/cluster.ts'
import type { Field } from './kubeconfig/field.ts'
import {
  type KubeconfigText,
  type MergedKubeconfig,
  mergeKubeconfigs,
  type NamedEntry,
  parseKubeconfigs,
  readKubeconfigTexts,
} from './kubeconfig/files.ts'
import { readUser } from './kubeconfig/user.ts'

export interface KubeconfigOptions {
  /** In order of precedence: the first file that says something wins. */
  readonly files: readonly string[]
  /** Skip files that are not there, as for a `KUBECONFIG` list. Default: a missing file is an error. */
  readonly missingAllowed?: boolean
  /** Default: `current-context`. */
  readonly context?: string | undefined
  /** What exec plugins inherit. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
}

/**
 * Which files kubectl would read: the flag's alone; else those of `KUBECONFIG`; else `~/.kube/config`. The answer's
 * second part says whether they may be missing.
 */
export const kubeconfigFiles = (
  flag: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Pick<KubeconfigOptions, 'files' | 'missingAllowed'> => {
  if (flag) return { files: [flag], missingAllowed: false }
  const list = (environment.KUBECONFIG ?? '').split(':').filter(path => path !== '')
  if (list.length > 0) return { files: list, missingAllowed: true }
  return { files: [join(environment.HOME ?? '/', '.kube', 'config')], missingAllowed: false }
}

export const loadKubeconfig = async (options: KubeconfigOptions): Promise<ClusterAccess> =>
  accessOf(await readKubeconfigTexts(options.files, options.missingAllowed), options)

/** The same from texts that have been read. */
export const accessOf = async (
  texts: readonly KubeconfigText[],
  options: KubeconfigOptions,
): Promise<ClusterAccess> => {
  const { files, environment, clock } = options
  const merged = mergeKubeconfigs(await parseKubeconfigs(texts))
  const context = chooseContext(merged, options)
  const clusterName = context.field.child('cluster')
  const cluster = entryOf(merged.clusters, clusterName, 'cluster', files)
  const parsedCluster = readCluster(cluster.field, clock)
  const userName = context.field.child('user')
  const user = userName.text() === '' ? undefined : entryOf(merged.users, userName, 'user', files)
  const credentials = readUser(user?.field, { clock, environment, cluster: parsedCluster })
  const namespace = context.field.child('namespace').text() || 'default'
  const { server, authority, insecure, serverName } = parsedCluster
  return { server, namespace, authority, insecure, serverName, credentials }
}

const chooseContext = (merged: MergedKubeconfig, { context, files }: KubeconfigOptions): NamedEntry => {
  const name = context ?? merged.currentContext?.text() ?? ''
  if (name === '') {
    throw new SeamarkError('BAD_KUBECONFIG', `${files.join(', ')}: current-context: names no context`)
  }
  const entry = merged.contexts.get(name)
  if (entry) return entry
  const place = context === undefined ? merged.currentContext?.place : files.join(', ')
  const known = [...merged.contexts.keys()].join(', ') || 'none'
  throw new SeamarkError('BAD_KUBECONFIG', `${place}: there is no context "${name}" (there are: ${known})`)
}

const entryOf = (
  entries: ReadonlyMap<string, NamedEntry>,
  name: Field,
  kind: string,
  files: readonly string[],
): NamedEntry => {
  const entry = entries.get(name.text())
  if (entry) return entry
  throw name.problem(`there is no ${kind} "${name.text()}" in ${files.join(', ')}`)
}
