/** Names of resources that containers ask for, limits bound and quotas count, with Kubernetes's words for bad ones. */
import { type FieldError, fieldInvalid } from './field-error.ts'
import { checkQualifiedName } from './name.ts'

const COMPUTE = ['cpu', 'memory', 'ephemeral-storage']
const COUNTED = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]
const BOUNDED = COMPUTE.flatMap(name => [`requests.${name}`, `limits.${name}`])

/** Without a domain of its own, what a quota may speak of. */
const QUOTA = new Set([...COMPUTE, ...BOUNDED, 'requests.storage', ...COUNTED])
const STANDARD = new Set([...QUOTA, 'storage'])
const INTEGER = new Set(COUNTED)
const CONTAINER = new Set(COMPUTE)

const HUGE_PAGES = 'hugepages-'
const REQUESTS = 'requests.'

export const isHugePages = (name: string): boolean => name.startsWith(HUGE_PAGES)
const isQuotaHugePages = (name: string): boolean => isHugePages(name) || name.startsWith(REQUESTS + HUGE_PAGES)

/** In Kubernetes's own domain, said or not. */
const isNativeResource = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/')

export const isExtendedResource = (name: string): boolean =>
  !isNativeResource(name) && !name.startsWith(REQUESTS) && checkQualifiedName(REQUESTS + name).length === 0

export const isStandardQuotaResource = (name: string): boolean => QUOTA.has(name) || isQuotaHugePages(name)

/** Whether it comes in whole numbers. */
export const isIntegerResource = (name: string): boolean => INTEGER.has(name) || isExtendedResource(name)

/** Whether more of it may be promised than there is. */
export const mayOvercommit = (name: string): boolean => isNativeResource(name) && !isHugePages(name)

export const validateResourceName = (name: string, field: string): FieldError[] => {
  const complaints = checkQualifiedName(name)
  if (complaints.length > 0) return complaints.map(text => fieldInvalid(field, name, text))
  return name.includes('/') || STANDARD.has(name) || isQuotaHugePages(name)
    ? []
    : [fieldInvalid(field, name, 'must be a standard resource type or fully qualified')]
}

export const validateContainerResourceName = (name: string, field: string): FieldError[] => {
  const errors = validateResourceName(name, field)
  if (!name.includes('/'))
    return CONTAINER.has(name) || isHugePages(name)
      ? errors
      : [...errors, fieldInvalid(field, name, 'must be a standard resource for containers')]
  return isNativeResource(name) || isExtendedResource(name)
    ? errors
    : [...errors, fieldInvalid(field, name, "doesn't follow extended resource name standard")]
}

export const validateQuotaResourceName = (name: string, field: string): FieldError[] => {
  const errors = validateResourceName(name, field)
  return name.includes('/') || isStandardQuotaResource(name)
    ? errors
    : [...errors, fieldInvalid(field, name, 'must be a standard resource for quota')]
}
