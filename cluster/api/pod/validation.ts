/** The rules for a Pod as a whole. Containers, probes and volumes have files of their own. */
import {
  complain,
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotFound,
  fieldRequired,
  fieldTooMany,
} from '../field-error.ts'
import { validateIp } from '../ip.ts'
import { checkDnsLabel, checkDnsSubdomain, checkLabelValue, checkQualifiedName } from '../name.ts'
import type { ApiObject } from '../object.ts'
import {
  validateContainer,
  validateEphemeral,
  validateInitial,
  validateResources,
  validateRunning,
} from './container-validation.ts'
import type { Container, Pod, PodSpec, Toleration } from './pod.ts'
import { validateVolumes } from './volume-validation.ts'

/** What glibc took when the limits were set (KEP-2595 for the search list). */
const MAX_NAMESERVERS = 3
const MAX_SEARCHES = 32
const MAX_SEARCH_CHARACTERS = 2048

const validateHostPorts = ({ containers = [], hostNetwork }: PodSpec): FieldError[] => {
  const errors: FieldError[] = []
  const taken = new Set<string>()
  containers.forEach(({ ports = [] }, container) => {
    ports.forEach(({ hostPort, hostIP = '', protocol, containerPort }, index) => {
      const field = `spec.containers[${container}].ports[${index}]`
      if (hostNetwork && hostPort !== undefined && hostPort !== containerPort) {
        const detail = 'must match `hostPort` when `hostNetwork` is true'
        errors.push(fieldInvalid(`${field}.containerPort`, containerPort, detail))
      }
      if (!hostPort) return
      const identity = `${protocol}/${hostIP}/${hostPort}`
      if (taken.has(identity)) errors.push(fieldDuplicate(`${field}.hostPort`, identity))
      taken.add(identity)
    })
  })
  return errors
}

const validateTarget = ({ targetContainerName: target }: Container, field: string, names: Set<string>): FieldError[] =>
  target && !names.has(target) ? [fieldNotFound(`${field}.targetContainerName`, target)] : []

const validateContainers = (spec: PodSpec): FieldError[] => {
  const { containers = [], initContainers = [] } = spec
  if (containers.length === 0) return [fieldRequired('spec.containers')]
  const volumes = new Set((spec.volumes ?? []).map(({ name = '' }) => name))
  const names = new Set<string>()
  const each = (list: readonly Container[], at: string, rest: (container: Container, field: string) => FieldError[]) =>
    list.flatMap((container, index) => {
      const field = `${at}[${index}]`
      return [...validateContainer(container, field, { names, volumes }), ...rest(container, field)]
    })
  return [
    ...each(containers, 'spec.containers', validateRunning),
    ...each(initContainers, 'spec.initContainers', validateInitial),
    ...each(spec.ephemeralContainers ?? [], 'spec.ephemeralContainers', (container, field) => [
      ...validateEphemeral(container, field),
      ...validateTarget(container, field, names),
    ]),
    ...validateHostPorts(spec),
  ]
}

const validateDns = ({ dnsPolicy, dnsConfig = {} }: PodSpec): FieldError[] => {
  const { nameservers = [], searches = [], options = [] } = dnsConfig
  const field = 'spec.dnsConfig'
  const errors: FieldError[] = []
  if (dnsPolicy === 'None' && nameservers.length === 0) {
    const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None'
    errors.push(fieldRequired(`${field}.nameservers`, detail))
  }
  if (nameservers.length > MAX_NAMESERVERS) {
    const detail = `must not have more than ${MAX_NAMESERVERS} nameservers`
    errors.push(fieldInvalid(`${field}.nameservers`, nameservers, detail))
  }
  nameservers.forEach((address, index) => void errors.push(...validateIp(`${field}.nameservers[${index}]`, address)))
  if (searches.length > MAX_SEARCHES) {
    errors.push(fieldInvalid(`${field}.searches`, searches, `must not have more than ${MAX_SEARCHES} search paths`))
  }
  if (searches.join(' ').length > MAX_SEARCH_CHARACTERS) {
    const detail = `must not have more than ${MAX_SEARCH_CHARACTERS} characters (including spaces) in the search list`
    errors.push(fieldInvalid(`${field}.searches`, searches, detail))
  }
  searches.forEach((search, index) => {
    // A single dot is a search path since Kubernetes 1.33; so are names with underscores (KEP-4427).
    if (search === '.') return
    const name = search.replace(/\.$/, '').replaceAll('_', 'a')
    errors.push(...complain(`${field}.searches[${index}]`, search, checkDnsSubdomain(name)))
  })
  options.forEach(({ name = '' }, index) => {
    if (name === '') errors.push(fieldRequired(`${field}.options[${index}]`, 'must not be empty'))
  })
  return errors
}

