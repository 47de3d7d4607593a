/** Tokens that another server knows: it is sent a TokenReview (Kubernetes: Webhook Token Authentication). */
import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { isObject } from '#cluster/api/own-property.ts'
import type { Milliseconds } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { authenticatedGroups, type IdentifiedToken, type TokenAuthenticator, type User } from '../authenticator.ts'
import type { HttpsJson } from '../webhook/https-json.ts'

export interface WebhookTokenOptions {
  readonly webhook: HttpsJson
  /** How long an answer holds; what nobody knew is asked again. */
  readonly lifetime: Milliseconds
  readonly audiences: readonly string[]
  readonly logger: Logger
}

/** Tokens whose answers are held. */
const HELD = 4096

const textsOf = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter(member => typeof member === 'string') : []

const extraOf = (value: unknown): Record<string, string[]> =>
  isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, texts]) => [key, textsOf(texts)])) : {}

const userOf = (answer: unknown): { user: User; audiences: string[] } | undefined => {
  const status = isObject(answer) && isObject(answer.status) ? answer.status : {}
  const user = isObject(status.user) ? status.user : {}
  if (status.authenticated !== true || typeof user.username !== 'string' || user.username === '') return undefined
  const extra = extraOf(user.extra)
  return {
    user: {
      name: user.username,
      ...(typeof user.uid === 'string' && user.uid !== '' ? { uid: user.uid } : {}),
      groups: authenticatedGroups(textsOf(user.groups)),
      ...(Object.keys(extra).length > 0 ? { extra } : {}),
    },
    audiences: textsOf(status.audiences),
  }
}

export const createWebhookTokenAuthenticator = (options: WebhookTokenOptions): TokenAuthenticator => {
  const { webhook, lifetime, logger } = options
  const held = new LRUCache<string, Exclude<IdentifiedToken, 'none'>>({
    max: HELD,
    ...(lifetime > 0 ? { ttl: lifetime } : {}),
  })

  const ask = async (token: string, audiences: readonly string[]): Promise<IdentifiedToken> => {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: {} }
    try {
      const answer = userOf(await webhook.send({ ...review, spec: { token, audiences } }))
      if (!answer) return 'none'
      // A webhook that knows no audiences speaks for this apiserver's.
      const meant = answer.audiences.length > 0 ? answer.audiences : options.audiences
      const common = meant.filter(audience => audiences.includes(audience))
      return common.length > 0 ? { user: answer.user, audiences: common } : 'none'
    } catch (error) {
      logger.warn({ error }, 'the webhook that knows tokens does not answer')
      return 'none'
    }
  }

  return {
    name: 'webhook',
    async authenticateToken(token, audiences = options.audiences) {
      const key = createHash('sha256')
        .update(JSON.stringify([audiences, token]))
        .digest('base64')
      const known = held.get(key)
      if (known) return known
      const identified = await ask(token, audiences)
      if (identified !== 'none' && lifetime > 0) held.set(key, identified)
      return identified
    },
  }
}
