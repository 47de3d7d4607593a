/** A new node takes no Pods until it is known to be ready (KEP-382). */
import { nodeKind } from '#cluster/api/kinds/node.ts'
import { isObject } from '#cluster/api/own-property.ts'
import type { AdmissionPlugin } from '../admission.ts'

const NOT_READY = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }

export const taintNodesByCondition: AdmissionPlugin = {
  name: 'TaintNodesByCondition',
  admit({ verb, kind, object }) {
    if (kind !== nodeKind || verb !== 'create') return undefined
    const spec = isObject(object.spec) ? object.spec : {}
    const taints = (Array.isArray(spec.taints) ? spec.taints : []) as { key?: string; effect?: string }[]
    if (taints.some(({ key, effect }) => key === NOT_READY.key && effect === NOT_READY.effect)) return undefined
    object.spec = { ...spec, taints: [...taints, NOT_READY] }
    return undefined
  },
}
