/** An Ingress as TypeScript sees it. */
import type { ApiObject } from '../object.ts'

export interface ResourceReference {
  apiGroup?: string
  kind?: string
  name?: string
}

export interface IngressBackend {
  service?: { name?: string; port?: { name?: string; number?: number } }
  resource?: ResourceReference
}

export interface IngressPath {
  path?: string
  pathType?: string
  backend?: IngressBackend
}

export interface IngressRule {
  host?: string
  http?: { paths?: IngressPath[] }
}

export interface IngressSpec {
  ingressClassName?: string
  defaultBackend?: IngressBackend
  tls?: { hosts?: string[]; secretName?: string }[]
  rules?: IngressRule[]
}

export interface IngressAddress {
  ip?: string
  hostname?: string
}

export const ingressSpec = ({ spec }: ApiObject): IngressSpec => (spec ?? {}) as IngressSpec

export const ingressAddresses = ({ status }: ApiObject): readonly IngressAddress[] =>
  (status as { loadBalancer?: { ingress?: IngressAddress[] } } | undefined)?.loadBalancer?.ingress ?? []
