/**
 * A Pod's priority follows from the PriorityClass that it names, or from the one that is the default (KEP-268); there
 * is but one default.
 */
import { podKind } from '#cluster/api/kinds/pod.ts'
import { priorityClassKind } from '#cluster/api/kinds/priority-class.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { forbidden } from '#cluster/api/status.ts'
import type { AdmissionPlugin, AdmissionRequest, Refusal } from '../admission.ts'
import type { Cacher } from '../storage/cacher.ts'

interface PriorityClass extends ApiObject {
  readonly value?: number
  readonly globalDefault?: boolean
  readonly preemptionPolicy?: string
}

interface Spec {
  priorityClassName?: string
  priority?: number
  preemptionPolicy?: string
}

/** Of Pods where no class is the default. */
const NO_CLASS = { value: 0, preemptionPolicy: 'PreemptLowerPriority' }

const refuse = ({ kind, object, name }: AdmissionRequest, detail: string): Refusal =>
  forbidden({ ...kind, name: name || (object.metadata.name ?? '') }, detail)

/** Nothing of an update changes it; who leaves it out means it as it was. */
const carryOver = (spec: Spec, current: Spec): void => {
  if (spec.priority === undefined && current.priority !== undefined) spec.priority = current.priority
  if (spec.preemptionPolicy === undefined && current.preemptionPolicy !== undefined)
    spec.preemptionPolicy = current.preemptionPolicy
}

export const createPriority = (cacher: Cacher): AdmissionPlugin => {
  const classes = cacher.cache(priorityClassKind)

  /** Should a race have made two, the lesser. */
  const findDefault = (): PriorityClass | undefined =>
    classes
      .list()
      .map(({ object }) => object as PriorityClass)
      .filter(({ globalDefault }) => globalDefault)
      .sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0]

  const settle = (request: AdmissionRequest, spec: Spec): Refusal => {
    const named = spec.priorityClassName
    const found = named ? (classes.get(named)?.object as PriorityClass | undefined) : findDefault()
    if (named && !found) return refuse(request, `no PriorityClass with name ${named} was found`)
    if (found) spec.priorityClassName = found.metadata.name ?? ''
    const { value = 0, preemptionPolicy } = found ?? NO_CLASS
    if (spec.priority !== undefined && spec.priority !== value)
      return refuse(
        request,
        `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      )
    spec.priority = value
    if (preemptionPolicy === undefined) return undefined
    if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== preemptionPolicy)
      return refuse(
        request,
        `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`,
      )
    spec.preemptionPolicy = preemptionPolicy
    return undefined
  }

  return {
    name: 'Priority',
    admit(request) {
      const { verb, kind, subresource, object, current } = request
      if (kind !== podKind || subresource !== '' || verb === 'delete' || !isObject(object.spec)) return undefined
      if (verb === 'create') return settle(request, object.spec)
      if (isObject(current?.spec)) carryOver(object.spec, current.spec)
      return undefined
    },
    validate(request) {
      const { verb, kind, object } = request
      if (kind !== priorityClassKind || verb === 'delete' || !(object as PriorityClass).globalDefault) return undefined
      const known = findDefault()?.metadata.name
      if (known === undefined || (verb === 'update' && known === object.metadata.name)) return undefined
      return refuse(request, `PriorityClass ${known} is already marked as default. Only one default can exist`)
    },
  }
}
