/** The rules for a Service, as Kubernetes's validation states them; ports and addresses have files of their own. */
import {
  complain,
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../field-error.ts'
import { parseIp, validateCidr, validateEndpointIp } from '../ip.ts'
import { checkDnsSubdomain, checkLabelValue, checkQualifiedName } from '../name.ts'
import type { ApiObject } from '../object.ts'
import { validateAddresses, validateAddressesUpdate } from './addresses.ts'
import { validatePorts } from './ports.ts'
import type { LoadBalancerIngress, Service, ServiceSpec } from './service.ts'

const TRAFFIC_DISTRIBUTIONS = ['PreferClose', 'PreferSameNode', 'PreferSameZone']

/** A day: what a kube-proxy can remember. */
const MAX_AFFINITY_SECONDS = 86_400

const ONLY_BALANCER = "may only be used when `type` is 'LoadBalancer'"

const validateExternalName = (spec: ServiceSpec): FieldError[] => {
  const errors: FieldError[] = []
  for (const field of ['clusterIPs', 'ipFamilies'] as const) {
    if (spec[field]?.length) errors.push(fieldForbidden(`spec.${field}`, 'may not be set for ExternalName services'))
  }
  if (spec.ipFamilyPolicy !== undefined) {
    errors.push(fieldForbidden('spec.ipFamilyPolicy', 'may not be set for ExternalName services'))
  }
  // A trailing dot says that the name is complete.
  const name = (spec.externalName ?? '').replace(/\.$/, '')
  if (name === '') errors.push(fieldRequired('spec.externalName'))
  else errors.push(...complain('spec.externalName', name, checkDnsSubdomain(name)))
  return errors
}

const validateType = (spec: ServiceSpec): FieldError[] => {
  if (spec.type === 'ExternalName') return validateExternalName(spec)
  const first = spec.clusterIPs?.[0]
  const isHeadless = first === 'None'
  return isHeadless && (spec.type === 'NodePort' || spec.type === 'LoadBalancer')
    ? [fieldInvalid('spec.clusterIPs[0]', first, `may not be set to 'None' for ${spec.type} services`)]
    : []
}

const validateSelector = ({ selector = {} }: ServiceSpec): FieldError[] =>
  Object.entries(selector).flatMap(([key, value]) => [
    ...complain('spec.selector', key, checkQualifiedName(key)),
    ...complain('spec.selector', value, checkLabelValue(value)),
  ])

const validateAffinity = ({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): FieldError[] => {
  const field = 'spec.sessionAffinityConfig'
  if (sessionAffinity === 'None' && sessionAffinityConfig !== undefined) {
    return [fieldForbidden(field, 'must not be set when session affinity is None')]
  }
  if (sessionAffinity !== 'ClientIP') return []
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds
  if (seconds === undefined) {
    return [fieldRequired(field, 'when session affinity type is ClientIP')]
  }
  return seconds <= 0 || seconds > MAX_AFFINITY_SECONDS
    ? [
        fieldInvalid(
          `${field}.clientIP.timeoutSeconds`,
          seconds,
          `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`,
        ),
      ]
    : []
}

const validateExternalIps = ({ externalIPs = [] }: ServiceSpec): FieldError[] =>
  externalIPs.flatMap((address, index) => validateEndpointIp(`spec.externalIPs[${index}]`, address))

const validateBalancer = (spec: ServiceSpec): FieldError[] => {
  const { type, loadBalancerSourceRanges = [], allocateLoadBalancerNodePorts, loadBalancerClass } = spec
  const isBalancer = type === 'LoadBalancer'
  const errors: FieldError[] = []
  if (!isBalancer && loadBalancerSourceRanges.length > 0) {
    errors.push(fieldForbidden('spec.loadBalancerSourceRanges', ONLY_BALANCER))
  }
  loadBalancerSourceRanges.forEach((range, index) => {
    // Spaces around are as old as the field.
    errors.push(...validateCidr(`spec.loadBalancerSourceRanges[${index}]`, range.trim()))
  })
  if (isBalancer && allocateLoadBalancerNodePorts === undefined) {
    errors.push(fieldRequired('spec.allocateLoadBalancerNodePorts'))
  } else if (!isBalancer && allocateLoadBalancerNodePorts !== undefined) {
    errors.push(fieldForbidden('spec.allocateLoadBalancerNodePorts', ONLY_BALANCER))
  }
  if (loadBalancerClass === undefined) return errors
  if (!isBalancer) return [...errors, fieldForbidden('spec.loadBalancerClass', ONLY_BALANCER)]
  return [...errors, ...complain('spec.loadBalancerClass', loadBalancerClass, checkQualifiedName(loadBalancerClass))]
}

const isExternallyAccessible = ({ type, externalIPs = [] }: ServiceSpec): boolean =>
  type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && externalIPs.length > 0)

const validateTraffic = (spec: ServiceSpec): FieldError[] => {
  const { type, externalTrafficPolicy = '', internalTrafficPolicy, healthCheckNodePort = 0, trafficDistribution } = spec
  const errors: FieldError[] = []
  const isExternal = isExternallyAccessible(spec)
  if (!isExternal && externalTrafficPolicy !== '') {
    const detail = 'may only be set for externally-accessible services'
    errors.push(fieldInvalid('spec.externalTrafficPolicy', externalTrafficPolicy, detail))
  } else if (isExternal && externalTrafficPolicy === '') errors.push(fieldRequired('spec.externalTrafficPolicy'))
  const hasHealthCheck = type === 'LoadBalancer' && externalTrafficPolicy === 'Local'
  if (!hasHealthCheck && healthCheckNodePort !== 0) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
    errors.push(fieldInvalid('spec.healthCheckNodePort', healthCheckNodePort, detail))
  }
  if (internalTrafficPolicy === undefined && type !== 'ExternalName') {
    errors.push(fieldRequired('spec.internalTrafficPolicy'))
  }
  if (trafficDistribution !== undefined && !TRAFFIC_DISTRIBUTIONS.includes(trafficDistribution)) {
    errors.push(fieldNotSupported('spec.trafficDistribution', trafficDistribution, TRAFFIC_DISTRIBUTIONS))
  }
  return errors
}

