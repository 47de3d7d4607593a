/**
 * The three gates that stand before the verbs: who asks (authentication), may they (authorisation), and is what they
 * write in order (admission). Made once everything stored is in memory.
 */
import type { Clock } from '#lib/clock.ts'
import type { Action } from './action.ts'
import { createActions } from './actions/index.ts'
import { createRoleEscalation } from './admission/role-escalation.ts'
import { Admission } from './admission.ts'
import type { Authenticator, IdentifiedToken, TokenAuthenticator, User } from './authenticator.ts'
import { createBearerTokenAuthenticator } from './authn/bearer-token.ts'
import { createClientCertificateAuthenticator } from './authn/client-certificate.ts'
import { createServiceAccountAuthenticator } from './authn/service-account.ts'
import { type Attributes, type Authorizer, type Decision, decide, type Rules } from './authorizer.ts'
import { healthAuthorizer } from './authz/health.ts'
import { mastersAuthorizer } from './authz/masters.ts'
import { createRbacAuthorizer } from './authz/rbac.ts'
import { Grants } from './rbac/grants.ts'
import type { Registry } from './registry.ts'
import type { TokenIssuer } from './tokens/token-issuer.ts'

export interface Gates {
  readonly authenticators: readonly Authenticator[]
  readonly decide: (attributes: Attributes) => Promise<Decision>
  readonly actions: readonly Action[]
}

const mergeRules = (authorizers: readonly Authorizer[], user: User, namespace: string): Rules => {
  const all = authorizers.map(authorizer => authorizer.rulesFor?.(user, namespace)).filter(rules => rules !== undefined)
  const incomplete = all.flatMap(rules => rules.incomplete ?? [])
  return {
    resourceRules: all.flatMap(rules => rules.resourceRules),
    nonResourceRules: all.flatMap(rules => rules.nonResourceRules),
    ...(incomplete.length > 0 ? { incomplete: incomplete.join('; ') } : {}),
  }
}

const firstKnown = async (
  authenticators: readonly TokenAuthenticator[],
  token: string,
  audiences: readonly string[],
): Promise<IdentifiedToken> => {
  for (const authenticator of authenticators) {
    const identified = await authenticator.authenticateToken(token, audiences.length > 0 ? audiences : undefined)
    if (identified !== 'none') return identified
  }
  return 'none'
}

export interface GatesEnvironment {
  readonly clock: Clock
  /** Of tokens of service accounts. */
  readonly issuer: TokenIssuer
}

/** Sets the registry's admission. */
export const createGates = (registry: Registry, { clock, issuer }: GatesEnvironment): Gates => {
  const { cacher } = registry
  // As Kubernetes: whoever gets a token for the issuer gets it for the apiserver.
  const audiences = [issuer.issuer]
  const grants = new Grants(cacher)
  const authorizers: readonly Authorizer[] = [healthAuthorizer, mastersAuthorizer, createRbacAuthorizer(grants)]
  const tokens: readonly TokenAuthenticator[] = [
    createServiceAccountAuthenticator({ cacher, clock, issuer, audiences }),
  ]
  const judge = (attributes: Attributes): Promise<Decision> => decide(authorizers, attributes)
  registry.admission = new Admission([createRoleEscalation({ grants, decide: judge })])
  return {
    authenticators: [createClientCertificateAuthenticator(), createBearerTokenAuthenticator(tokens)],
    decide: judge,
    actions: createActions({
      registry,
      now: () => clock.now(),
      decide: judge,
      issuer,
      audiences,
      rulesFor: (user, namespace) => mergeRules(authorizers, user, namespace),
      authenticateToken: (token, audiences) => firstKnown(tokens, token, audiences),
    }),
  }
}
