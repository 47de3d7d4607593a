/** Who gives out a certificate may `sign` as its signer; to write `/status` is not enough. */
import { requestSpec, requestStatus } from '#cluster/api/certificates/certificate-signing-request.ts'
import { isSame } from '#cluster/api/immutable.ts'
import { certificateSigningRequestKind } from '#cluster/api/kinds/certificate-signing-request.ts'
import { forbidden } from '#cluster/api/status.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { type Decide, mayUseSigner } from '../certificates/may-use-signer.ts'

export const createCertificateSigning = ({ decide }: { readonly decide: Decide }): AdmissionPlugin => ({
  name: 'CertificateSigning',
  async validate({ verb, kind, subresource, user, name, object, current }) {
    const concerned = kind === certificateSigningRequestKind && verb === 'update' && subresource === 'status'
    if (!concerned || !current) return undefined
    const [next, before] = [requestStatus(object), requestStatus(current)]
    if (next.certificate === before.certificate && isSame(next.conditions, before.conditions)) return undefined
    const { signerName = '' } = requestSpec(current)
    if (await mayUseSigner(decide, user, 'sign', signerName)) return undefined
    const detail = `user not permitted to sign requests with signerName ${JSON.stringify(signerName)}`
    return forbidden({ ...kind, name }, detail)
  },
})
