/**
 * The contract of creates that store nothing of their own kind: reviews, and subresources that one posts to
 * (`serviceaccounts/token`). Each is one file of the drawer `actions/`.
 */
import type { Kind } from '#cluster/api/kind.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import type { Status } from '#cluster/api/status.ts'
import type { Milliseconds } from '#lib/clock.ts'
import type { MaybePromise } from '#lib/maybe-promise.ts'
import type { Result } from '#lib/result.ts'
import type { IdentifiedToken, User } from './authenticator.ts'
import type { Attributes, Decision, Rules } from './authorizer.ts'
import type { Registry } from './registry.ts'
import type { TokenIssuer } from './tokens/token-issuer.ts'

export interface ActionCall {
  readonly user: User
  /** Of the path; undefined: none. */
  readonly namespace: string | undefined
  /** Of the object whose subresource is posted to; '' for a review. */
  readonly name: string
  /** Who is recorded as the owner of the fields that the action changes. */
  readonly manager: string
  readonly dryRun: boolean
  /** Decoded, structure right. The answer may be this object, changed. */
  readonly object: ApiObject
  readonly warn: (text: string) => void
}

export interface Action {
  /** What is posted, and comes back. */
  readonly kind: Kind
  /** Undefined: the kind has a path of its own. */
  readonly subresourceOf?: { readonly kind: Kind; readonly subresource: string }
  /** Answers with an object of its kind, or a Status of success. */
  readonly run: (call: ActionCall) => MaybePromise<Result<ApiObject | Status, Status>>
}

/** What actions are made with. */
export interface ActionEnvironment {
  readonly registry: Registry
  readonly now: () => Milliseconds
  readonly decide: (attributes: Attributes) => Promise<Decision>
  readonly rulesFor: (user: User, namespace: string) => Rules
  /** Signs tokens of service accounts. */
  readonly issuer: TokenIssuer
  /** Whom tokens are for that are shown to this apiserver. */
  readonly audiences: readonly string[]
  readonly authenticateToken: (token: string, audiences: readonly string[]) => Promise<IdentifiedToken>
}
