/** An Ingress that names no IngressClass is for the default one. */
import { ingressClassKind } from '#cluster/api/kinds/ingress-class.ts'
import { isObject } from '#cluster/api/own-property.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { defaultClass } from '../default-class.ts'
import type { Cacher } from '../storage/cacher.ts'

const MARKS = ['ingressclass.kubernetes.io/is-default-class']
/** Of before the field. */
const OLD_NAME = 'kubernetes.io/ingress.class'

export const createDefaultIngressClass = (cacher: Cacher): AdmissionPlugin => ({
  name: 'DefaultIngressClass',
  admit({ verb, kind, subresource, object }) {
    const isIngress = kind.group === 'networking.k8s.io' && kind.resource === 'ingresses'
    if (!isIngress || verb !== 'create' || subresource !== '') return undefined
    const spec = isObject(object.spec) ? object.spec : {}
    if (spec.ingressClassName !== undefined || object.metadata.annotations?.[OLD_NAME] !== undefined) return undefined
    const name = defaultClass(cacher, ingressClassKind, MARKS)
    if (name !== undefined) object.spec = { ...spec, ingressClassName: name }
    return undefined
  },
})
