/** The rules for a Service's ports. */
import {
  complain,
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../field-error.ts'
import { checkDnsLabel, checkPort, checkPortName, checkQualifiedName } from '../name.ts'
import type { ServicePort, ServiceSpec } from './service.ts'

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']

/** The kubelet's own port, which a balancer may not open to the world. */
const KUBELET_PORT = 10_250

const validateName = (name: string, isRequired: boolean, names: Set<string>, field: string): FieldError[] => {
  if (name === '') return isRequired ? [fieldRequired(`${field}.name`)] : []
  const errors = complain(`${field}.name`, name, checkDnsLabel(name))
  if (names.has(name)) errors.push(fieldDuplicate(`${field}.name`, name))
  names.add(name)
  return errors
}

const validatePort = (entry: ServicePort, field: string): FieldError[] => {
  const { protocol = '', port = 0, targetPort = 0, appProtocol } = entry
  const errors = complain(`${field}.port`, port, checkPort(port))
  if (protocol === '') errors.push(fieldRequired(`${field}.protocol`))
  else if (!PROTOCOLS.includes(protocol)) errors.push(fieldNotSupported(`${field}.protocol`, protocol, PROTOCOLS))
  const check = typeof targetPort === 'string' ? checkPortName : checkPort
  errors.push(...complain(`${field}.targetPort`, targetPort, check(targetPort as never)))
  if (appProtocol !== undefined) {
    errors.push(...complain(`${field}.appProtocol`, appProtocol, checkQualifiedName(appProtocol)))
  }
  return errors
}

/** Ports must differ in number or protocol, node ports too. */
const validateDistinct = (ports: readonly ServicePort[]): FieldError[] => {
  const errors: FieldError[] = []
  const [seen, seenNodePorts] = [new Set<string>(), new Set<string>()]
  ports.forEach(({ port, protocol, nodePort }, index) => {
    const field = `spec.ports[${index}]`
    if (seen.has(`${protocol}/${port}`)) errors.push(fieldDuplicate(field, { port, protocol }))
    seen.add(`${protocol}/${port}`)
    if (!nodePort) return
    if (seenNodePorts.has(`${protocol}/${nodePort}`)) errors.push(fieldDuplicate(`${field}.nodePort`, nodePort))
    seenNodePorts.add(`${protocol}/${nodePort}`)
  })
  return errors
}

const validateForType = ({ type, ports = [] }: ServiceSpec): FieldError[] =>
  ports.flatMap(({ port, nodePort }, index) => {
    const field = `spec.ports[${index}]`
    if (type === 'LoadBalancer' && port === KUBELET_PORT) {
      const detail = `may not expose port ${KUBELET_PORT} externally since it is used by kubelet`
      return [fieldInvalid(`${field}.port`, port, detail)]
    }
    // An ExternalName's node port is dropped by nobody and means nothing, as in Kubernetes.
    return type === 'ClusterIP' && nodePort
      ? [fieldForbidden(`${field}.nodePort`, "may not be used when `type` is 'ClusterIP'")]
      : []
  })

export const validatePorts = (spec: ServiceSpec): FieldError[] => {
  const { ports = [], type, clusterIP, clusterIPs } = spec
  if (ports.length === 0) {
    const isHeadless = clusterIP === 'None' || clusterIPs?.[0] === 'None'
    return isHeadless || type === 'ExternalName' ? [] : [fieldRequired('spec.ports')]
  }
  const names = new Set<string>()
  const each = ports.flatMap((port, index) => {
    const field = `spec.ports[${index}]`
    return [...validateName(port.name ?? '', ports.length > 1, names, field), ...validatePort(port, field)]
  })
  return [...each, ...validateForType(spec), ...validateDistinct(ports)]
}
