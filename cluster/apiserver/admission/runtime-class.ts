/**
 * A Pod that names a RuntimeClass costs what that costs besides its containers (KEP-688), and goes where that is
 * (KEP-585).
 */
import { isDeepStrictEqual } from 'node:util'
import { podKind } from '#cluster/api/kinds/pod.ts'
import { runtimeClassKind } from '#cluster/api/kinds/runtime-class.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import type { Toleration } from '#cluster/api/pod/pod.ts'
import { readAmounts } from '#cluster/api/resource-list.ts'
import { forbidden } from '#cluster/api/status.ts'
import type { AdmissionPlugin, AdmissionRequest, Refusal } from '../admission.ts'
import type { Cacher } from '../storage/cacher.ts'

interface RuntimeClass extends ApiObject {
  readonly overhead?: { readonly podFixed?: Record<string, string> }
  readonly scheduling?: { readonly nodeSelector?: Record<string, string>; readonly tolerations?: readonly Toleration[] }
}

interface Spec {
  runtimeClassName?: string
  overhead?: Record<string, string>
  nodeSelector?: Record<string, string>
  tolerations?: Toleration[]
}

const refuse = ({ kind, object }: AdmissionRequest, detail: string): Refusal =>
  forbidden({ ...kind, name: object.metadata.name ?? '' }, `pod rejected: ${detail}`)

const isSameOverhead = (a: Spec['overhead'], b: Spec['overhead']): boolean => {
  const nanos = (list: Spec['overhead']) => [...readAmounts(list)].map(([name, { nano }]) => [name, nano]).sort()
  return isDeepStrictEqual(nanos(a), nanos(b))
}

const place = (request: AdmissionRequest, spec: Spec, { scheduling }: RuntimeClass): Refusal => {
  const { nodeSelector = {}, tolerations = [] } = scheduling ?? {}
  const own = spec.nodeSelector ?? {}
  const conflict = Object.keys(nodeSelector).find(key => Object.hasOwn(own, key) && own[key] !== nodeSelector[key])
  if (conflict !== undefined)
    return refuse(
      request,
      `conflict: runtimeClass.scheduling.nodeSelector[${conflict}] = ${nodeSelector[conflict]}; pod.spec.nodeSelector[${conflict}] = ${own[conflict]}`,
    )
  if (Object.keys(nodeSelector).length > 0) spec.nodeSelector = { ...own, ...nodeSelector }
  const known = spec.tolerations ?? []
  const missing = tolerations.filter(toleration => !known.some(other => isDeepStrictEqual(other, toleration)))
  if (missing.length > 0) spec.tolerations = [...known, ...structuredClone(missing)]
  return undefined
}

export const createRuntimeClass = (cacher: Cacher): AdmissionPlugin => {
  const classes = cacher.cache(runtimeClassKind)
  const specOf = ({ verb, kind, subresource, object }: AdmissionRequest): Spec | undefined =>
    kind === podKind && verb === 'create' && subresource === '' && isObject(object.spec) ? object.spec : undefined
  const classOf = ({ runtimeClassName }: Spec): RuntimeClass | undefined =>
    runtimeClassName ? (classes.get(runtimeClassName)?.object as RuntimeClass | undefined) : undefined
  return {
    name: 'RuntimeClass',
    admit(request) {
      const spec = specOf(request)
      if (!spec?.runtimeClassName) return undefined
      const found = classOf(spec)
      if (!found) return refuse(request, `RuntimeClass "${spec.runtimeClassName}" not found`)
      const overhead = found.overhead?.podFixed
      if (overhead) {
        if (spec.overhead && !isSameOverhead(spec.overhead, overhead))
          return refuse(request, "Pod's Overhead doesn't match RuntimeClass's defined Overhead")
        spec.overhead = { ...overhead }
      }
      return place(request, spec, found)
    },
    validate(request) {
      const spec = specOf(request)
      return spec?.overhead && !classOf(spec)?.overhead?.podFixed
        ? refuse(request, 'Pod Overhead set without corresponding RuntimeClass defined Overhead')
        : undefined
    },
  }
}
