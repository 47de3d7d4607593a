/** A REST client of our own for tests, with the rights of DATA/admin.kubeconfig. */
import type { ExecutionContext } from 'ava'
import { kubeconfigAccess } from '#cmd/kubeconfig-access.ts'
import { RestClient } from '#watcher/client.ts'

export const adminClient = async (t: ExecutionContext, kubeconfig: string): Promise<RestClient> => {
  const client = new RestClient({ access: await kubeconfigAccess(kubeconfig) })
  t.teardown(() => client.close())
  return client
}

export const SERVICES = { group: '', version: 'v1', resource: 'services' } as const
export const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' } as const
export const CONFIG_MAPS = { group: '', version: 'v1', resource: 'configmaps' } as const
