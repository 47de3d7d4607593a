/** `system:masters` may do everything, so that no role that is lost locks a cluster's owner out. */
import { MASTERS } from '../authenticator.ts'
import { type Authorizer, NO_OPINION } from '../authorizer.ts'

const ALLOWED = { decision: 'allow', reason: '' } as const

export const mastersAuthorizer: Authorizer = {
  name: 'masters',
  authorize: ({ user }) => (user.groups.includes(MASTERS) ? ALLOWED : NO_OPINION),
}
