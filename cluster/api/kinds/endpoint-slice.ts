/** EndpointSlice: some of the endpoints of a Service, of one address type, with one set of ports (KEP-752). */
import { ageColumn, column } from '../column.ts'
import {
  complain,
  type FieldError,
  fieldDuplicate,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
  fieldTooMany,
} from '../field-error.ts'
import { isSame } from '../immutable.ts'
import { familyOf, validateEndpointIp, validateIp } from '../ip.ts'
import type { Kind } from '../kind.ts'
import { checkDnsLabel, checkDnsSubdomain, checkLabelValue, checkQualifiedName } from '../name.ts'
import type { ApiObject } from '../object.ts'

interface EndpointHints {
  forZones?: { name?: string }[]
  forNodes?: { name?: string }[]
}

interface Endpoint {
  addresses?: string[]
  hostname?: string
  nodeName?: string
  zone?: string
  deprecatedTopology?: Record<string, string>
  hints?: EndpointHints
}

interface EndpointPort {
  name?: string
  protocol?: string
  port?: number
  appProtocol?: string
}

interface EndpointSlice extends ApiObject {
  addressType?: string
  endpoints?: Endpoint[] | null
  ports?: EndpointPort[] | null
}

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6']
const PROTOCOLS = ['SCTP', 'TCP', 'UDP']
const MAX_ENDPOINTS = 1000
const MAX_ADDRESSES = 100
const MAX_PORTS = 20_000
const MAX_TOPOLOGY = 16
const MAX_HINTS = 8

const applyDefaults = (object: ApiObject): void => {
  for (const port of (object as EndpointSlice).ports ?? []) {
    port.name ??= ''
    port.protocol ??= 'TCP'
  }
}

const validateAddress = (address: string, addressType: string, field: string): FieldError[] => {
  if (addressType === 'FQDN') return complain(field, address, checkDnsSubdomain(address))
  const errors = validateIp(field, address)
  if (errors.length > 0) return errors
  if (familyOf(address) !== addressType) return [fieldInvalid(field, address, `must be an ${addressType} address`)]
  return validateEndpointIp(field, address)
}

const validateHints = ({ forZones = [], forNodes = [] }: EndpointHints, field: string): FieldError[] => {
  const errors: FieldError[] = []
  const check = (list: readonly { name?: string }[], at: string, complaints: (name: string) => readonly string[]) => {
    if (list.length > MAX_HINTS) errors.push(fieldTooMany(at, list.length, MAX_HINTS))
    const seen = new Set<string>()
    list.forEach(({ name = '' }, index) => {
      if (seen.has(name)) errors.push(fieldDuplicate(`${at}[${index}].name`, name))
      seen.add(name)
      errors.push(...complain(`${at}[${index}].name`, name, complaints(name)))
    })
  }
  check(forZones, `${field}.forZones`, checkLabelValue)
  check(forNodes, `${field}.forNodes`, checkDnsSubdomain)
  return errors
}

const validateAddresses = (addresses: readonly string[], addressType: string, field: string): FieldError[] => {
  if (addresses.length === 0) return [fieldRequired(field, 'must contain at least 1 address')]
  if (addresses.length > MAX_ADDRESSES) return [fieldTooMany(field, addresses.length, MAX_ADDRESSES)]
  return addresses.flatMap((address, index) => validateAddress(address, addressType, `${field}[${index}]`))
}

const validateEndpoint = (endpoint: Endpoint, addressType: string, field: string): FieldError[] => {
  const { addresses = [], deprecatedTopology = {}, hostname, nodeName, hints } = endpoint
  const errors = validateAddresses(addresses, addressType, `${field}.addresses`)
  if (nodeName !== undefined) errors.push(...complain(`${field}.nodeName`, nodeName, checkDnsSubdomain(nodeName)))
  const topology = Object.entries(deprecatedTopology)
  if (topology.length > MAX_TOPOLOGY) {
    errors.push(fieldTooMany(`${field}.deprecatedTopology`, topology.length, MAX_TOPOLOGY))
  }
  for (const [key, value] of topology) {
    errors.push(...complain(`${field}.deprecatedTopology`, key, checkQualifiedName(key)))
    errors.push(...complain(`${field}.deprecatedTopology`, value, checkLabelValue(value)))
  }
  if (hostname !== undefined) errors.push(...complain(`${field}.hostname`, hostname, checkDnsLabel(hostname)))
  if (hints !== undefined) errors.push(...validateHints(hints, `${field}.hints`))
  return errors
}

