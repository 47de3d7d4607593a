/**
 * Approves what kubelets ask for, so that a node joins and renews by itself: a client certificate of a node, for who may
 * create `certificatesigningrequests/nodeclient` (or `/selfnodeclient`, for its own name) by the apiserver's word.
 */
import {
  decodePem,
  hasCondition,
  KUBE_APISERVER_CLIENT_KUBELET,
  type RequestSpec,
  requestSpec,
  requestStatus,
} from '#cluster/api/certificates/certificate-signing-request.ts'
import { readCertificateRequest } from '#cluster/pki/certificate-request.ts'
import type { RestClient } from '#watcher/client.ts'
import type { CreateController } from '../controller.ts'
import { clientProblem } from '../kubelet-certificates.ts'
import { certificateRequests } from '../views.ts'

const REVIEWS = { group: 'authorization.k8s.io', version: 'v1', resource: 'subjectaccessreviews' }

const RECOGNISED = [
  {
    subresource: 'selfnodeclient',
    own: true,
    message: 'Auto approving self kubelet client certificate after SubjectAccessReview.',
  },
  {
    subresource: 'nodeclient',
    own: false,
    message: 'Auto approving kubelet client certificate after SubjectAccessReview.',
  },
] as const

const may = async (
  client: RestClient,
  spec: RequestSpec,
  subresource: string,
  signal: AbortSignal,
): Promise<boolean> => {
  const { username, uid, groups, extra } = spec
  const resourceAttributes = {
    group: 'certificates.k8s.io',
    resource: 'certificatesigningrequests',
    verb: 'create',
    subresource,
    version: '*',
  }
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    metadata: {},
    spec: { user: username, uid, groups, extra, resourceAttributes },
  }
  const answer = (await client.create(REVIEWS, review, { signal })) as { status?: { allowed?: boolean } }
  return answer.status?.allowed === true
}

export const certificateApprover: CreateController = ({ client, informer }) => {
  const requests = informer(certificateRequests)
  return {
    name: 'certificate-approver',
    watch(wake) {
      requests.subscribe(({ key, type }) => type !== 'deleted' && wake(key))
    },
    async reconcile(key, signal) {
      const request = requests.get(key)
      if (!request || hasCondition(request, 'Approved') || hasCondition(request, 'Denied')) return 'settled'
      const spec = requestSpec(request)
      if (spec.signerName !== KUBE_APISERVER_CLIENT_KUBELET || requestStatus(request).certificate) return 'settled'
      const facts = await readCertificateRequest(decodePem(spec.request))
      if (!facts || clientProblem(facts, spec.usages ?? []) !== undefined) return 'settled'
      for (const { subresource, own, message } of RECOGNISED) {
        if (own && facts.commonName !== spec.username) continue
        if (!(await may(client, spec, subresource, signal))) continue
        const approved = { type: 'Approved', status: 'True', reason: 'AutoApproved', message }
        const conditions = [...(requestStatus(request).conditions ?? []), approved]
        const next = { ...request, status: { ...requestStatus(request), conditions } }
        await client.update(certificateRequests.resource, next, { signal, subresource: 'approval' })
        return 'settled'
      }
      return 'settled'
    },
  }
}
