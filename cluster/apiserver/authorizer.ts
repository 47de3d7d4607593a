/** The contract of ways to decide what a user may do; each is one file of this drawer. */
import type { User } from './authenticator.ts'

export interface Attributes {
  readonly user: User
  /** `get`, `list`, `watch`, `create` … of a resource; the HTTP method in lower case of any other path. */
  readonly verb: string
  readonly path: string
  /** Absent for paths that are no resource's. */
  readonly resource?: {
    readonly group: string
    readonly version: string
    readonly resource: string
    readonly subresource: string | undefined
    readonly namespace: string | undefined
    readonly name: string | undefined
  }
}

export interface Authorizer {
  readonly name: string
  /** `no-opinion`: the next authorizer decides; after the last one it means no. */
  authorize(attributes: Attributes): 'allow' | 'deny' | 'no-opinion'
}

export const isAllowed = (authorizers: readonly Authorizer[], attributes: Attributes): boolean => {
  for (const authorizer of authorizers) {
    const decision = authorizer.authorize(attributes)
    if (decision !== 'no-opinion') return decision === 'allow'
  }
  return false
}
