/**
 * Tokens by which nodes join: Secrets `bootstrap-token-ID` in kube-system (Kubernetes: Authenticating with Bootstrap
 * Tokens).
 */
import { timingSafeEqual } from 'node:crypto'
import { secretKind } from '#cluster/api/kinds/secret.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { Clock } from '#lib/clock.ts'
import { authenticatedGroups, type TokenAuthenticator } from '../authenticator.ts'
import type { Cacher } from '../storage/cacher.ts'

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/
const GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/
const BOOTSTRAPPERS = 'system:bootstrappers'

const textOf = (secret: ApiObject, key: string): string => {
  const data = (secret.data ?? {}) as Readonly<Record<string, string>>
  return Object.hasOwn(data, key) ? Buffer.from(data[key]!, 'base64').toString() : ''
}

const sameText = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}

const isOver = (secret: ApiObject, clock: Clock): boolean => {
  const expiration = textOf(secret, 'expiration')
  // What is no time ends the token: nobody knows when it was meant to.
  return expiration !== '' && !(Date.parse(expiration) > clock.now())
}

/** Undefined: a group that these tokens may not give. */
const groupsOf = (secret: ApiObject): readonly string[] | undefined => {
  const extra = textOf(secret, 'auth-extra-groups')
  const groups = extra === '' ? [] : extra.split(',')
  return groups.every(group => GROUP.test(group)) ? [BOOTSTRAPPERS, ...groups] : undefined
}

export const createBootstrapTokenAuthenticator = (cacher: Cacher, clock: Clock): TokenAuthenticator => ({
  name: 'bootstrap-token',
  authenticateToken(token) {
    const [, id = '', secretPart = ''] = TOKEN.exec(token) ?? []
    if (id === '') return 'none'
    const secret = cacher.cache(secretKind).get(`kube-system/bootstrap-token-${id}`)?.object
    if (!secret || secret.metadata.deletionTimestamp !== undefined) return 'none'
    const good =
      secret.type === 'bootstrap.kubernetes.io/token' &&
      sameText(textOf(secret, 'token-secret'), secretPart) &&
      textOf(secret, 'token-id') === id &&
      textOf(secret, 'usage-bootstrap-authentication') === 'true' &&
      !isOver(secret, clock)
    const groups = good ? groupsOf(secret) : undefined
    return groups ? { user: { name: `system:bootstrap:${id}`, groups: authenticatedGroups(groups) } } : 'none'
  },
})
