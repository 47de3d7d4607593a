/** The rules for a Service's addresses and families (KEP-563), on their own and from one version to the next. */
import { type FieldError, fieldDuplicate, fieldInvalid, fieldNotSupported } from '../field-error.ts'
import { familyOf, validateIp } from '../ip.ts'
import type { ServiceSpec } from './service.ts'

const FAMILIES = ['IPv4', 'IPv6']
const POLICIES = ['PreferDualStack', 'RequireDualStack', 'SingleStack']
const NONE = 'None'

const validateFamilies = ({ ipFamilies = [], ipFamilyPolicy }: ServiceSpec): FieldError[] => {
  const errors: FieldError[] = []
  ipFamilies.forEach((family, index) => {
    const field = `spec.ipFamilies[${index}]`
    if (!FAMILIES.includes(family)) errors.push(fieldNotSupported(field, family, FAMILIES))
    else if (ipFamilies.indexOf(family) < index) errors.push(fieldDuplicate(field, family))
  })
  if (ipFamilyPolicy !== undefined && !POLICIES.includes(ipFamilyPolicy)) {
    errors.push(fieldNotSupported('spec.ipFamilyPolicy', ipFamilyPolicy, POLICIES))
  }
  return errors
}

const validateEach = (clusterIPs: readonly string[]): FieldError[] => {
  if (clusterIPs.includes(NONE)) {
    return clusterIPs.length > 1 || clusterIPs[0] !== NONE
      ? [fieldInvalid('spec.clusterIPs', clusterIPs, "'None' must be the first and only value")]
      : []
  }
  return clusterIPs.flatMap((address, index) => validateIp(`spec.clusterIPs[${index}]`, address))
}

const validateTogether = ({ clusterIPs = [], ipFamilies = [] }: ServiceSpec): FieldError[] => {
  const errors: FieldError[] = []
  if (clusterIPs.length > 2) errors.push(fieldInvalid('spec.clusterIPs', clusterIPs, 'may only hold up to 2 values'))
  const families = clusterIPs.map(familyOf)
  if (new Set(families).size < Math.min(families.length, 2)) {
    errors.push(fieldInvalid('spec.clusterIPs', clusterIPs, 'may specify no more than one IP for each IP family'))
  }
  clusterIPs.forEach((address, index) => {
    const family = ipFamilies[index]
    if (family === undefined || familyOf(address) === family) return
    const detail = `expected an ${family} value as indicated by \`ipFamilies[${index}]\``
    errors.push(fieldInvalid(`spec.clusterIPs[${index}]`, address, detail))
  })
  return errors
}

const validateAlignment = ({ clusterIP = '', clusterIPs = [] }: ServiceSpec): FieldError[] => {
  if (clusterIPs.length === 0) return []
  if (clusterIP === '') {
    return [fieldInvalid('spec.clusterIPs', clusterIPs, 'must be empty when `clusterIP` is not specified')]
  }
  if (clusterIPs[0] === clusterIP) return []
  return [fieldInvalid('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`')]
}

/** For a type that has addresses; ExternalName may have none of these fields. */
export const validateAddresses = (spec: ServiceSpec): FieldError[] => {
  const each = validateEach(spec.clusterIPs ?? [])
  const isHeadless = spec.clusterIPs?.[0] === NONE
  return [
    ...validateAlignment(spec),
    ...validateFamilies(spec),
    ...each,
    ...(each.length === 0 && !isHeadless ? validateTogether(spec) : []),
  ]
}

interface Kept {
  readonly field: 'clusterIPs' | 'ipFamilies'
  /** What Kubernetes calls one of them. */
  readonly name: 'clusterIP' | 'ipFamily'
}

const KEPT: readonly Kept[] = [
  { field: 'clusterIPs', name: 'clusterIP' },
  { field: 'ipFamilies', name: 'ipFamily' },
]

/** The first stays as long as the Service has addresses; the second may come and go, but not change. */
export const validateAddressesUpdate = (next: ServiceSpec, current: ServiceSpec): FieldError[] => {
  if (next.type === 'ExternalName' || current.type === 'ExternalName') return []
  return KEPT.flatMap(({ field, name }) => {
    const [now, before] = [next[field] ?? [], current[field] ?? []]
    if (before.length === 0) return []
    if (now.length === 0) return [fieldInvalid(`spec.${field}[0]`, now, `primary ${name} can not be unset`)]
    const errors: FieldError[] = []
    if (now[0] !== before[0]) errors.push(fieldInvalid(`spec.${field}[0]`, now, 'may not change once set'))
    if (now[1] !== undefined && before[1] !== undefined && now[1] !== before[1]) {
      errors.push(fieldInvalid(`spec.${field}[1]`, now, 'may not change once set'))
    }
    return errors
  })
}
