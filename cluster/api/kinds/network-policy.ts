/** NetworkPolicy: who may talk to some Pods, and to whom they may. */
import { ageColumn, column } from '../column.ts'
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from '../field-error.ts'
import { type Cidr, parseCidr, validateCidr } from '../ip.ts'
import type { Kind } from '../kind.ts'
import { type LabelSelector, selectorText, validateLabelSelector } from '../label-selector.ts'
import { checkPort, checkPortName } from '../name.ts'
import type { IntOrString } from '../number-rules.ts'
import type { ApiObject } from '../object.ts'

interface Peer {
  podSelector?: LabelSelector
  namespaceSelector?: LabelSelector
  ipBlock?: { cidr?: string; except?: string[] }
}

interface PolicyPort {
  protocol?: string
  port?: IntOrString
  endPort?: number
}

interface PolicySpec {
  podSelector?: LabelSelector
  ingress?: { ports?: PolicyPort[]; from?: Peer[] }[]
  egress?: { ports?: PolicyPort[]; to?: Peer[] }[]
  policyTypes?: string[]
}

const specOf = ({ spec }: ApiObject): PolicySpec => (spec ?? {}) as PolicySpec

const applyDefaults = (object: ApiObject): void => {
  object.spec ??= {}
  const spec = specOf(object)
  for (const { ports = [] } of [...(spec.ingress ?? []), ...(spec.egress ?? [])]) {
    for (const port of ports) port.protocol ??= 'TCP'
  }
  // Ingress is always meant; egress where there is a word about it.
  if (!spec.policyTypes?.length) spec.policyTypes = ['Ingress', ...(spec.egress ? ['Egress'] : [])]
}

const validatePort = ({ port, endPort }: PolicyPort, at: string): FieldError[] => {
  const field = `${at}.port`
  if (port === undefined)
    return endPort === undefined
      ? []
      : [fieldInvalid(`${at}.endPort`, endPort, 'may not be specified when `port` is not specified')]
  if (typeof port === 'string') {
    const errors = checkPortName(port).map(text => fieldInvalid(field, port, text))
    if (endPort !== undefined)
      errors.push(fieldInvalid(`${at}.endPort`, endPort, 'may not be specified when `port` is non-numeric'))
    return errors
  }
  const errors = checkPort(port).map(text => fieldInvalid(field, port, text))
  if (endPort === undefined) return errors
  if (endPort < port) errors.push(fieldInvalid(`${at}.endPort`, endPort, 'must be greater than or equal to `port`'))
  return [...errors, ...checkPort(endPort).map(text => fieldInvalid(`${at}.endPort`, endPort, text))]
}

const validateBlock = ({ cidr = '', except = [] }: NonNullable<Peer['ipBlock']>, at: string): FieldError[] => {
  if (cidr === '') return [fieldRequired(`${at}.cidr`)]
  const errors = validateCidr(`${at}.cidr`, cidr)
  if (errors.length > 0) return errors
  const outer = parseCidr(cidr)
  return except.flatMap((text, index) => {
    const field = `${at}.except[${index}]`
    const wrong = validateCidr(field, text)
    if (wrong.length > 0) return wrong
    const inner = parseCidr(text)
    return outer && inner && isStrictlyWithin(inner, outer)
      ? []
      : [fieldInvalid(field, text, 'must be a strict subset of `cidr`')]
  })
}

const isStrictlyWithin = (inner: Cidr, outer: Cidr): boolean =>
  inner.family === outer.family && inner.prefix > outer.prefix && inner.address.match(outer.address, outer.prefix)

const validatePeer = (peer: Peer, at: string): FieldError[] => {
  const { podSelector, namespaceSelector, ipBlock } = peer
  if (!podSelector && !namespaceSelector && !ipBlock) return [fieldRequired(at, 'must specify a peer')]
  const errors = [
    ...(podSelector ? validateLabelSelector(podSelector, `${at}.podSelector`) : []),
    ...(namespaceSelector ? validateLabelSelector(namespaceSelector, `${at}.namespaceSelector`) : []),
    ...(ipBlock ? validateBlock(ipBlock, `${at}.ipBlock`) : []),
  ]
  if (ipBlock && (podSelector || namespaceSelector))
    errors.push(fieldForbidden(at, 'may not specify both ipBlock and another peer'))
  return errors
}

const validate = (object: ApiObject): FieldError[] => {
  const { podSelector = {}, ingress = [], egress = [], policyTypes = [] } = specOf(object)
  const rule = (ports: PolicyPort[], peers: Peer[], at: string, side: 'from' | 'to') => [
    ...ports.flatMap((port, index) => validatePort(port, `${at}.ports[${index}]`)),
    ...peers.flatMap((peer, index) => validatePeer(peer, `${at}.${side}[${index}]`)),
  ]
  const errors = [
    ...validateLabelSelector(podSelector, 'spec.podSelector'),
    ...ingress.flatMap(({ ports = [], from = [] }, index) => rule(ports, from, `spec.ingress[${index}]`, 'from')),
    ...egress.flatMap(({ ports = [], to = [] }, index) => rule(ports, to, `spec.egress[${index}]`, 'to')),
  ]
  return policyTypes.length > 2
    ? [...errors, fieldInvalid('spec.policyTypes', policyTypes, 'may not specify more than two policyTypes')]
    : errors
}

export const networkPolicyKind: Kind = {
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'NetworkPolicy',
  resource: 'networkpolicies',
  singular: 'networkpolicy',
  shortNames: ['netpol'],
  categories: [],
  namespaced: true,
  type: 'networking.k8s.io/v1.NetworkPolicy',
  hasStatus: false,
  countsGenerations: true,
  applyDefaults,
  validate,
  columns: [
    column('Pod-Selector', 'Pods that it is about.', object => selectorText(specOf(object).podSelector)),
    ageColumn,
  ],
}
