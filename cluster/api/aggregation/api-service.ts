/** An APIService as TypeScript sees it: who serves a version of a group. */
import type { ApiObject } from '../object.ts'

export interface ServiceReference {
  namespace?: string
  name?: string
  port?: number
}

export interface ApiServiceSpec {
  /** Absent: this server serves it. */
  service?: ServiceReference
  group?: string
  version?: string
  insecureSkipTLSVerify?: boolean
  /** Base64 of PEM. */
  caBundle?: string
  groupPriorityMinimum?: number
  versionPriority?: number
}

export interface ApiServiceCondition {
  type: string
  status: string
  reason: string
  message: string
  lastTransitionTime?: string
}

export const apiServiceSpec = ({ spec }: ApiObject): ApiServiceSpec => (spec ?? {}) as ApiServiceSpec

export const availableCondition = ({ status }: ApiObject): ApiServiceCondition | undefined =>
  ((status ?? {}) as { conditions?: ApiServiceCondition[] }).conditions?.find(({ type }) => type === 'Available')

/** `v1.apps`; `v1.` for the core. */
export const apiServiceName = ({ group = '', version = '' }: { group?: string; version?: string }): string =>
  `${version}.${group}`
