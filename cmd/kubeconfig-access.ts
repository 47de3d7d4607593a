import { systemClock } from '#lib/clock.ts'
import type { ClusterAccess } from '#watcher/access.ts'
import { loadKubeconfig } from '#watcher/kubeconfig.ts'

/** The way into a cluster by one kubeconfig file, with this process's environment for its plugins. */
export const kubeconfigAccess = (file: string): Promise<ClusterAccess> =>
  loadKubeconfig({ file, environment: process.env, clock: systemClock })
