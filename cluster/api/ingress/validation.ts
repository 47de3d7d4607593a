/** The rules for an Ingress, in Kubernetes's words. */
import { complain, type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from '../field-error.ts'
import { parseIp, validateIp } from '../ip.ts'
import { checkDnsLabel, checkDnsSubdomain, checkPathSegment, checkPort, checkPortName, checkWildcard } from '../name.ts'
import type { ApiObject } from '../object.ts'
import {
  type IngressBackend,
  type IngressPath,
  type IngressRule,
  ingressAddresses,
  ingressSpec,
  type ResourceReference,
} from './ingress.ts'

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class'
const NOT_IN_PATH = ['//', '/./', '/../', '%2f', '%2F']
const NOT_AT_END = ['/..', '/.']
const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix']

const validateResource = ({ apiGroup, kind = '', name = '' }: ResourceReference, at: string): FieldError[] => [
  ...(apiGroup === undefined ? [] : complain(`${at}.apiGroup`, apiGroup, checkDnsSubdomain(apiGroup))),
  ...(kind === ''
    ? [fieldRequired(`${at}.kind`, 'kind is required')]
    : complain(`${at}.kind`, kind, checkPathSegment(kind))),
  ...(name === ''
    ? [fieldRequired(`${at}.name`, 'name is required')]
    : complain(`${at}.name`, name, checkPathSegment(name))),
]

const validateServiceBackend = (
  { name = '', port = {} }: NonNullable<IngressBackend['service']>,
  at: string,
): FieldError[] => {
  const service = `${at}.service`
  const errors =
    name === '' ? [fieldRequired(`${service}.name`)] : complain(`${service}.name`, name, checkDnsLabel(name))
  if (port.name && port.number) return [...errors, fieldInvalid(at, '', 'cannot set both port name & port number')]
  if (port.name) return [...errors, ...complain(`${service}.port.name`, port.name, checkPortName(port.name))]
  if (port.number) return [...errors, ...complain(`${service}.port.number`, port.number, checkPort(port.number))]
  return [...errors, fieldRequired(at, 'port name or number is required')]
}

const validateBackend = ({ service, resource }: IngressBackend, at: string): FieldError[] => {
  if (service && resource) return [fieldInvalid(at, '', 'cannot set both resource and service backends')]
  if (resource) return validateResource(resource, `${at}.resource`)
  if (service) return validateServiceBackend(service, at)
  return [fieldInvalid(at, '', 'resource or service backend is required')]
}

const checkPath = (path: string, type: string): readonly string[] => {
  const absolute = path.startsWith('/') ? [] : ['must be an absolute path']
  if (type === 'ImplementationSpecific') return path === '' ? [] : absolute
  return [
    ...absolute,
    ...NOT_IN_PATH.filter(part => path.includes(part)).map(part => `must not contain '${part}'`),
    ...NOT_AT_END.filter(end => path.endsWith(end)).map(end => `cannot end with '${end}'`),
  ]
}

const validatePath = ({ path = '', pathType, backend = {} }: IngressPath, at: string): FieldError[] => {
  const field = `${at}.pathType`
  if (pathType === undefined) return [fieldRequired(field, 'pathType must be specified')]
  const errors = PATH_TYPES.includes(pathType)
    ? complain(`${at}.path`, path, checkPath(path, pathType))
    : [fieldNotSupported(field, pathType, PATH_TYPES)]
  return [...errors, ...validateBackend(backend, `${at}.backend`)]
}

const checkHost = (host: string): readonly string[] =>
  host.includes('*') ? checkWildcard(host) : checkDnsSubdomain(host)

const validateRule = ({ host = '', http }: IngressRule, at: string): FieldError[] => {
  const errors: FieldError[] = []
  if (host !== '') {
    if (parseIp(host)) errors.push(fieldInvalid(`${at}.host`, host, 'must be a DNS name, not an IP address'))
    errors.push(...complain(`${at}.host`, host, checkHost(host)))
  }
  if (!http) return errors
  const paths = http.paths ?? []
  if (paths.length === 0) return [...errors, fieldRequired(`${at}.http.paths`)]
  return [...errors, ...paths.flatMap((path, index) => validatePath(path, `${at}.http.paths[${index}]`))]
}

export const validateIngress = (object: ApiObject): FieldError[] => {
  const { rules = [], defaultBackend, tls = [], ingressClassName } = ingressSpec(object)
  const errors: FieldError[] = []
  if (rules.length === 0 && !defaultBackend) {
    const detail = 'either `defaultBackend` or `rules` must be specified'
    errors.push(fieldInvalid('spec', ingressSpec(object).rules ?? null, detail))
  }
  if (defaultBackend) errors.push(...validateBackend(defaultBackend, 'spec.defaultBackend'))
  rules.forEach((rule, index) => void errors.push(...validateRule(rule, `spec.rules[${index}]`)))
  tls.forEach(({ hosts = [], secretName = '' }, index) => {
    const at = `spec.tls[${index}]`
    hosts.forEach((host, item) => void errors.push(...complain(`${at}.hosts[${item}]`, host, checkHost(host))))
    if (secretName !== '') errors.push(...complain(`${at}.secretName`, secretName, checkDnsSubdomain(secretName)))
  })
  if (ingressClassName !== undefined)
    errors.push(...complain('spec.ingressClassName', ingressClassName, checkDnsSubdomain(ingressClassName)))
  return errors
}

/** The class had an annotation before it had a field; only objects of that time may have both. */
export const validateIngressClassSaidOnce = (object: ApiObject): FieldError[] => {
  const annotation = object.metadata.annotations?.[CLASS_ANNOTATION]
  if (annotation === undefined || ingressSpec(object).ingressClassName === undefined) return []
  const detail = 'can not be set when the class field is also set'
  return [fieldInvalid(`annotations.${CLASS_ANNOTATION}`, annotation, detail)]
}

export const validateIngressStatus = (object: ApiObject): FieldError[] =>
  ingressAddresses(object).flatMap(({ ip = '', hostname = '' }, index) => {
    const at = `status.loadBalancer.ingress[${index}]`
    const errors = ip === '' ? [] : validateIp(`${at}.ip`, ip)
    if (hostname === '') return errors
    if (parseIp(hostname))
      errors.push(fieldInvalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'))
    return [...errors, ...complain(`${at}.hostname`, hostname, checkDnsSubdomain(hostname))]
  })
