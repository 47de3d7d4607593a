/** Nobody gets a certificate by which they may do everything; and what is asked for must be a request at all. */
import { decodePem, KUBE_APISERVER_CLIENT, requestSpec } from '#cluster/api/certificates/certificate-signing-request.ts'
import { fieldInvalid } from '#cluster/api/field-error.ts'
import { certificateSigningRequestKind } from '#cluster/api/kinds/certificate-signing-request.ts'
import { forbidden, invalid } from '#cluster/api/status.ts'
import { readCertificateRequest } from '#cluster/pki/certificate-request.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { MASTERS } from '../authenticator.ts'

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: 'CertificateSubjectRestriction',
  async validate({ verb, kind, subresource, object }) {
    if (kind !== certificateSigningRequestKind || verb !== 'create' || subresource !== '') return undefined
    const { request = '', signerName } = requestSpec(object)
    const subject = { ...kind, name: object.metadata.name ?? '' }
    const facts = await readCertificateRequest(decodePem(request))
    if (!facts)
      return invalid(subject, [
        fieldInvalid('spec.request', request, 'not a certificate request (PKCS #10) signed by its own key'),
      ])
    if (signerName !== KUBE_APISERVER_CLIENT || !facts.organizations.includes(MASTERS)) return undefined
    return forbidden(subject, `use of ${KUBE_APISERVER_CLIENT} signer with ${MASTERS} group is not allowed`)
  },
}
