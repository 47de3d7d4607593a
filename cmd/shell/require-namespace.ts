import { SeamarkError } from '#lib/errors.ts'
import { ApiStatusError } from '#watcher/api-status-error.ts'
import { RestClient } from '#watcher/client.ts'
import { kubeconfigAccess } from '../kubeconfig-access.ts'

const NAMESPACES = { group: '', version: 'v1', resource: 'namespaces' } as const
/** A cluster on this machine answers in milliseconds, or not at all. */
const TIMEOUT_MS = 3000

/** A pod cannot be in a namespace that does not exist: its search path would find nothing, and not say why. */
export const requireNamespace = async (kubeconfig: string, namespace: string): Promise<void> => {
  const client = new RestClient({ access: await kubeconfigAccess(kubeconfig), timeout: TIMEOUT_MS })
  try {
    await client.get(NAMESPACES, { name: namespace })
  } catch (cause) {
    if (cause instanceof ApiStatusError) {
      if (cause.code === 404)
        throw new SeamarkError('NAMESPACE_UNKNOWN', `there is no namespace "${namespace}"`, { cause })
      throw new SeamarkError('API_REFUSED', cause.message, { cause })
    }
    throw new SeamarkError('API_UNREACHABLE', "the cluster does not answer: start it with 'seamark up'", { cause })
  } finally {
    await client.close()
  }
}
