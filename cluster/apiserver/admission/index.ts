/** All admission plugins, in the order in which they are asked. */
import type { AdmissionPlugin } from '../admission.ts'
import type { Attributes, Decision } from '../authorizer.ts'
import type { Grants } from '../rbac/grants.ts'
import type { Cacher } from '../storage/cacher.ts'
import type { TokenIssuer } from '../tokens/token-issuer.ts'
import { createLegacyToken } from './legacy-token.ts'
import { createNodeRestriction } from './node-restriction.ts'
import { createRoleEscalation } from './role-escalation.ts'

/** What plugins are made with. */
export interface AdmissionEnvironment {
  readonly cacher: Cacher
  readonly grants: Grants
  readonly decide: (attributes: Attributes) => Promise<Decision>
  readonly issuer: TokenIssuer
  /** PEM of the cluster's CA. */
  readonly authority: string
}

export const createAdmission = (environment: AdmissionEnvironment): readonly AdmissionPlugin[] => [
  createLegacyToken(environment),
  createNodeRestriction(environment.cacher),
  createRoleEscalation(environment),
]
