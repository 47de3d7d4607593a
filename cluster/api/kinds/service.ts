/** Service: a name, and an address or a set of addresses, for something that answers. */
import { ageColumn, column, labelsText, wideColumn } from '../column.ts'
import type { Kind } from '../kind.ts'
import { checkDnsLabel } from '../name.ts'
import type { ApiObject } from '../object.ts'
import { applyServiceDefaults } from '../service/defaults.ts'
import { prepareServiceForCreate, prepareServiceForUpdate } from '../service/prepare.ts'
import type { Service } from '../service/service.ts'
import {
  serviceWarnings,
  validateService,
  validateServiceStatus,
  validateServiceUpdate,
} from '../service/validation.ts'

const specOf = (object: ApiObject): Service['spec'] => (object as Service).spec ?? {}

const loadBalancerText = (object: ApiObject): string =>
  ((object as Service).status?.loadBalancer?.ingress ?? [])
    .map(({ ip, hostname }) => ip || hostname || '')
    .filter(text => text !== '')
    .join(',')

const externalText = (object: ApiObject): string => {
  const { type, externalIPs = [], externalName = '' } = specOf(object)
  switch (type) {
    case 'ClusterIP':
    case 'NodePort':
      return externalIPs.join(',') || '<none>'
    case 'LoadBalancer':
      return [loadBalancerText(object), ...externalIPs].filter(text => text !== '').join(',') || '<pending>'
    case 'ExternalName':
      return externalName
    default:
      return '<unknown>'
  }
}

const portsText = (object: ApiObject): string =>
  (specOf(object).ports ?? [])
    .map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ''}/${protocol}`)
    .join(',') || '<none>'

export const serviceKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'Service',
  resource: 'services',
  singular: 'service',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  type: 'core/v1.Service',
  hasStatus: true,
  countsGenerations: false,
  createOnUpdate: true,
  deleteReturnsObject: true,
  // KEP-5311: any label, a digit first included, as every other name that becomes part of a DNS name.
  validateName: checkDnsLabel,
  applyDefaults: applyServiceDefaults,
  prepareForCreate: prepareServiceForCreate,
  prepareForUpdate: prepareServiceForUpdate,
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  validateStatusUpdate: validateServiceStatus,
  warnings: serviceWarnings,
  selectableFields: object => ({
    'spec.clusterIP': specOf(object).clusterIP ?? '',
    'spec.type': specOf(object).type ?? '',
  }),
  selectableFieldNames: ['spec.clusterIP', 'spec.type'],
  columns: [
    column('Type', 'How the service is reached.', object => specOf(object).type ?? ''),
    column('Cluster-IP', 'Address inside the cluster.', object => specOf(object).clusterIPs?.[0] ?? '<none>'),
    column('External-IP', 'Addresses or name outside the cluster.', externalText),
    column('Port(s)', 'PORT[:NODEPORT]/PROTOCOL.', portsText),
    ageColumn,
    wideColumn('Selector', 'Labels of the pods that answer.', object => labelsText(specOf(object).selector)),
  ],
}
