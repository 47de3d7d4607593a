/** Node: a machine that pods run on. */
import { ageColumn, column, orNone, wideColumn } from '../column.ts'
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
  fieldTooMany,
} from '../field-error.ts'
import { parseCidr, validateCidr } from '../ip.ts'
import type { Kind } from '../kind.ts'
import { checkLabelValue, checkQualifiedName } from '../name.ts'
import type { ApiObject } from '../object.ts'

interface Taint {
  key?: string
  value?: string
  effect?: string
}

interface NodeSpec {
  podCIDR?: string
  podCIDRs?: string[]
  providerID?: string
  unschedulable?: boolean
  taints?: Taint[]
}

interface NodeStatus {
  conditions?: { type?: string; status?: string }[]
  addresses?: { type?: string; address?: string }[]
  nodeInfo?: { kubeletVersion?: string; osImage?: string; kernelVersion?: string; containerRuntimeVersion?: string }
}

const specOf = (node: ApiObject): NodeSpec => (node.spec ?? {}) as NodeSpec
const statusOf = (node: ApiObject): NodeStatus => (node.status ?? {}) as NodeStatus

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']
const ROLE_PREFIX = 'node-role.kubernetes.io/'
const ROLE_LABEL = 'kubernetes.io/role'

const applyDefaults = (node: ApiObject): void => {
  const spec = specOf(node)
  // The older single field and the first of the list say the same.
  if (spec.podCIDR && !spec.podCIDRs?.length) spec.podCIDRs = [spec.podCIDR]
  else if (spec.podCIDRs?.[0] && !spec.podCIDR) spec.podCIDR = spec.podCIDRs[0]
  const status = node.status as { capacity?: Record<string, string>; allocatable?: Record<string, string> } | undefined
  if (status?.capacity && Object.keys(status.allocatable ?? {}).length === 0)
    status.allocatable = { ...status.capacity }
}

const validateTaints = (taints: readonly Taint[]): FieldError[] => {
  const errors: FieldError[] = []
  const seen = new Set<string>()
  taints.forEach(({ key = '', value = '', effect = '' }, index) => {
    const field = `spec.taints[${index}]`
    for (const complaint of checkQualifiedName(key)) errors.push(fieldInvalid(`${field}.key`, key, complaint))
    for (const complaint of checkLabelValue(value)) errors.push(fieldInvalid(`${field}.value`, value, complaint))
    if (effect === '') errors.push(fieldRequired(`${field}.effect`))
    else if (!EFFECTS.includes(effect)) errors.push(fieldNotSupported(`${field}.effect`, effect, EFFECTS))
    const identity = `${key}:${effect}`
    if (seen.has(identity)) errors.push(fieldDuplicate(field, { key, effect }))
    seen.add(identity)
  })
  return errors
}

const validatePodCidrs = ({ podCIDR, podCIDRs = [] }: NodeSpec): FieldError[] => {
  const errors = podCIDRs.flatMap((cidr, index) => validateCidr(`spec.podCIDRs[${index}]`, cidr))
  if (podCIDRs.length > 2) errors.push(fieldTooMany('spec.podCIDRs', podCIDRs.length, 2))
  if (errors.length > 0) return errors
  if (podCIDR && podCIDR !== podCIDRs[0]) {
    errors.push(fieldInvalid('spec.podCIDRs[0]', podCIDRs[0], 'must be the same as `podCIDR`'))
  }
  if (podCIDRs.length === 2 && parseCidr(podCIDRs[0]!)?.family === parseCidr(podCIDRs[1]!)?.family) {
    errors.push(fieldInvalid('spec.podCIDRs', podCIDRs, 'may specify no more than one CIDR for each IP family'))
  }
  return errors
}

const validate = (node: ApiObject): FieldError[] => [
  ...validateTaints(specOf(node).taints ?? []),
  ...validatePodCidrs(specOf(node)),
]

const validateUpdate = (next: ApiObject, current: ApiObject): FieldError[] => {
  const [now, before] = [specOf(next), specOf(current)]
  const errors: FieldError[] = []
  const [oldCidrs, cidrs] = [before.podCIDRs ?? [], now.podCIDRs ?? []]
  if (oldCidrs.length > 0 && (oldCidrs.length !== cidrs.length || oldCidrs.some((cidr, i) => cidr !== cidrs[i]))) {
    errors.push(fieldForbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'))
  }
  if (before.providerID && now.providerID !== before.providerID) {
    errors.push(fieldForbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'))
  }
  return errors
}

const statusText = (node: ApiObject): string => {
  const ready = statusOf(node).conditions?.find(condition => condition.type === 'Ready')
  const texts = [ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady']
  if (specOf(node).unschedulable) texts.push('SchedulingDisabled')
  return texts.join(',')
}

const rolesText = ({ metadata: { labels = {} } }: ApiObject): string => {
  const roles = new Set<string>()
  for (const [key, value] of Object.entries(labels)) {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length) roles.add(key.slice(ROLE_PREFIX.length))
    else if (key === ROLE_LABEL && value !== '') roles.add(value)
  }
  return orNone([...roles].sort().join(','))
}

const addressText = (node: ApiObject, type: string): string =>
  orNone(statusOf(node).addresses?.find(address => address.type === type)?.address)

const orUnknown = (text: string | undefined): string => text || '<unknown>'

export const nodeKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'Node',
  resource: 'nodes',
  singular: 'node',
  shortNames: ['no'],
  categories: [],
  namespaced: false,
  type: 'core/v1.Node',
  hasStatus: true,
  countsGenerations: false,
  applyDefaults,
  validate,
  validateUpdate,
  selectableFields: node => ({ 'spec.unschedulable': String(specOf(node).unschedulable ?? false) }),
  selectableFieldNames: ['spec.unschedulable'],
  columns: [
    column('Status', 'Whether the node takes pods.', statusText),
    column('Roles', 'Roles by the node-role label.', rolesText),
    ageColumn,
    column('Version', 'Version of the kubelet.', node => statusOf(node).nodeInfo?.kubeletVersion ?? ''),
    wideColumn('Internal-IP', 'Address inside the cluster.', node => addressText(node, 'InternalIP')),
    wideColumn('External-IP', 'Address outside the cluster.', node => addressText(node, 'ExternalIP')),
    wideColumn('OS-Image', 'Operating system.', node => orUnknown(statusOf(node).nodeInfo?.osImage)),
    wideColumn('Kernel-Version', 'Kernel.', node => orUnknown(statusOf(node).nodeInfo?.kernelVersion)),
    wideColumn('Container-Runtime', 'Runtime and its version.', node =>
      orUnknown(statusOf(node).nodeInfo?.containerRuntimeVersion),
    ),
  ],
}
