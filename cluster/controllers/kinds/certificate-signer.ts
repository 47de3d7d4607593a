/**
 * Signs what was approved, as the signers that Kubernetes itself is: client certificates for the apiserver, those of
 * kubelets, and serving certificates of kubelets. What its signer does not give out is marked Failed, with the reason.
 */
import {
  decodePem,
  hasCondition,
  KUBE_APISERVER_CLIENT,
  KUBE_APISERVER_CLIENT_KUBELET,
  KUBELET_SERVING,
  requestSpec,
  requestStatus,
} from '#cluster/api/certificates/certificate-signing-request.ts'
import { type CertificateRequestFacts, readCertificateRequest } from '#cluster/pki/certificate-request.ts'
import type { CreateController } from '../controller.ts'
import { clientProblem, servingProblem } from '../kubelet-certificates.ts'
import { certificateRequests } from '../views.ts'

type Problem = string | undefined

const CLIENT_USAGES = ['digital signature', 'key encipherment', 'client auth']

const anyClientProblem = (_facts: CertificateRequestFacts, usages: readonly string[]): Problem => {
  const other = usages.find(usage => !CLIENT_USAGES.includes(usage))
  if (other !== undefined) return `invalid usage for client certificate: ${other}`
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth'
}

const SIGNERS = new Map<string, (facts: CertificateRequestFacts, usages: readonly string[]) => Problem>([
  [KUBE_APISERVER_CLIENT, anyClientProblem],
  [KUBE_APISERVER_CLIENT_KUBELET, clientProblem],
  [KUBELET_SERVING, servingProblem],
])

export const certificateSigner: CreateController = ({ client, informer, signer }) => {
  const requests = informer(certificateRequests)
  return {
    name: 'certificate-signer',
    watch(wake) {
      requests.subscribe(({ key, type }) => type !== 'deleted' && wake(key))
    },
    async reconcile(key, signal) {
      const request = requests.get(key)
      if (!signer || !request || !hasCondition(request, 'Approved') || hasCondition(request, 'Failed')) return 'settled'
      const { request: encoded, signerName = '', usages = [], expirationSeconds } = requestSpec(request)
      const status = requestStatus(request)
      const check = SIGNERS.get(signerName)
      if (!check || status.certificate) return 'settled'
      const pem = decodePem(encoded)
      const facts = await readCertificateRequest(pem)
      const problem = facts ? check(facts, usages) : 'the request is not signed by its own key'
      const write = (change: object) =>
        client.updateStatus(certificateRequests.resource, { ...request, status: { ...status, ...change } }, { signal })
      if (problem !== undefined) {
        const failed = { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: problem }
        await write({ conditions: [...(status.conditions ?? []), failed] })
        return 'settled'
      }
      const lifetime = expirationSeconds === undefined ? undefined : expirationSeconds * 1000
      const certificate = await signer.sign({ request: pem, usages, lifetime })
      await write({ certificate: Buffer.from(certificate).toString('base64') })
      return 'settled'
    },
  }
}
