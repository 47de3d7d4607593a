/** A CertificateSigningRequest as TypeScript sees it, and the signers that Kubernetes itself is. */
import type { ApiObject } from '../object.ts'

export interface RequestCondition {
  type?: string
  status?: string
  reason?: string
  message?: string
  lastUpdateTime?: string
  lastTransitionTime?: string
}

export interface RequestSpec {
  /** Base64 of PEM. */
  request?: string
  signerName?: string
  /** Of the certificate. */
  expirationSeconds?: number
  usages?: string[]
  username?: string
  uid?: string
  groups?: string[]
  extra?: Record<string, string[]>
}

export interface RequestStatus {
  conditions?: RequestCondition[]
  /** Base64 of PEM. */
  certificate?: string
}

export const KUBE_APISERVER_CLIENT = 'kubernetes.io/kube-apiserver-client'
export const KUBE_APISERVER_CLIENT_KUBELET = 'kubernetes.io/kube-apiserver-client-kubelet'
export const KUBELET_SERVING = 'kubernetes.io/kubelet-serving'
export const LEGACY_UNKNOWN = 'kubernetes.io/legacy-unknown'

export const requestSpec = ({ spec }: ApiObject): RequestSpec => (spec ?? {}) as RequestSpec
export const requestStatus = ({ status }: ApiObject): RequestStatus => (status ?? {}) as RequestStatus

/** What people and their programs decide; it is written through `/approval`. */
export const VERDICTS: readonly string[] = ['Approved', 'Denied']

export const hasCondition = (object: ApiObject, type: string): boolean =>
  (requestStatus(object).conditions ?? []).some(condition => condition.type === type)

/** The PEM that the base64 text stands for. */
export const decodePem = (base64 = ''): string => Buffer.from(base64, 'base64').toString()
