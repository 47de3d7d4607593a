import type { Clock } from '#lib/clock.ts'
import type { ClusterAccess } from './access.ts'
import { clientCertificate } from './credentials/client-certificate.ts'
import { anonymous } from './credentials.ts'
import { RereadFile } from './reread-file.ts'

export interface EndpointOptions {
  readonly server: URL
  readonly clock: Clock
  /** Files, read again as they change. */
  readonly certificate?: string
  readonly key?: string
  readonly authority?: string
}

/** The way in by a plain URL and, where it asks for them, certificate files: no kubeconfig at all. */
export const endpointAccess = ({ server, clock, certificate, key, authority }: EndpointOptions): ClusterAccess => {
  const file = authority === undefined ? undefined : new RereadFile(authority, clock)
  return {
    server,
    namespace: 'default',
    authority: async () => file?.read(),
    insecure: false,
    serverName: undefined,
    credentials:
      certificate === undefined || key === undefined
        ? anonymous
        : clientCertificate(new RereadFile(certificate, clock), new RereadFile(key, clock)),
  }
}
