/** Pod: containers that share a network and a life. */
import { ageColumn, column, oncePerRow, orNone, wideColumn } from '../column.ts'
import type { Kind } from '../kind.ts'
import type { ApiObject } from '../object.ts'
import { applyPodDefaults } from '../pod/defaults.ts'
import { bindingPart, ephemeralContainersPart, resizePart } from '../pod/parts.ts'
import type { Pod, PodSpec, PodStatus } from '../pod/pod.ts'
import { qualityOfService } from '../pod/quality-of-service.ts'
import { summarisePod } from '../pod/summary.ts'
import { validatePodUpdate } from '../pod/update-validation.ts'
import { validateNewPod, validatePod, validatePodStatus } from '../pod/validation.ts'
import { podWarnings } from '../pod/warnings.ts'
import { bindingKind, evictionKind } from '../pod-actions.ts'

const specOf = (object: ApiObject): PodSpec => (object as Pod).spec ?? {}
const statusOf = (object: ApiObject): PodStatus => (object as Pod).status ?? {}

const summary = oncePerRow((object, now) => summarisePod({ ...object, spec: specOf(object) }, now))

const gatesText = (object: ApiObject): string => {
  const gates = specOf(object).readinessGates ?? []
  if (gates.length === 0) return '<none>'
  const isOpen = (type: string | undefined) =>
    statusOf(object).conditions?.some(condition => condition.type === type && condition.status === 'True')
  return `${gates.filter(({ conditionType }) => isOpen(conditionType)).length}/${gates.length}`
}

const selectableFields = (object: ApiObject): Record<string, string> => {
  const spec = specOf(object)
  const status = statusOf(object)
  return {
    'spec.nodeName': spec.nodeName ?? '',
    'spec.restartPolicy': spec.restartPolicy ?? '',
    'spec.schedulerName': spec.schedulerName ?? '',
    'spec.serviceAccountName': spec.serviceAccountName ?? '',
    'spec.hostNetwork': String(spec.hostNetwork ?? false),
    'status.phase': status.phase ?? '',
    'status.podIP': status.podIPs?.[0]?.ip ?? status.podIP ?? '',
    // Asked for, it is nobody's: Kubernetes takes the name and looks at no address.
    'status.podIPs': '',
    'status.nominatedNodeName': status.nominatedNodeName ?? '',
  }
}

const prepareForCreate = (object: ApiObject): void => {
  // Requests follow from limits, and the class from both.
  applyPodDefaults(object)
  const spec = specOf(object)
  const gated = {
    type: 'PodScheduled',
    status: 'False',
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  }
  object.status = {
    phase: 'Pending',
    ...(spec.schedulingGates?.length ? { conditions: [gated] } : {}),
    qosClass: qualityOfService(spec),
  }
}

/** A pod that no kubelet runs, or that has ended, has nothing to wait for. */
const gracePeriodSeconds = (object: ApiObject, requested: number | undefined): number => {
  const { nodeName, terminationGracePeriodSeconds } = specOf(object)
  const { phase } = statusOf(object)
  if (!nodeName || phase === 'Succeeded' || phase === 'Failed') return 0
  const seconds = requested ?? terminationGracePeriodSeconds ?? 30
  return seconds < 0 ? 1 : seconds
}

export const podKind: Kind = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  resource: 'pods',
  singular: 'pod',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  type: 'core/v1.Pod',
  hasStatus: true,
  countsGenerations: true,
  deleteReturnsObject: true,
  applyDefaults: applyPodDefaults,
  prepareForCreate,
  validate: validatePod,
  validateCreate: validateNewPod,
  validateUpdate: validatePodUpdate,
  validateStatusUpdate: validatePodStatus,
  parts: { ephemeralcontainers: ephemeralContainersPart, resize: resizePart, binding: bindingPart },
  posts: { binding: bindingKind, eviction: evictionKind },
  statusResets: ['metadata.deletionTimestamp', 'metadata.ownerReferences'],
  // Pods change too often for their changes to be looked at.
  warnings: (object, current) => (current ? [] : podWarnings(object)),
  gracePeriodSeconds,
  selectableFields,
  selectableFieldNames: Object.keys(selectableFields({ apiVersion: 'v1', kind: 'Pod', metadata: {} })),
  columns: [
    column('Ready', 'Containers that are ready, of all.', (object, now) => {
      const { ready, total } = summary(object, now)
      return `${ready}/${total}`
    }),
    column('Status', 'What the pod is doing.', (object, now) => summary(object, now).status),
    column('Restarts', 'How often containers were restarted.', (object, now) => summary(object, now).restarts),
    ageColumn,
    wideColumn('IP', 'Address of the pod.', object =>
      orNone(statusOf(object).podIPs?.[0]?.ip ?? statusOf(object).podIP),
    ),
    wideColumn('Node', 'Node that runs the pod.', object => orNone(specOf(object).nodeName)),
    wideColumn('Nominated Node', 'Node that makes room for the pod.', object =>
      orNone(statusOf(object).nominatedNodeName),
    ),
    wideColumn('Readiness Gates', 'Conditions that hold, of those asked for.', gatesText),
  ],
}