const validateToleration = (toleration: Toleration, field: string): FieldError[] => {
  const { key = '', operator = '', value = '', effect = '', tolerationSeconds } = toleration
  const errors = key === '' ? [] : complain(`${field}.key`, key, checkQualifiedName(key))
  if (key === '' && operator !== 'Exists') {
    const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
    errors.push(fieldInvalid(`${field}.operator`, operator, detail))
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    errors.push(fieldInvalid(`${field}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
  }
  if (operator === 'Exists' && value !== '') {
    errors.push(fieldInvalid(`${field}.operator`, value, "value must be empty when `operator` is 'Exists'"))
  } else if (operator !== 'Exists') {
    errors.push(...complain(`${field}.operator`, value, checkLabelValue(value)))
  }
  return errors
}

const validateNames = (spec: PodSpec): FieldError[] => {
  const { hostname = '', subdomain = '', serviceAccountName = '', nodeName = '', nodeSelector = {} } = spec
  const check = (field: string, value: string, complaints: (value: string) => readonly string[]) =>
    value === '' ? [] : complain(`spec.${field}`, value, complaints(value))
  return [
    ...check('hostname', hostname, checkDnsLabel),
    ...check('subdomain', subdomain, checkDnsLabel),
    ...check('serviceAccountName', serviceAccountName, checkDnsSubdomain),
    ...check('nodeName', nodeName, checkDnsSubdomain),
    ...Object.entries(nodeSelector).flatMap(([key, value]) => [
      ...complain('spec.nodeSelector', key, checkQualifiedName(key)),
      ...complain('spec.nodeSelector', value, checkLabelValue(value)),
    ]),
  ]
}

const validateTimes = ({ activeDeadlineSeconds, terminationGracePeriodSeconds = 0 }: PodSpec): FieldError[] => {
  const errors: FieldError[] = []
  const max = 2 ** 31 - 1
  if (activeDeadlineSeconds !== undefined && (activeDeadlineSeconds < 1 || activeDeadlineSeconds > max)) {
    const detail = `must be between 1 and ${max}, inclusive`
    errors.push(fieldInvalid('spec.activeDeadlineSeconds', activeDeadlineSeconds, detail))
  }
  if (terminationGracePeriodSeconds < 0) {
    const detail = 'must be greater than or equal to 0'
    errors.push(fieldInvalid('spec.terminationGracePeriodSeconds', terminationGracePeriodSeconds, detail))
  }
  return errors
}

const validateGates = ({ readinessGates = [], schedulingGates = [] }: PodSpec): FieldError[] => {
  const errors = readinessGates.flatMap(({ conditionType = '' }, index) =>
    complain(`spec.readinessGates[${index}].conditionType`, conditionType, checkQualifiedName(conditionType)),
  )
  const names = new Set<string>()
  schedulingGates.forEach(({ name = '' }, index) => {
    const field = `spec.schedulingGates[${index}]`
    errors.push(...complain(field, name, checkQualifiedName(name)))
    if (names.has(name)) errors.push(fieldDuplicate(field, name))
    names.add(name)
  })
  return errors
}

const validateSpread = ({ topologySpreadConstraints = [] }: PodSpec): FieldError[] => {
  const pairs = new Set<string>()
  return topologySpreadConstraints.flatMap(({ maxSkew = 0, topologyKey = '', whenUnsatisfiable = '' }, index) => {
    const field = `spec.topologySpreadConstraints[${index}]`
    const errors = maxSkew > 0 ? [] : [fieldInvalid(`${field}.maxSkew`, maxSkew, 'must be greater than zero')]
    const pair = `{${topologyKey}, ${whenUnsatisfiable}}`
    if (pairs.has(pair)) errors.push(fieldDuplicate(`${field}.{topologyKey, whenUnsatisfiable}`, pair))
    pairs.add(pair)
    return errors
  })
}

const validateHostAliases = ({ hostAliases = [] }: PodSpec): FieldError[] =>
  hostAliases.flatMap(({ ip = '', hostnames = [] }, index) => [
    ...validateIp(`spec.hostAliases[${index}].ip`, ip),
    ...hostnames.flatMap(name => complain(`spec.hostAliases[${index}].hostnames`, name, checkDnsSubdomain(name))),
  ])

const validateSharing = ({ hostPID, shareProcessNamespace }: PodSpec): FieldError[] =>
  hostPID && shareProcessNamespace
    ? [
        fieldInvalid(
          'spec.shareProcessNamespace',
          shareProcessNamespace,
          'ShareProcessNamespace and HostPID cannot both be enabled',
        ),
      ]
    : []

export const validatePod = (object: ApiObject): FieldError[] => {
  const { spec } = object as Pod
  const { schedulingGates = [], nodeName } = spec
  const errors = [
    ...validateVolumes(spec.volumes ?? []),
    ...validateContainers(spec),
    ...validateNames(spec),
    ...validateTimes(spec),
    ...validateDns(spec),
    ...(spec.tolerations ?? []).flatMap((toleration, index) =>
      validateToleration(toleration, `spec.tolerations[${index}]`),
    ),
    ...validateGates(spec),
    ...validateSpread(spec),
    ...validateHostAliases(spec),
    ...validateSharing(spec),
    ...(spec.resources ? validateResources(spec.resources, 'spec.resources') : []),
  ]
  if (schedulingGates.length > 0 && nodeName) {
    errors.push(fieldForbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'))
  }
  return errors
}

/** Those come by a subresource of their own. */
export const validateNewPod = (object: ApiObject): FieldError[] =>
  ((object as Pod).spec?.ephemeralContainers ?? []).length > 0
    ? [fieldForbidden('spec.ephemeralContainers', 'cannot be set on create')]
    : []

/** Kubernetes allows no more than one address a family. */
export const validatePodStatus = (object: ApiObject): FieldError[] => {
  const ips = (object as Pod).status?.podIPs ?? []
  const errors = ips.flatMap(({ ip = '' }, index) => validateIp(`status.podIPs[${index}]`, ip))
  return ips.length > 2 ? [...errors, fieldTooMany('status.podIPs', ips.length, 2)] : errors
}
