/** Whoever is known may do everything: what stands in for roles until RBAC comes. */
import { AUTHENTICATED } from '../authenticator.ts'
import type { Authorizer } from '../authorizer.ts'

export const anyUserAuthorizer: Authorizer = {
  name: 'any-user',
  authorize: ({ user }) => (user.groups.includes(AUTHENTICATED) ? 'allow' : 'no-opinion'),
}
