/** Lets another server decide: it is sent a SubjectAccessReview (Kubernetes: Webhook Mode). */
import { LRUCache } from 'lru-cache'
import { isObject } from '#cluster/api/own-property.ts'
import type { Milliseconds } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { type Attributes, type Authorizer, type Decision, NO_OPINION, type ResourceAttributes } from '../authorizer.ts'
import { userInfo } from '../reviews/user-info.ts'
import type { HttpsJson } from '../webhook/https-json.ts'

export interface WebhookAuthorizerOptions {
  readonly webhook: HttpsJson
  /** How long a yes holds. */
  readonly allowed: Milliseconds
  /** How long any other answer does. */
  readonly refused: Milliseconds
  readonly logger: Logger
}

/** Answers that are held. */
const HELD = 8192

const namedParts = ({ fieldSelector: _selector, ...parts }: ResourceAttributes): Record<string, string> =>
  Object.fromEntries(Object.entries(parts).filter(([, text]) => text !== ''))

const specOf = ({ user, verb, path, resource }: Attributes) => {
  const { username, ...rest } = userInfo(user)
  const asked = resource
    ? { resourceAttributes: { verb, ...namedParts(resource) } }
    : { nonResourceAttributes: { path, verb } }
  return { ...asked, user: username, ...rest }
}

const decisionOf = (answer: unknown): Decision => {
  const status = isObject(answer) && isObject(answer.status) ? answer.status : {}
  const reason = typeof status.reason === 'string' ? status.reason : ''
  // Both at once is no answer.
  if (status.allowed === true) return status.denied === true ? NO_OPINION : { decision: 'allow', reason }
  return { decision: status.denied === true ? 'deny' : 'no-opinion', reason }
}

export const createWebhookAuthorizer = (options: WebhookAuthorizerOptions): Authorizer => {
  const held = new LRUCache<string, Decision>({ max: HELD })
  return {
    name: 'webhook',
    async authorize(attributes) {
      const spec = specOf(attributes)
      const key = JSON.stringify(spec)
      const known = held.get(key)
      if (known) return known
      try {
        const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', metadata: {}, spec }
        const decision = decisionOf(await options.webhook.send(review))
        const lifetime = decision.decision === 'allow' ? options.allowed : options.refused
        if (lifetime > 0) held.set(key, decision, { ttl: lifetime })
        return decision
      } catch (error) {
        options.logger.warn({ error }, 'the webhook that decides does not answer')
        return NO_OPINION
      }
    },
    rulesFor: () => ({
      resourceRules: [],
      nonResourceRules: [],
      incomplete: 'webhook authorizer does not support user rule resolution',
    }),
  }
}
