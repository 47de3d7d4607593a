/**
 * What the kubelet of one node may write: its own Node but for taints, owners and the labels that steer Pods, the status
 * of its Pods, mirror Pods, its lease, and tokens for the accounts of its Pods (Kubernetes: NodeRestriction).
 */
import { isDeepStrictEqual } from 'node:util'
import {
  decodePem,
  KUBE_APISERVER_CLIENT_KUBELET,
  KUBELET_SERVING,
  requestSpec,
} from '#cluster/api/certificates/certificate-signing-request.ts'
import { certificateSigningRequestKind } from '#cluster/api/kinds/certificate-signing-request.ts'
import { leaseKind } from '#cluster/api/kinds/lease.ts'
import { nodeKind } from '#cluster/api/kinds/node.ts'
import { podKind } from '#cluster/api/kinds/pod.ts'
import { serviceAccountKind } from '#cluster/api/kinds/service-account.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { isObject } from '#cluster/api/own-property.ts'
import { forbidden } from '#cluster/api/status.ts'
import { readCertificateRequest } from '#cluster/pki/certificate-request.ts'
import type { MaybePromise } from '#lib/maybe-promise.ts'
import type { AdmissionPlugin, AdmissionRequest, Refusal } from '../admission.ts'
import { nodeOfUser } from '../node/node-identity.ts'
import { MIRROR, nodeOfPod } from '../node/node-pods.ts'
import { podReferences } from '../node/pod-references.ts'
import type { Cacher } from '../storage/cacher.ts'

/** Labels of kubernetes.io and k8s.io that a kubelet sets on its Node. */
const KUBELET_LABELS = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'node.kubernetes.io/windows-build',
])
const KUBELET_NAMESPACES = ['kubelet.kubernetes.io', 'node.kubernetes.io']
const RESTRICTED = 'node-restriction.kubernetes.io'

const isIn = (namespace: string, parent: string): boolean => namespace === parent || namespace.endsWith(`.${parent}`)

const isForbiddenLabel = (label: string): boolean => {
  const slash = label.indexOf('/')
  const namespace = slash < 0 ? '' : label.slice(0, slash)
  if (isIn(namespace, RESTRICTED)) return true
  if (!isIn(namespace, 'kubernetes.io') && !isIn(namespace, 'k8s.io')) return false
  return !KUBELET_LABELS.has(label) && !KUBELET_NAMESPACES.some(parent => isIn(namespace, parent))
}

const forbiddenLabels = (next: ApiObject, current: ApiObject | undefined): string => {
  const [a, b] = [next.metadata.labels ?? {}, current?.metadata.labels ?? {}]
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter(label => a[label] !== b[label] && isForbiddenLabel(label))
    .sort()
    .join(', ')
}

const specOf = ({ spec }: ApiObject): Record<string, unknown> => (isObject(spec) ? spec : {})

/** The detail of the 403; undefined: nothing against it. */
type Complaint = string | undefined

/** A node asks for certificates of itself alone. */
const checkCertificate = async ({ verb, subresource, object }: AdmissionRequest, node: string): Promise<Complaint> => {
  if (verb !== 'create' || subresource !== '') return undefined
  const { signerName = '', request } = requestSpec(object)
  if (signerName !== KUBELET_SERVING && signerName !== KUBE_APISERVER_CLIENT_KUBELET) return undefined
  const facts = await readCertificateRequest(decodePem(request))
  // What is no request is refused as such.
  if (!facts || facts.commonName === `system:node:${node}`) return undefined
  return `can only create a node CSR with CN=system:node:${node}`
}

const checkNode = (request: AdmissionRequest, node: string): Complaint => {
  const { verb, object, current, name } = request
  const wanted = name || object.metadata.name || ''
  if (wanted !== node) return `node "${node}" is not allowed to modify node "${wanted}"`
  if (verb === 'create') {
    if (specOf(object).configSource) return `node "${node}" is not allowed to create pods with a non-nil configSource`
    const labels = forbiddenLabels(object, undefined)
    return labels && `node "${node}" is not allowed to set the following labels: ${labels}`
  }
  if (verb !== 'update' || !current) return undefined
  const [next, before] = [specOf(object), specOf(current)]
  if (next.configSource && !isDeepStrictEqual(next.configSource, before.configSource))
    return `node "${node}" is not allowed to update configSource to a new non-nil configSource`
  if (!isDeepStrictEqual(next.taints ?? [], before.taints ?? []))
    return `node "${node}" is not allowed to modify taints`
  if (!isDeepStrictEqual(object.metadata.ownerReferences ?? [], current.metadata.ownerReferences ?? []))
    return `node "${node}" is not allowed to modify ownerReferences`
  const labels = forbiddenLabels(object, current)
  return labels && `is not allowed to modify labels: ${labels}`
}