const validatePorts = (ports: readonly EndpointPort[]): FieldError[] => {
  if (ports.length > MAX_PORTS) return [fieldTooMany('ports', ports.length, MAX_PORTS)]
  const errors: FieldError[] = []
  const names = new Set<string>()
  ports.forEach(({ name = '', protocol, port, appProtocol }, index) => {
    const field = `ports[${index}]`
    if (name !== '') errors.push(...complain(`${field}.name`, name, checkDnsLabel(name)))
    if (names.has(name)) errors.push(fieldDuplicate(`${field}.name`, name))
    names.add(name)
    if (protocol === undefined) errors.push(fieldRequired(`${field}.protocol`))
    else if (!PROTOCOLS.includes(protocol)) errors.push(fieldNotSupported(`${field}.protocol`, protocol, PROTOCOLS))
    // Stricter than Kubernetes, which takes any number: one that no packet can carry serves nobody.
    if (port !== undefined && (port < 1 || port > 65_535)) {
      errors.push(fieldInvalid(`${field}.port`, port, 'must be between 1 and 65535, inclusive'))
    }
    if (appProtocol !== undefined) {
      errors.push(...complain(`${field}.appProtocol`, appProtocol, checkQualifiedName(appProtocol)))
    }
  })
  return errors
}

const validate = (object: ApiObject): FieldError[] => {
  const { addressType = '' } = object as EndpointSlice
  const { endpoints, ports } = object as EndpointSlice
  const errors: FieldError[] = []
  if (addressType === '') errors.push(fieldRequired('addressType'))
  else if (!ADDRESS_TYPES.includes(addressType)) {
    errors.push(fieldNotSupported('addressType', addressType, ADDRESS_TYPES))
  }
  const count = endpoints?.length ?? 0
  if (count > MAX_ENDPOINTS) errors.push(fieldTooMany('endpoints', count, MAX_ENDPOINTS))
  else if (errors.length === 0) {
    endpoints?.forEach(
      (endpoint, index) => void errors.push(...validateEndpoint(endpoint, addressType, `endpoints[${index}]`)),
    )
  }
  return [...errors, ...validatePorts(ports ?? [])]
}

const validateUpdate = (next: ApiObject, current: ApiObject): FieldError[] => {
  const { addressType } = next as EndpointSlice
  return addressType === (current as EndpointSlice).addressType
    ? []
    : [fieldInvalid('addressType', addressType, 'field is immutable')]
}

/** kubectl shows three and counts the rest. */
const SHOWN = 3

const shorten = (all: readonly string[]): string => {
  if (all.length <= SHOWN) return all.join(',')
  return `${all.slice(0, SHOWN).join(',')} + ${all.length - SHOWN} more...`
}

const portsText = (object: ApiObject): string => {
  const ports = (object as EndpointSlice).ports ?? []
  return ports.length === 0 ? '<unset>' : shorten(ports.map(({ port }) => (port === undefined ? '*' : `${port}`)))
}

const endpointsText = (object: ApiObject): string => {
  const addresses = ((object as EndpointSlice).endpoints ?? []).flatMap(endpoint => endpoint.addresses ?? [])
  return addresses.length === 0 ? '<unset>' : shorten(addresses)
}

export const endpointSliceKind: Kind = {
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  resource: 'endpointslices',
  singular: 'endpointslice',
  shortNames: [],
  categories: [],
  namespaced: true,
  type: 'discovery.k8s.io/v1.EndpointSlice',
  hasStatus: false,
  countsGenerations: true,
  applyDefaults,
  // Labels say whose it is: consumers must see that they changed.
  prepareForUpdate({ metadata }, { metadata: current }) {
    if (!isSame(metadata.labels ?? {}, current.labels ?? {})) metadata.generation = (current.generation ?? 0) + 1
  },
  validate,
  validateUpdate,
  columns: [
    column('AddressType', 'IPv4, IPv6 or FQDN.', object => (object as EndpointSlice).addressType ?? ''),
    column('Ports', 'Port numbers of the endpoints.', portsText),
    column('Endpoints', 'Addresses of the endpoints.', endpointsText),
    ageColumn,
  ],
}
