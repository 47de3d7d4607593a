import type { Credentials } from './credentials.ts'

/** Where an apiserver is and how to enter: what a kubeconfig's context, or a pod's service account, comes down to. */
export interface ClusterAccess {
  /** `https:` or `http:`; its path is the base of every request's. */
  readonly server: URL
  /** The context's namespace, `default` where it names none. */
  readonly namespace: string
  /** PEM of the authorities that may sign the server's certificate; undefined: the system's. Read again as it changes. */
  authority(): Promise<string | undefined>
  /** Accept any certificate of the server. */
  readonly insecure: boolean
  /** The name (or address) that the server's certificate must carry, where it is not the URL's host. */
  readonly serverName: string | undefined
  readonly credentials: Credentials
}
