/** Who decides about a certificate may `approve` for its signer; to write `/approval` is not enough. */
import { requestSpec } from '#cluster/api/certificates/certificate-signing-request.ts'
import { certificateSigningRequestKind } from '#cluster/api/kinds/certificate-signing-request.ts'
import { forbidden } from '#cluster/api/status.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { type Decide, mayUseSigner } from '../certificates/may-use-signer.ts'

export const createCertificateApproval = ({ decide }: { readonly decide: Decide }): AdmissionPlugin => ({
  name: 'CertificateApproval',
  async validate({ verb, kind, subresource, user, name, current }) {
    const concerned = kind === certificateSigningRequestKind && verb === 'update' && subresource === 'approval'
    if (!concerned || !current) return undefined
    const { signerName = '' } = requestSpec(current)
    if (await mayUseSigner(decide, user, 'approve', signerName)) return undefined
    const detail = `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`
    return forbidden({ ...kind, name }, detail)
  },
})