const checkMirrorOwner = ({ metadata }: ApiObject, node: string, uid: string | undefined): Complaint => {
  const owners = metadata.ownerReferences ?? []
  const [owner] = owners
  const itself = `node "${node}" can only create pods with`
  if (owners.length > 1) return `${itself} a single owner reference set to itself`
  if (owner?.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    return `${itself} an owner reference set to itself`
  if (!owner.controller) return `${itself} a controller owner reference set to itself`
  if (owner.blockOwnerDeletion) return `node "${node}" must not set blockOwnerDeletion on an owner reference`
  return owner.uid === uid ? undefined : `node ${node} UID mismatch: expected ${owner.uid} got ${uid ?? ''}`
}

/** A Pod that a kubelet made may name nothing that the kubelet could not read before. */
const referenced = (pod: ApiObject): string | undefined => {
  const { serviceAccount, secrets, configMaps, claims } = podReferences(pod)
  if (serviceAccount !== '') return 'serviceaccounts'
  if (secrets.size > 0) return 'secrets'
  if (configMaps.size > 0) return 'configmaps'
  return claims.size > 0 ? 'persistentvolumeclaims' : undefined
}

interface TokenReference {
  readonly apiVersion?: string
  readonly kind?: string
  readonly name?: string
  readonly uid?: string
}

/** Whether a projected volume of the Pod wants a token for it. */
const wantsAudience = (pod: ApiObject, audience: string): boolean => {
  const volumes = specOf(pod).volumes
  if (!Array.isArray(volumes)) return false
  const sources = volumes.flatMap(volume => volume?.projected?.sources ?? [])
  return sources.some(source => source?.serviceAccountToken && (source.serviceAccountToken.audience ?? '') === audience)
}

const uidOfNode = (cacher: Cacher, node: string) => cacher.cache(nodeKind).get(node)?.object.metadata.uid

const checkPodCreate = ({ object }: AdmissionRequest, node: string, cacher: Cacher): Complaint => {
  if (object.metadata.annotations?.[MIRROR] === undefined)
    return `pod does not have "${MIRROR}" annotation, node "${node}" can only create mirror pods`
  if (nodeOfPod(object) !== node) return `node "${node}" can only create pods with spec.nodeName set to itself`
  const owner = checkMirrorOwner(object, node, uidOfNode(cacher, node))
  if (owner) return owner
  const resource = referenced(object)
  return resource && `node "${node}" can not create pods that reference ${resource}`
}

const checkPodStatus = ({ verb, object, current }: AdmissionRequest, node: string): Complaint => {
  if (verb !== 'update' || !current) return `unexpected operation "${verb.toUpperCase()}"`
  if (nodeOfPod(current) !== node)
    return `node "${node}" can only update pod status for pods with spec.nodeName set to itself`
  return isDeepStrictEqual({ ...object.metadata.labels }, { ...current.metadata.labels })
    ? undefined
    : `node "${node}" cannot update labels through pod status`
}

const checkPod = (request: AdmissionRequest, node: string, cacher: Cacher): Complaint => {
  const { verb, subresource, object } = request
  if (subresource === 'status') return checkPodStatus(request, node)
  if (subresource !== '') return `unexpected pod subresource "${subresource}", only 'status' and 'eviction' are allowed`
  if (verb === 'create') return checkPodCreate(request, node, cacher)
  if (verb === 'update') {
    const only = `node "${node}" can only create and delete mirror pods`
    return `unexpected operation "UPDATE", ${only}`
  }
  return nodeOfPod(object) === node ? undefined : `node "${node}" can only delete pods with spec.nodeName set to itself`
}

const checkToken = ({ object, namespace }: AdmissionRequest, node: string, cacher: Cacher): Complaint => {
  const { boundObjectRef, audiences = [] } = specOf(object) as {
    boundObjectRef?: TokenReference
    audiences?: string[]
  }
  const { apiVersion, kind, name = '', uid = '' } = boundObjectRef ?? {}
  if (apiVersion !== 'v1' || kind !== 'Pod' || name === '') return 'node requested token not bound to a pod'
  if (uid === '') return 'node requested token with a pod binding without a uid'
  const pod = cacher.cache(podKind).get(`${namespace ?? ''}/${name}`)?.object
  // The action says that the Pod is not there.
  if (!pod) return undefined
  if (uid !== pod.metadata.uid)
    return `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`
  if (nodeOfPod(pod) !== node) return 'node requested token bound to a pod scheduled on a different node'
  if (audiences.length > 1) return 'node may only request 0 or 1 audiences'
  const audience = audiences[0] ?? ''
  if (wantsAudience(pod, audience)) return undefined
  return `audience "${audience}" not found in pod spec volume, system:node:${node} is not authorized to request tokens for this audience`
}

const checkLease = ({ verb, namespace, name, object }: AdmissionRequest, node: string): Complaint => {
  if (namespace !== 'kube-node-lease') return undefined
  const wanted = name || object.metadata.name || ''
  if (wanted === node) return undefined
  return verb === 'create'
    ? `can only create lease with the same name as the requesting node`
    : `can only access node lease with the same name as the requesting node`
}

const complain = (request: AdmissionRequest, node: string, cacher: Cacher): MaybePromise<Complaint> => {
  switch (request.kind) {
    case certificateSigningRequestKind:
      return checkCertificate(request, node)
    case nodeKind:
      return checkNode(request, node)
    case podKind:
      return checkPod(request, node, cacher)
    case leaseKind:
      return checkLease(request, node)
    case serviceAccountKind:
      return request.subresource === 'token' && request.verb === 'create'
        ? checkToken(request, node, cacher)
        : undefined
    default:
      return undefined
  }
}

export const createNodeRestriction = (cacher: Cacher): AdmissionPlugin => ({
  name: 'NodeRestriction',
  async validate(request): Promise<Refusal> {
    const node = nodeOfUser(request.user)
    if (node === undefined) return undefined
    const { kind, name, user, object } = request
    const unknown = `could not determine node from user ${JSON.stringify(user.name)}`
    const detail = node === '' ? unknown : await complain(request, node, cacher)
    return detail ? forbidden({ ...kind, name: name || object.metadata.name || '' }, detail) : undefined
  },
})
