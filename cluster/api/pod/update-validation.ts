/** What of a pod may change once it is there: next to nothing, for it runs. */
import { isDeepStrictEqual } from 'node:util'
import { type FieldError, fieldForbidden, fieldInvalid } from '../field-error.ts'
import type { ApiObject } from '../object.ts'
import type { Container, Pod, PodSpec } from './pod.ts'

const MAY_CHANGE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

const withImagesOf = (containers: readonly Container[] = [], current: readonly Container[] = []): Container[] =>
  containers.map((container, index) => ({ ...container, image: current[index]?.image ?? '' }))

const keepsTolerations = (next: PodSpec, current: PodSpec): boolean =>
  (current.tolerations ?? []).every(toleration =>
    (next.tolerations ?? []).some(other =>
      isDeepStrictEqual({ ...other, tolerationSeconds: 0 }, { ...toleration, tolerationSeconds: 0 }),
    ),
  )

/** KEP-3838: a pod that waits at a gate may still be steered, and its gates may go one by one. */
const freeFields = ({ schedulingGates = [] }: PodSpec): readonly (keyof PodSpec)[] => [
  'activeDeadlineSeconds',
  'tolerations',
  ...(schedulingGates.length > 0 ? ['schedulingGates', 'nodeSelector', 'affinity'] : []),
]

const validateGates = (next: PodSpec, current: PodSpec): FieldError[] => {
  const before = new Set((current.schedulingGates ?? []).map(({ name }) => name))
  return (next.schedulingGates ?? [])
    .filter(({ name }) => !before.has(name))
    .map(({ name }) =>
      fieldForbidden('spec.schedulingGates', `only deletion is allowed, but found new scheduling gate '${name}'`),
    )
}

const validateDeadline = ({ activeDeadlineSeconds: next }: PodSpec, current: PodSpec): FieldError[] => {
  const before = current.activeDeadlineSeconds
  if (before === undefined) return []
  const field = 'spec.activeDeadlineSeconds'
  if (next === undefined) return [fieldInvalid(field, null, 'must not update from a positive integer to nil value')]
  return next > before ? [fieldInvalid(field, next, 'must be less than or equal to previous value')] : []
}

/** `next` with everything that may change put back: what differs then may not. */
const restored = (next: PodSpec, current: PodSpec): PodSpec => {
  const spec: PodSpec = { ...next, containers: withImagesOf(next.containers, current.containers) }
  if (next.initContainers) spec.initContainers = withImagesOf(next.initContainers, current.initContainers)
  for (const field of freeFields(current)) {
    if (current[field] === undefined) delete spec[field]
    else spec[field] = current[field]
  }
  return spec
}

export const validatePodUpdate = (object: ApiObject, existing: ApiObject): FieldError[] => {
  const [next, current] = [(object as Pod).spec, (existing as Pod).spec]
  for (const field of ['containers', 'initContainers'] as const) {
    if ((next[field]?.length ?? 0) !== (current[field]?.length ?? 0)) {
      return [fieldForbidden(`spec.${field}`, 'pod updates may not add or remove containers')]
    }
  }
  const errors = [...validateDeadline(next, current), ...validateGates(next, current)]
  // Undefined and absent are one.
  const plain = (spec: PodSpec): unknown => JSON.parse(JSON.stringify(spec))
  if (!keepsTolerations(next, current) || !isDeepStrictEqual(plain(restored(next, current)), plain(current))) {
    errors.push(fieldForbidden('spec', MAY_CHANGE))
  }
  return errors
}
