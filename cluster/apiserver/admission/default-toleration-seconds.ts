/** A Pod stays five minutes on a node that is not ready or cannot be reached, unless it says otherwise (KEP-166). */
import { podKind } from '#cluster/api/kinds/pod.ts'
import { isObject } from '#cluster/api/own-property.ts'
import type { AdmissionPlugin } from '../admission.ts'

const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable']
/** kube-apiserver's --default-not-ready-toleration-seconds and its like. */
const SECONDS = 300

interface Toleration {
  readonly key?: string
  readonly operator?: string
  readonly effect?: string
  readonly tolerationSeconds?: number
}

/** A toleration without a key is for all taints, one without an effect for all effects. */
const covers = ({ key = '', effect = '' }: Toleration, taint: string): boolean =>
  (key === taint || key === '') && (effect === 'NoExecute' || effect === '')

export const defaultTolerationSeconds: AdmissionPlugin = {
  name: 'DefaultTolerationSeconds',
  admit({ verb, kind, subresource, object }) {
    if (kind !== podKind || verb === 'delete' || subresource !== '' || !isObject(object.spec)) return undefined
    const given = (Array.isArray(object.spec.tolerations) ? object.spec.tolerations : []) as Toleration[]
    const missing = TAINTS.filter(taint => !given.some(toleration => covers(toleration, taint)))
    if (missing.length === 0) return undefined
    object.spec.tolerations = [
      ...given,
      ...missing.map(key => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: SECONDS })),
    ]
    return undefined
  },
}
