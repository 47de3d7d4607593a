/** Namespace: its name is the root of every other name in it, so it is a single label. */
import { ageColumn, column } from '../column.ts'
import type { Kind } from '../kind.ts'
import { checkDnsLabel } from '../name.ts'
import type { ApiObject } from '../object.ts'
import { isObject } from '../own-property.ts'

/** KEP-2161: every namespace is selectable by its name. */
const NAME_LABEL = 'kubernetes.io/metadata.name'

const phaseOf = (namespace: ApiObject): string => {
  const phase = isObject(namespace.status) ? namespace.status.phase : undefined
  return typeof phase === 'string' ? phase : ''
}

const applyDefaults = (namespace: ApiObject): void => {
  const { metadata } = namespace
  if (metadata.name) metadata.labels = { ...metadata.labels, [NAME_LABEL]: metadata.name }
}

const finalizersOf = ({ spec }: ApiObject): unknown[] =>
  isObject(spec) && Array.isArray(spec.finalizers) ? spec.finalizers : []

const prepareForCreate = (namespace: ApiObject): void => {
  // Deletion waits until the namespace is empty; the namespace controller takes this finalizer away then.
  const finalizers = finalizersOf(namespace)
  namespace.spec = { finalizers: finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes'] }
  namespace.status = { phase: 'Active' }
}

const prepareForUpdate = (next: ApiObject, current: ApiObject): void => {
  // Only /finalize changes spec.finalizers.
  next.spec = current.spec
}

export const namespaceKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  resource: 'namespaces',
  singular: 'namespace',
  shortNames: ['ns'],
  categories: [],
  namespaced: false,
  type: 'core/v1.Namespace',
  hasStatus: true,
  countsGenerations: false,
  marksDeletionByTime: true,
  validateName: checkDnsLabel,
  applyDefaults,
  prepareForCreate,
  prepareForUpdate,
  hasFinalize: true,
  isHeld: namespace => finalizersOf(namespace).length > 0,
  prepareForDelete(namespace) {
    namespace.status = { ...(isObject(namespace.status) ? namespace.status : {}), phase: 'Terminating' }
  },
  selectableFields: namespace => ({ 'status.phase': phaseOf(namespace) }),
  selectableFieldNames: ['status.phase'],
  columns: [column('Status', 'The lifecycle phase of the namespace.', phaseOf), ageColumn],
}
