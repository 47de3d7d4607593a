/** The contract of ways to know who asks; each is one file of this drawer. */
import type { Request } from './http/exchange.ts'

export interface User {
  readonly name: string
  readonly groups: readonly string[]
}

export interface Authenticator {
  readonly name: string
  /**
   * Who asks. `none`: the request carries no credential of this kind, another authenticator may know one. `invalid`: it
   * carries one that is no good, which nothing else makes up for.
   */
  authenticate(request: Request): User | 'none' | 'invalid'
}

/** Every user who is known is in it. */
export const AUTHENTICATED = 'system:authenticated'

/** The first authenticator that knows the user, or why nobody does. */
export const authenticate = (authenticators: readonly Authenticator[], request: Request): User | 'none' | 'invalid' => {
  for (const authenticator of authenticators) {
    const verdict = authenticator.authenticate(request)
    if (verdict !== 'none') return verdict
  }
  return 'none'
}