export const validateService = (object: ApiObject): FieldError[] => {
  const { spec } = object as Service
  return [
    ...validatePorts(spec),
    ...validateType(spec),
    ...validateSelector(spec),
    ...validateAffinity(spec),
    ...(spec.type === 'ExternalName' ? [] : validateAddresses(spec)),
    ...validateExternalIps(spec),
    ...validateBalancer(spec),
    ...validateTraffic(spec),
  ]
}

export const validateServiceUpdate = (object: ApiObject, existing: ApiObject): FieldError[] => {
  const [next, current] = [(object as Service).spec, (existing as Service).spec]
  const errors = validateAddressesUpdate(next, current)
  const both = next.type === 'LoadBalancer' && current.type === 'LoadBalancer'
  if (both && next.loadBalancerClass !== current.loadBalancerClass) {
    const detail = 'may not change once set'
    errors.push(fieldInvalid('spec.loadBalancerClass', next.loadBalancerClass ?? null, detail))
  }
  return errors
}

const validateIngress = ({ ip = '', hostname = '', ipMode }: LoadBalancerIngress, field: string): FieldError[] => {
  const errors: FieldError[] = []
  if (ip !== '' && !parseIp(ip)) {
    errors.push(fieldInvalid(`${field}.ip`, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'))
  }
  if (ipMode !== undefined && ip === '') {
    errors.push(fieldForbidden(`${field}.ipMode`, 'may not be specified when `ip` is not set'))
  } else if (ip !== '' && ipMode === undefined) {
    errors.push(fieldRequired(`${field}.ipMode`, 'must be specified when `ip` is set'))
  } else if (ipMode !== undefined && ipMode !== 'VIP' && ipMode !== 'Proxy') {
    errors.push(fieldNotSupported(`${field}.ipMode`, ipMode, ['Proxy', 'VIP']))
  }
  if (hostname === '') return errors
  errors.push(...complain(`${field}.hostname`, hostname, checkDnsSubdomain(hostname)))
  if (parseIp(hostname)) {
    errors.push(fieldInvalid(`${field}.hostname`, hostname, 'must be a DNS name, not an IP address'))
  }
  return errors
}

export const validateServiceStatus = (object: ApiObject): FieldError[] => {
  const { spec, status } = object as Service
  const ingress = status?.loadBalancer?.ingress ?? []
  if (spec.type !== 'LoadBalancer' && ingress.length > 0) {
    return [fieldForbidden('status.loadBalancer.ingress', "may only be used when `spec.type` is 'LoadBalancer'")]
  }
  return ingress.flatMap((entry, index) => validateIngress(entry, `status.loadBalancer.ingress[${index}]`))
}

/** What is allowed but worth a word to the client. */
export const serviceWarnings = (object: ApiObject): string[] => {
  const { spec } = object as Service
  const warnings: string[] = []
  if (spec?.externalIPs?.length && spec.type === 'ExternalName') {
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"')
  }
  if (spec?.type !== 'ExternalName' && spec?.externalName) {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"')
  }
  if (spec?.sessionAffinity === 'ClientIP' && spec.clusterIP === 'None') {
    warnings.push('spec.SessionAffinity is ignored for headless services')
  }
  return warnings
}
