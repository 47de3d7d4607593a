/** The contract of ways to decide what a user may do; each is one file of the drawer `authz/`. */
import type { MaybePromise } from '#lib/maybe-promise.ts'
import type { User } from './authenticator.ts'
import type { FieldSelector } from './selectors/field-selector.ts'

/** What is asked of a resource, served or not. Empty texts for what the request does not name. */
export interface ResourceAttributes {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  /** Of a collection, where the request has one that can be read. */
  readonly fieldSelector?: FieldSelector
}

export interface Attributes {
  readonly user: User
  /** `get`, `list`, `watch`, `create` … of a resource; the HTTP method in lower case of any other path. */
  readonly verb: string
  readonly path: string
  /** Absent for paths that are no resource's. */
  readonly resource?: ResourceAttributes
}

export interface Decision {
  /** `no-opinion`: the next authorizer decides; after the last one it means no. */
  readonly decision: 'allow' | 'deny' | 'no-opinion'
  /** For people; '' for none. */
  readonly reason: string
}

export const NO_OPINION: Decision = { decision: 'no-opinion', reason: '' }

export interface ResourceRule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
}

export interface NonResourceRule {
  readonly verbs: readonly string[]
  readonly nonResourceURLs: readonly string[]
}

/** What a user may do in a namespace, as far as an authorizer can list it. */
export interface Rules {
  readonly resourceRules: readonly ResourceRule[]
  readonly nonResourceRules: readonly NonResourceRule[]
  /** Why there may be more; undefined: these are all. */
  readonly incomplete?: string
}

export interface Authorizer {
  readonly name: string
  authorize(attributes: Attributes): MaybePromise<Decision>
  /** Absent: it adds nothing that can be listed. */
  rulesFor?(user: User, namespace: string): Rules
}

/** The first authorizer with an opinion; the reasons of those before it where there is none. */
export const decide = async (authorizers: readonly Authorizer[], attributes: Attributes): Promise<Decision> => {
  const reasons: string[] = []
  for (const authorizer of authorizers) {
    const verdict = authorizer.authorize(attributes)
    // What needs no waiting does not wait.
    const decision = verdict instanceof Promise ? await verdict : verdict
    if (decision.decision !== 'no-opinion') return decision
    if (decision.reason !== '') reasons.push(decision.reason)
  }
  return { decision: 'no-opinion', reason: reasons.join('; ') }
}
