/** Parts of a Pod that change while it runs, each by its own subresource. */
import { type FieldError, fieldForbidden, fieldInvalid } from '../field-error.ts'
import { isSame } from '../immutable.ts'
import type { Part } from '../kind.ts'
import type { ApiObject } from '../object.ts'
import type { Container, Pod, PodSpec } from './pod.ts'
import { qualityOfService } from './quality-of-service.ts'
import { validatePod } from './validation.ts'

const VERBS = ['get', 'patch', 'update'] as const
const MIRROR = 'kubernetes.io/config.mirror'

const specOf = ({ spec }: ApiObject): PodSpec => (spec ?? {}) as PodSpec

/** KEP-277: containers to look into the Pod with; they come, and neither change nor go. */
export const ephemeralContainersPart: Part = {
  verbs: VERBS,
  resets: ['metadata'],
  merge(merged, next) {
    const { ephemeralContainers = [] } = specOf(next)
    const { ephemeralContainers: _current, ...spec } = specOf(merged)
    merged.spec = ephemeralContainers.length > 0 ? { ...spec, ephemeralContainers } : spec
  },
  validate(next, current) {
    const field = 'spec.ephemeralContainers'
    if (current.metadata.annotations?.[MIRROR] !== undefined)
      return [fieldForbidden('', 'static pods do not support ephemeral containers')]
    const now = new Map((specOf(next).ephemeralContainers ?? []).map(container => [container.name, container]))
    const errors = (specOf(current).ephemeralContainers ?? []).flatMap((container): FieldError[] => {
      const name = JSON.stringify(container.name ?? '')
      const kept = now.get(container.name)
      if (!kept) return [fieldForbidden(field, `existing ephemeral containers ${name} may not be removed\n`)]
      // Kubernetes adds the difference, as Go prints it.
      return isSame(kept, container)
        ? []
        : [fieldForbidden(field, `existing ephemeral containers ${name} may not be changed\n`)]
    })
    return [...validatePod(next), ...errors]
  },
}

const RESIZABLE = new Set(['cpu', 'memory'])

/** With the resources that the container of that name has in `next`. */
const resized = (containers: readonly Container[], next: readonly Container[]): Container[] =>
  containers.map(container => {
    const wanted = next.find(({ name }) => name === container.name)
    if (!wanted) return container
    const { resources: _resources, ...rest } = container
    return wanted.resources === undefined ? rest : { ...rest, resources: wanted.resources }
  })

const fixedResources = ({ containers = [], initContainers = [] }: PodSpec): unknown =>
  [...containers, ...initContainers].map(({ name, resources = {} }) => {
    const others = (list: Readonly<Record<string, string>> = {}) =>
      Object.entries(list).filter(([resource]) => !RESIZABLE.has(resource))
    return [name, others(resources.limits), others(resources.requests)]
  })

/** KEP-1287: more or less of the processor and of memory, for the containers that there are. */
export const resizePart: Part = {
  verbs: VERBS,
  resets: ['metadata'],
  merge(merged, next) {
    const [spec, { containers = [], initContainers = [] }] = [specOf(merged), specOf(next)]
    const changed: PodSpec = { ...spec, containers: resized(spec.containers ?? [], containers) }
    if (spec.initContainers) changed.initContainers = resized(spec.initContainers, initContainers)
    merged.spec = changed
  },
  validate(next, current) {
    const errors: FieldError[] = []
    if (current.metadata.annotations?.[MIRROR] !== undefined)
      errors.push(fieldForbidden('', 'static pods cannot be resized'))
    if (!isSame(fixedResources(specOf(next)), fixedResources(specOf(current))))
      errors.push(fieldForbidden('spec', 'only cpu and memory resources are mutable'))
    const was = (current as Pod).status?.qosClass ?? qualityOfService(specOf(current))
    const is = qualityOfService(specOf(next))
    if (is !== was) errors.push(fieldInvalid('spec', is, 'Pod QOS Class may not change as a result of resizing'))
    return [...validatePod(next), ...errors]
  },
}

/** Where it runs, once and for all; what a Binding says of labels and annotations comes along. */
export const bindingPart: Part = {
  verbs: [],
  resets: [],
  unrecorded: true,
  merge(merged, next, now) {
    const spec = specOf(merged)
    merged.spec = { ...spec, nodeName: specOf(next).nodeName ?? '' }
    const { conditions = [], ...status } = (merged as Pod).status ?? {}
    const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: now }
    const others = conditions.filter(({ type }) => type !== 'PodScheduled')
    merged.status = { ...status, conditions: [...others, scheduled] }
  },
  validate: () => [],
}
