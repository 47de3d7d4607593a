/** What clients know of Kubernetes and this cluster does without: said in words, where "not found" would puzzle. */
import type { Kind } from '#cluster/api/kind.ts'
import { failure, type Status } from '#cluster/api/status.ts'

/** Nothing is served at a path of a group that is built in; at others, not even a Status is. */
export const ABSENT_RESOURCE = failure(404, 'NotFound', 'the server could not find the requested resource', {})

/** The path is there, the method is none of its. */
export const NO_SUCH_ROUTE = failure(
  405,
  'MethodNotAllowed',
  'the server does not allow this method on the requested resource',
  {},
)

/** What kube-apiserver passes on to the kubelet of a Pod's node. */
const KUBELET_SUBRESOURCES = new Set(['attach', 'exec', 'log', 'portforward'])

/** Kubernetes has no reason for 501. */
const notImplemented = (message: string): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message,
  code: 501,
})

/** Undefined: it is just not there. */
export const absentSubresource = ({ group, resource }: Kind, subresource: string): Status | undefined => {
  if (group !== '' || resource !== 'pods' || !KUBELET_SUBRESOURCES.has(subresource)) return undefined
  return notImplemented(
    `pods/${subresource} needs a kubelet, and this cluster has none: its Pods are records without containers`,
  )
}
