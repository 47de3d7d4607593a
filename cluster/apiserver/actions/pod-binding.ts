/** POST to pods/NAME/binding, and to bindings: the scheduler's word on where a Pod runs. It is given once. */
import { cloneJson } from '#cluster/api/clone.ts'
import { type FieldError, fieldNotSupported, fieldRequired } from '#cluster/api/field-error.ts'
import { podKind } from '#cluster/api/kinds/pod.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { bindingKind } from '#cluster/api/pod-actions.ts'
import { badRequest, conflict, invalid, notFound, type Status, success } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { Action, ActionCall, ActionEnvironment } from '../action.ts'
import type { Registry } from '../registry.ts'
import { update } from '../verbs/update.ts'

interface Target {
  readonly kind?: string
  readonly name?: string
}

interface Placed {
  readonly nodeName?: string
  readonly schedulingGates?: readonly unknown[]
}

const problems = ({ kind = '', name = '' }: Target): FieldError[] => [
  ...(kind === '' || kind === 'Node' ? [] : [fieldNotSupported('target.kind', kind, ['Node', '<empty>'])]),
  ...(name === '' ? [fieldRequired('target.name')] : []),
]

const objection = (pod: ApiObject): string | undefined => {
  const name = pod.metadata.name ?? ''
  const { nodeName, schedulingGates = [] } = (pod.spec ?? {}) as Placed
  if (pod.metadata.deletionTimestamp !== undefined) return `pod ${name} is being deleted, cannot be assigned to a host`
  if (nodeName) return `pod ${name} is already assigned to node ${JSON.stringify(nodeName)}`
  return schedulingGates.length > 0 ? `pod ${name} has non-empty .spec.schedulingGates` : undefined
}

const subject = (name: string) => ({ ...podKind, resource: 'pods/binding', name })

const bound = (pod: ApiObject, { object, name }: ActionCall): Result<ApiObject, Status> => {
  const problem = objection(pod)
  if (problem !== undefined) return refused(conflict(subject(name), problem))
  const { uid, resourceVersion, labels, annotations } = object.metadata
  const next = cloneJson(pod)
  next.spec = { ...(next.spec as object), nodeName: (object.target as Target).name }
  if (uid) next.metadata.uid = uid
  if (resourceVersion) next.metadata.resourceVersion = resourceVersion
  else delete next.metadata.resourceVersion
  if (labels) next.metadata.labels = { ...next.metadata.labels, ...labels }
  if (annotations) next.metadata.annotations = { ...next.metadata.annotations, ...annotations }
  return accepted(next)
}

const bind = async (registry: Registry, call: ActionCall): Promise<Result<Status, Status>> => {
  const { object, namespace, name, manager, dryRun, warn } = call
  const errors = problems((object.target ?? {}) as Target)
  if (errors.length > 0) return refused(invalid({ ...bindingKind, name }, errors))
  const target = { resource: registry.resource(podKind), namespace, name, subresource: 'binding' }
  const change = (pod: ApiObject | undefined) => (pod ? bound(pod, call) : refused(notFound({ ...podKind, name })))
  const updated = await update(registry, target, change, { dryRun, manager, warn })
  return updated.ok ? accepted(success(201)) : updated
}

export const podBinding = ({ registry }: ActionEnvironment): Action => ({
  kind: bindingKind,
  subresourceOf: { kind: podKind, subresource: 'binding' },
  async run(call) {
    if (call.object.metadata.name !== call.name)
      return refused(badRequest('name in URL does not match name in Binding object'))
    return bind(registry, call)
  },
})

/** The Pod is the one that has the Binding's name. */
export const bindings = ({ registry }: ActionEnvironment): Action => ({
  kind: bindingKind,
  async run(call) {
    const { name = '' } = call.object.metadata
    return name === '' ? refused(badRequest('Name parameter required.')) : bind(registry, { ...call, name })
  },
})
