/** What the tokens of service accounts say (Kubernetes: pkg/serviceaccount claims, of today and of secrets). */
import type { JWTPayload } from 'jose'
import type { ApiObject } from '#cluster/api/object.ts'
import { serviceAccountUser } from '../authenticator.ts'

export interface Reference {
  readonly name: string
  readonly uid?: string
}

export interface BoundClaims {
  readonly namespace: string
  readonly serviceaccount: Reference
  readonly pod?: Reference
  readonly secret?: Reference
  readonly node?: Reference
}

export const BOUND = 'kubernetes.io'

export const referenceTo = ({ metadata: { name = '', uid } }: ApiObject): Reference => ({
  name,
  ...(uid === undefined ? {} : { uid }),
})

export interface BoundTokenOptions {
  readonly account: ApiObject
  readonly audiences: readonly string[]
  readonly bound: Omit<BoundClaims, 'namespace' | 'serviceaccount'>
  /** Seconds since the Unix epoch. */
  readonly now: number
  readonly lifetime: number
  readonly id: string
}

export const boundClaims = ({ account, audiences, bound, now, lifetime, id }: BoundTokenOptions): JWTPayload => {
  const { namespace = '', name = '' } = account.metadata
  return {
    aud: [...audiences],
    exp: now + lifetime,
    iat: now,
    jti: id,
    [BOUND]: { namespace, ...bound, serviceaccount: referenceTo(account) } satisfies BoundClaims,
    nbf: now,
    sub: serviceAccountUser(namespace, name),
  }
}

/** The issuer of tokens in secrets, which never end. */
export const LEGACY_ISSUER = 'kubernetes/serviceaccount'

const LEGACY = 'kubernetes.io/serviceaccount'

export interface LegacyClaims {
  readonly namespace: string
  readonly secret: string
  readonly account: string
  readonly uid: string
}

export const legacyClaims = ({ namespace, secret, account, uid }: LegacyClaims): JWTPayload => ({
  [`${LEGACY}/namespace`]: namespace,
  [`${LEGACY}/secret.name`]: secret,
  [`${LEGACY}/service-account.name`]: account,
  [`${LEGACY}/service-account.uid`]: uid,
  sub: serviceAccountUser(namespace, account),
})

export const readLegacyClaims = (claims: JWTPayload): LegacyClaims => {
  const text = (name: string): string => String(claims[`${LEGACY}/${name}`] ?? '')
  return {
    namespace: text('namespace'),
    secret: text('secret.name'),
    account: text('service-account.name'),
    uid: text('service-account.uid'),
  }
}
