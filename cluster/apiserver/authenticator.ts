/** The contract of ways to know who asks; each is one file of the drawer `authn/`. */
import type { MaybePromise } from '#lib/maybe-promise.ts'
import type { Request } from './http/exchange.ts'

export interface User {
  readonly name: string
  /** Tells apart two users who had the name one after the other; service accounts have one. */
  readonly uid?: string
  readonly groups: readonly string[]
  /** What else the authenticator knows, by keys such as `authentication.kubernetes.io/node-name`. */
  readonly extra?: Readonly<Record<string, readonly string[]>>
}

/** `none`: no credential that this authenticator knows. A credential that is no good is none either: another may do. */
export type Identified = User | 'none'

export interface Authenticator {
  readonly name: string
  authenticate(request: Request): MaybePromise<Identified>
}

/** Who a bearer token stands for. */
export interface TokenAuthenticator {
  readonly name: string
  /**
   * `audiences`: who the token is shown to; one of them must be meant by it. Absent: this apiserver. A user's token that
   * names no audience is for everyone.
   */
  authenticateToken(token: string, audiences?: readonly string[]): MaybePromise<IdentifiedToken>
}

export type IdentifiedToken = { readonly user: User; readonly audiences?: readonly string[] } | 'none'

/** Every user who is known is in it. */
export const AUTHENTICATED = 'system:authenticated'
/** Whoever did not say who they are. */
export const UNAUTHENTICATED = 'system:unauthenticated'
export const ANONYMOUS = 'system:anonymous'
/** May do everything, whatever the roles say. */
export const MASTERS = 'system:masters'

/** The groups with `system:authenticated` among them. */
export const authenticatedGroups = (groups: readonly string[]): readonly string[] =>
  groups.includes(AUTHENTICATED) ? groups : [...groups, AUTHENTICATED]

const SERVICE_ACCOUNT = 'system:serviceaccount:'

export const serviceAccountUser = (namespace: string, name: string): string => `${SERVICE_ACCOUNT}${namespace}:${name}`

export const serviceAccountGroups = (namespace: string): readonly string[] => [
  'system:serviceaccounts',
  `system:serviceaccounts:${namespace}`,
]

/** Undefined: the user is no service account. */
export const parseServiceAccountUser = (user: string): { namespace: string; name: string } | undefined => {
  if (!user.startsWith(SERVICE_ACCOUNT)) return undefined
  const [namespace = '', name = '', ...rest] = user.slice(SERVICE_ACCOUNT.length).split(':')
  return namespace && name && rest.length === 0 ? { namespace, name } : undefined
}

/** The first authenticator that knows the user, or that nobody does. */
export const authenticate = async (authenticators: readonly Authenticator[], request: Request): Promise<Identified> => {
  for (const authenticator of authenticators) {
    const verdict = authenticator.authenticate(request)
    // What needs no waiting does not wait.
    const identified = verdict instanceof Promise ? await verdict : verdict
    if (identified !== 'none') return identified
  }
  return 'none'
}

/** The user of a token that is shown to this apiserver. */
export const authenticateToken = async (
  authenticators: readonly TokenAuthenticator[],
  token: string,
): Promise<Identified> => {
  for (const authenticator of authenticators) {
    const identified = await authenticator.authenticateToken(token)
    if (identified !== 'none') return identified.user
  }
  return 'none'
}
