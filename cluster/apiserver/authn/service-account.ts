/**
 * Tokens of service accounts, bound ones and those of secrets: good as long as the account, and what the token is bound
 * to, are there under the same uid (Kubernetes: Managing Service Accounts, "bound service account tokens").
 */
import { timingSafeEqual } from 'node:crypto'
import type { JWTPayload } from 'jose'
import type { Kind } from '#cluster/api/kind.ts'
import { nodeKind } from '#cluster/api/kinds/node.ts'
import { podKind } from '#cluster/api/kinds/pod.ts'
import { secretKind } from '#cluster/api/kinds/secret.ts'
import { serviceAccountKind } from '#cluster/api/kinds/service-account.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { Clock } from '#lib/clock.ts'
import {
  authenticatedGroups,
  serviceAccountGroups,
  serviceAccountUser,
  type TokenAuthenticator,
  type User,
} from '../authenticator.ts'
import type { Cacher } from '../storage/cacher.ts'
import { objectKey } from '../storage/keys.ts'
import {
  BOUND,
  type BoundClaims,
  LEGACY_ISSUER,
  type Reference,
  readLegacyClaims,
} from '../tokens/service-account-claims.ts'
import type { TokenIssuer } from '../tokens/token-issuer.ts'

export interface ServiceAccountEnvironment {
  readonly cacher: Cacher
  readonly clock: Clock
  readonly issuer: TokenIssuer
  /** Whom tokens are for that are shown here. */
  readonly audiences: readonly string[]
}

/** What is being deleted counts for so long still, for clocks that differ. Milliseconds. */
const LEEWAY = 60_000

/** On a Secret whose token nobody used for long: it stays, and is no good. */
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since'

const extraOf = ({ pod, node }: BoundClaims, id: string | undefined): User['extra'] => ({
  ...(id ? { 'authentication.kubernetes.io/credential-id': [`JTI=${id}`] } : {}),
  ...(pod ? { 'authentication.kubernetes.io/pod-name': [pod.name] } : {}),
  ...(pod ? { 'authentication.kubernetes.io/pod-uid': [pod.uid ?? ''] } : {}),
  ...(node ? { 'authentication.kubernetes.io/node-name': [node.name] } : {}),
  ...(node?.uid ? { 'authentication.kubernetes.io/node-uid': [node.uid] } : {}),
})

const userOf = (namespace: string, { name, uid }: Reference, extra: User['extra']): User => ({
  name: serviceAccountUser(namespace, name),
  ...(uid ? { uid } : {}),
  groups: authenticatedGroups(serviceAccountGroups(namespace)),
  ...(extra && Object.keys(extra).length > 0 ? { extra } : {}),
})

/** A token says of its user what it said before, and its claims are the same as long as it is remembered. */
const boundUsers = new WeakMap<JWTPayload, User>()

const boundUser = (claims: JWTPayload, about: BoundClaims): User => {
  const known = boundUsers.get(claims)
  if (known) return known
  const user = userOf(about.namespace, about.serviceaccount, extraOf(about, claims.jti))
  boundUsers.set(claims, user)
  return user
}

const sameText = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

export const createServiceAccountAuthenticator = (environment: ServiceAccountEnvironment): TokenAuthenticator => {
  const { cacher, clock, issuer } = environment

  const find = (kind: Kind, namespace: string | undefined, { name, uid }: Reference): ApiObject | undefined => {
    const object = cacher.cache(kind).get(objectKey(kind, namespace, name))?.object
    if (!object || object.metadata.uid !== uid) return undefined
    const { deletionTimestamp } = object.metadata
    return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) + LEEWAY < clock.now() ? undefined : object
  }

  const holds = ({ namespace, serviceaccount, pod, secret, node }: BoundClaims): boolean => {
    if (!find(serviceAccountKind, namespace, serviceaccount)) return false
    if (secret && !find(secretKind, namespace, secret)) return false
    if (pod) return find(podKind, namespace, pod) !== undefined
    return node === undefined || find(nodeKind, undefined, node) !== undefined
  }

  const bound = (claims: JWTPayload, audiences: readonly string[]) => {
    const about = claims[BOUND] as BoundClaims | undefined
    if (!about?.serviceaccount || !holds(about)) return undefined
    const meant = [claims.aud ?? []].flat().filter(audience => audiences.includes(audience))
    return meant.length === 0 ? undefined : { user: boundUser(claims, about), audiences: meant }
  }

  /** Of a Secret: only as long as it is the one that the Secret holds. */
  const legacy = (token: string, claims: JWTPayload) => {
    const { namespace, secret: name, account, uid } = readLegacyClaims(claims)
    const secret = cacher.cache(secretKind).get(`${namespace}/${name}`)?.object
    const held = (secret?.data as Readonly<Record<string, string>> | undefined)?.token ?? ''
    if (!secret || secret.metadata.deletionTimestamp !== undefined || secret.metadata.labels?.[INVALID_SINCE])
      return undefined
    if (!sameText(Buffer.from(held, 'base64').toString(), token)) return undefined
    const owner = find(serviceAccountKind, namespace, { name: account, uid })
    return owner && { user: userOf(namespace, { name: account, uid }, undefined) }
  }

  return {
    name: 'service-account',
    async authenticateToken(token, audiences = environment.audiences) {
      const claims = await issuer.verify(token, LEGACY_ISSUER)
      if (!claims) return 'none'
      if (claims.iss !== LEGACY_ISSUER) return bound(claims, audiences) ?? 'none'
      // A token of a Secret is for this apiserver alone.
      const here = audiences.filter(audience => environment.audiences.includes(audience))
      const old = here.length > 0 ? legacy(token, claims) : undefined
      return old ? { ...old, audiences: here } : 'none'
    },
  }
}
