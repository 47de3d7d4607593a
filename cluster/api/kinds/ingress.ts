/** Ingress: which Services are reached from outside, by host and path. */
import { ageColumn, column, orNone } from '../column.ts'
import { ingressAddresses, ingressSpec } from '../ingress/ingress.ts'
import { validateIngress, validateIngressClassSaidOnce, validateIngressStatus } from '../ingress/validation.ts'
import type { Kind } from '../kind.ts'
import type { ApiObject } from '../object.ts'

const SHOWN_HOSTS = 3

const hostsText = (object: ApiObject): string => {
  const hosts = (ingressSpec(object).rules ?? []).flatMap(({ host }) => host || [])
  if (hosts.length === 0) return '*'
  const shown = hosts.slice(0, SHOWN_HOSTS).join(',')
  return hosts.length > SHOWN_HOSTS ? `${shown} + ${hosts.length - SHOWN_HOSTS} more...` : shown
}

const addressText = (object: ApiObject): string =>
  [...new Set(ingressAddresses(object).flatMap(({ ip, hostname }) => ip || hostname || []))].sort().join(',')

export const ingressKind: Kind = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  resource: 'ingresses',
  singular: 'ingress',
  shortNames: ['ing'],
  categories: [],
  namespaced: true,
  type: 'networking.k8s.io/v1.Ingress',
  hasStatus: true,
  countsGenerations: true,
  prepareForCreate(object) {
    object.status = { loadBalancer: {} }
  },
  validate: validateIngress,
  validateCreate: validateIngressClassSaidOnce,
  validateStatusUpdate: validateIngressStatus,
  columns: [
    column('Class', 'Class that serves it.', object => orNone(ingressSpec(object).ingressClassName)),
    column('Hosts', 'Hosts that it is for.', hostsText),
    column('Address', 'Where it is reached.', addressText),
    column('Ports', 'Ports that it listens on.', object => (ingressSpec(object).tls?.length ? '80, 443' : '80')),
    ageColumn,
  ],
}
