/** All admission plugins, in the order in which they are asked. */

import type { Clock } from '#lib/clock.ts'
import { SeamarkError } from '#lib/errors.ts'
import type { Random } from '#lib/random.ts'
import type { AdmissionPlugin } from '../admission.ts'
import type { Attributes, Decision } from '../authorizer.ts'
import type { Grants } from '../rbac/grants.ts'
import type { Cacher } from '../storage/cacher.ts'
import type { TokenIssuer } from '../tokens/token-issuer.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { createLegacyToken } from './legacy-token.ts'
import { createNodeRestriction } from './node-restriction.ts'
import { createPodSecurity } from './pod-security.ts'
import { createRoleEscalation } from './role-escalation.ts'
import { createServiceAccountAdmission } from './service-account.ts'
import { taintNodesByCondition } from './taint-nodes-by-condition.ts'

/** What plugins are made with. */
export interface AdmissionEnvironment {
  readonly cacher: Cacher
  readonly clock: Clock
  readonly random: Random
  readonly grants: Grants
  readonly decide: (attributes: Attributes) => Promise<Decision>
  readonly issuer: TokenIssuer
  /** PEM of the cluster's CA. */
  readonly authority: string
}

/** What no cluster is safe without. */
const NEEDED = new Set(['RBACEscalation'])

/**
 * All but those named in `disabled` (kube-apiserver's --disable-admission-plugins).
 * @throws SeamarkError BAD_OPTION
 */
export const createAdmission = (
  environment: AdmissionEnvironment,
  disabled: readonly string[],
): readonly AdmissionPlugin[] => {
  const all = [
    createLegacyToken(environment),
    createNodeRestriction(environment.cacher),
    createServiceAccountAdmission(environment),
    taintNodesByCondition,
    defaultTolerationSeconds,
    createPodSecurity(environment.cacher),
    createRoleEscalation(environment),
  ]
  const names = all.map(({ name }) => name).filter(name => !NEEDED.has(name))
  const unknown = disabled.find(name => !names.includes(name))
  if (unknown !== undefined)
    throw new SeamarkError('BAD_OPTION', `--disable-admission-plugins: "${unknown}" is none of ${names.join(', ')}`)
  return all.filter(({ name }) => !disabled.includes(name))
}
