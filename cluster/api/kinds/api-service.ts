/** APIService: a version of a group, and the server that serves it. */
import { type ApiServiceSpec, apiServiceName, apiServiceSpec, availableCondition } from '../aggregation/api-service.ts'
import { ageColumn, column } from '../column.ts'
import { complain, type FieldError, fieldInvalid, fieldRequired } from '../field-error.ts'
import type { Kind } from '../kind.ts'
import { checkDns1035Label, checkDnsSubdomain, checkPathSegment, checkPort } from '../name.ts'
import type { ApiObject } from '../object.ts'

const DEFAULT_PORT = 443
const MAX_GROUP_PRIORITY = 20_000
const MAX_VERSION_PRIORITY = 1000

/** What the apiserver says of the versions that it serves itself. */
const LOCAL = {
  type: 'Available',
  status: 'True',
  reason: 'Local',
  message: 'Local APIServices are always available',
} as const

const validatePriority = (field: string, value: number, most: number): FieldError[] =>
  value > 0 && value <= most ? [] : [fieldInvalid(field, value, `must be positive and less than ${most}`)]

const validateService = ({ service, caBundle = '', insecureSkipTLSVerify: insecure }: ApiServiceSpec): FieldError[] => {
  if (!service) {
    const size = `${Buffer.from(caBundle, 'base64').length} bytes`
    return [
      ...(caBundle === '' ? [] : [fieldInvalid('spec.caBundle', size, 'local APIServices may not have a caBundle')]),
      ...(insecure
        ? [fieldInvalid('spec.insecureSkipTLSVerify', true, 'local APIServices may not have insecureSkipTLSVerify')]
        : []),
    ]
  }
  const { namespace = '', name = '', port } = service
  const errors: FieldError[] = []
  if (namespace === '') errors.push(fieldRequired('spec.service.namespace'))
  if (name === '') errors.push(fieldRequired('spec.service.name'))
  for (const problem of checkPort(port))
    errors.push(fieldInvalid('spec.service.port', port, `port is not valid: ${problem}`))
  if (insecure && caBundle !== '')
    errors.push(fieldInvalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'))
  return errors
}

const validate = (object: ApiObject): FieldError[] => {
  const spec = apiServiceSpec(object)
  const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0 } = spec
  const { name = '' } = object.metadata
  const wanted = apiServiceName(spec)
  const errors: FieldError[] = []
  if (name !== wanted) {
    const detail = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`
    errors.push(fieldInvalid('metadata.name', name, detail))
  }
  if (group !== '') errors.push(...complain('spec.group', group, checkDnsSubdomain(group)))
  else if (version !== 'v1')
    errors.push(fieldRequired('spec.group', 'only v1 may have an empty group and it better be legacy kube'))
  return [
    ...errors,
    ...complain('spec.version', version, checkDns1035Label(version)),
    ...validatePriority('spec.groupPriorityMinimum', groupPriorityMinimum, MAX_GROUP_PRIORITY),
    ...validatePriority('spec.versionPriority', versionPriority, MAX_VERSION_PRIORITY),
    ...validateService(spec),
  ]
}

const serviceText = (object: ApiObject): string => {
  const { service } = apiServiceSpec(object)
  return service ? `${service.namespace ?? ''}/${service.name ?? ''}` : 'Local'
}

const availableText = (object: ApiObject): string => {
  const condition = availableCondition(object)
  if (!condition) return 'Unknown'
  return condition.status === 'True' ? 'True' : `${condition.status} (${condition.reason})`
}

export const apiServiceKind: Kind = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  resource: 'apiservices',
  singular: 'apiservice',
  shortNames: [],
  categories: ['api-extensions'],
  namespaced: false,
  type: 'apiregistration.k8s.io/v1.APIService',
  hasStatus: true,
  statusResets: ['metadata'],
  countsGenerations: false,
  takesAnyFinalizer: true,
  validateName: checkPathSegment,
  applyDefaults(object) {
    const { service } = apiServiceSpec(object)
    if (service) service.port ??= DEFAULT_PORT
  },
  prepareForCreate(object) {
    const { creationTimestamp } = object.metadata
    const since = creationTimestamp === undefined ? {} : { lastTransitionTime: creationTimestamp }
    object.status = apiServiceSpec(object).service ? {} : { conditions: [{ ...LOCAL, ...since }] }
  },
  validate,
  columns: [
    column('Service', 'Who serves it.', serviceText),
    column('Available', 'Whether it is served now.', availableText),
    ageColumn,
  ],
}
