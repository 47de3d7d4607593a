import { join } from 'node:path'
import type { Clock } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import type { ClusterAccess } from './access.ts'
import { tokenFileCredentials } from './credentials/token-file.ts'
import { RereadFile } from './reread-file.ts'

export interface InClusterOptions {
  /** KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are read. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  /** Where the kubelet mounts the service account. Default `/var/run/secrets/kubernetes.io/serviceaccount`. */
  readonly folder?: string
}

/** The way in from a pod: its service account (Kubernetes documentation, "Accessing the API from within a Pod"). */
export const inClusterAccess = async (options: InClusterOptions): Promise<ClusterAccess> => {
  const { environment, clock, folder = '/var/run/secrets/kubernetes.io/serviceaccount' } = options
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = environment
  if (!host || !port) {
    throw new SeamarkError(
      'BAD_KUBECONFIG',
      'not in a pod: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not both set',
    )
  }
  const url = `https://${host.includes(':') ? `[${host}]` : host}:${port}`
  const server = URL.parse(url)
  if (!server) throw new SeamarkError('BAD_KUBECONFIG', `KUBERNETES_SERVICE_HOST and _PORT make no URL: ${url}`)
  const authority = new RereadFile(join(folder, 'ca.crt'), clock)
  const credentials = tokenFileCredentials(join(folder, 'token'), clock)
  await Promise.all([authority.read(), credentials.headers()])
  const namespace = await new RereadFile(join(folder, 'namespace'), clock).read().catch(() => 'default')
  return {
    server,
    namespace: namespace.trim() || 'default',
    authority: () => authority.read(),
    insecure: false,
    serverName: undefined,
    credentials,
  }
}
