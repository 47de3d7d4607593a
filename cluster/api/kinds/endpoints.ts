/** Endpoints: where a Service's pods are, all in one object. EndpointSlices have taken its place (KEP-4974). */
import { ageColumn, column } from '../column.ts'
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from '../field-error.ts'
import { validateEndpointIp } from '../ip.ts'
import type { Kind } from '../kind.ts'
import { checkDnsLabel, checkDnsSubdomain, checkPort, checkQualifiedName } from '../name.ts'
import type { ApiObject } from '../object.ts'

interface EndpointAddress {
  ip?: string
  hostname?: string
  nodeName?: string
}

interface EndpointPort {
  name?: string
  port?: number
  protocol?: string
  appProtocol?: string
}

interface EndpointSubset {
  addresses?: EndpointAddress[]
  notReadyAddresses?: EndpointAddress[]
  ports?: EndpointPort[]
}

const PROTOCOLS = ['SCTP', 'TCP', 'UDP']

const subsetsOf = (object: ApiObject): EndpointSubset[] => (object.subsets ?? []) as EndpointSubset[]

const applyDefaults = (object: ApiObject): void => {
  for (const subset of subsetsOf(object)) {
    for (const port of subset.ports ?? []) port.protocol ||= 'TCP'
  }
}

const validateAddress = ({ ip = '', hostname = '', nodeName }: EndpointAddress, field: string): FieldError[] => [
  ...validateEndpointIp(`${field}.ip`, ip),
  ...(hostname === ''
    ? []
    : checkDnsLabel(hostname).map(complaint => fieldInvalid(`${field}.hostname`, hostname, complaint))),
  ...(nodeName === undefined
    ? []
    : checkDnsSubdomain(nodeName).map(complaint => fieldInvalid(`${field}.nodeName`, nodeName, complaint))),
]

const validatePort = (port: EndpointPort, requireName: boolean, field: string): FieldError[] => {
  const { name = '', protocol = '', appProtocol } = port
  const errors: FieldError[] = []
  if (requireName && name === '') errors.push(fieldRequired(`${field}.name`))
  else if (name !== '') {
    for (const complaint of checkDnsLabel(name)) errors.push(fieldInvalid(`${field}.name`, name, complaint))
  }
  for (const complaint of checkPort(port.port)) errors.push(fieldInvalid(`${field}.port`, port.port ?? 0, complaint))
  if (!PROTOCOLS.includes(protocol)) errors.push(fieldNotSupported(`${field}.protocol`, protocol, PROTOCOLS))
  for (const complaint of appProtocol === undefined ? [] : checkQualifiedName(appProtocol)) {
    errors.push(fieldInvalid(`${field}.appProtocol`, appProtocol, complaint))
  }
  return errors
}

const validateSubset = (subset: EndpointSubset, field: string): FieldError[] => {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset
  const errors: FieldError[] = []
  if (addresses.length + notReadyAddresses.length === 0) {
    errors.push(fieldRequired(field, 'must specify `addresses` or `notReadyAddresses`'))
  }
  addresses.forEach((address, index) => void errors.push(...validateAddress(address, `${field}.addresses[${index}]`)))
  notReadyAddresses.forEach(
    (address, index) => void errors.push(...validateAddress(address, `${field}.notReadyAddresses[${index}]`)),
  )
  ports.forEach((port, index) => void errors.push(...validatePort(port, ports.length > 1, `${field}.ports[${index}]`)))
  return errors
}

/** kubectl shows three and counts the rest. */
const SHOWN = 3

const endpointsText = (object: ApiObject): string => {
  const all = subsetsOf(object).flatMap(({ addresses = [], ports = [] }) => {
    if (ports.length === 0) return addresses.map(({ ip = '' }) => ip)
    return ports.flatMap(({ port }) =>
      addresses.map(({ ip = '' }) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`)),
    )
  })
  if (all.length === 0) return '<none>'
  return all.length <= SHOWN ? all.join(',') : `${all.slice(0, SHOWN).join(',')} + ${all.length - SHOWN} more...`
}

export const endpointsKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  resource: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  categories: [],
  namespaced: true,
  type: 'core/v1.Endpoints',
  hasStatus: false,
  countsGenerations: false,
  createOnUpdate: true,
  applyDefaults,
  validate: object => subsetsOf(object).flatMap((subset, index) => validateSubset(subset, `subsets[${index}]`)),
  warnings: () => ['v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice'],
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  columns: [column('Endpoints', 'Addresses with their ports.', endpointsText), ageColumn],
}
