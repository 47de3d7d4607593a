/** Whether a user may approve for a signer, or sign as it: by its name, or by its whole domain (`example.com/*`). */
import { certificateSigningRequestKind } from '#cluster/api/kinds/certificate-signing-request.ts'
import type { User } from '../authenticator.ts'
import type { Attributes, Decision } from '../authorizer.ts'

export type Decide = (attributes: Attributes) => Promise<Decision>

export const mayUseSigner = async (
  decide: Decide,
  user: User,
  verb: 'approve' | 'sign',
  signerName: string,
): Promise<boolean> => {
  const { group, version } = certificateSigningRequestKind
  const signers = { group, version, resource: 'signers', subresource: '', namespace: '' }
  for (const name of [signerName, `${signerName.split('/')[0]}/*`]) {
    const { decision } = await decide({ user, verb, path: '', resource: { ...signers, name } })
    if (decision === 'allow') return true
  }
  return false
}
