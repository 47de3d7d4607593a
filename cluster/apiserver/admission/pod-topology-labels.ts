/** A Pod on a node says in which zone and region it runs, as the node does (KEP-4742): the downward API shows it to its containers. */
import { nodeKind } from '#cluster/api/kinds/node.ts'
import { podKind } from '#cluster/api/kinds/pod.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import type { AdmissionPlugin } from '../admission.ts'
import type { Cacher } from '../storage/cacher.ts'

const COPIED = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region']

const nodeOfPod = ({ spec }: ApiObject): unknown => (isObject(spec) ? spec.nodeName : undefined)

const nodeOfBinding = ({ target }: ApiObject): unknown =>
  isObject(target) && target.kind === 'Node' ? target.name : undefined

export const createPodTopologyLabels = (cacher: Cacher): AdmissionPlugin => ({
  name: 'PodTopologyLabels',
  admit({ verb, kind, subresource, object }) {
    if (kind !== podKind || verb !== 'create' || (subresource !== '' && subresource !== 'binding')) return undefined
    const name = subresource === '' ? nodeOfPod(object) : nodeOfBinding(object)
    const node = typeof name === 'string' ? cacher.cache(nodeKind).get(name)?.object : undefined
    const labels = Object.entries(node?.metadata.labels ?? {}).filter(([label]) => COPIED.includes(label))
    if (labels.length > 0) object.metadata.labels = { ...object.metadata.labels, ...Object.fromEntries(labels) }
    return undefined
  },
})
