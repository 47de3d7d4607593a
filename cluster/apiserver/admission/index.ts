/** All admission plugins, in the order in which they are asked. */

import { SeamarkError } from '#lib/errors.ts'
import type { Random } from '#lib/random.ts'
import type { AdmissionPlugin } from '../admission.ts'
import type { AdmissionFile } from '../admission-file.ts'
import type { Grants } from '../rbac/grants.ts'
import type { WebhookEnvironment } from '../review/call-webhook.ts'
import type { TokenIssuer } from '../tokens/token-issuer.ts'
import { createCertificateApproval } from './certificate-approval.ts'
import { createCertificateSigning } from './certificate-signing.ts'
import { certificateSubjectRestriction } from './certificate-subject-restriction.ts'
import { createDefaultIngressClass } from './default-ingress-class.ts'
import { createDefaultStorageClass } from './default-storage-class.ts'
import { defaultTolerationSeconds } from './default-toleration-seconds.ts'
import { createLegacyToken } from './legacy-token.ts'
import { createLimitRanger } from './limit-ranger.ts'
import { createMutatingWebhook } from './mutating-webhook.ts'
import { createNodeRestriction } from './node-restriction.ts'
import { createPersistentVolumeClaimResize } from './persistent-volume-claim-resize.ts'
import { createPodSecurity, type PodSecurityEnvironment } from './pod-security.ts'
import { createPodTopologyLabels } from './pod-topology-labels.ts'
import { createPolicyParams } from './policy-params.ts'
import { createPriority } from './priority.ts'
import { resourceQuota } from './resource-quota.ts'
import { createRoleEscalation } from './role-escalation.ts'
import { createRuntimeClass } from './runtime-class.ts'
import { createServiceAccountAdmission } from './service-account.ts'
import { storageObjectInUseProtection } from './storage-object-in-use-protection.ts'
import { taintNodesByCondition } from './taint-nodes-by-condition.ts'
import { createValidatingAdmissionPolicy, type PolicyEnvironment } from './validating-admission-policy.ts'
import { createValidatingWebhook } from './validating-webhook.ts'

/** What plugins are made with. */
export interface AdmissionEnvironment extends WebhookEnvironment, PolicyEnvironment {
  readonly random: Random
  readonly grants: Grants
  readonly issuer: TokenIssuer
  /** PEM of the cluster's CA. */
  readonly authority: string
}

/** What no cluster is safe without. */
const NEEDED = new Set(['RBACEscalation', 'PolicyParams'])

/** Kubernetes's plugins that are part of the verbs here, and so always asked. */
const ALWAYS = ['NamespaceLifecycle']

/** In Kubernetes's order; what it does elsewhere, or not as a plugin, stands where it does no harm. */
const createAll = (
  environment: AdmissionEnvironment & PodSecurityEnvironment,
  { mutating, validating }: AdmissionFile['webhooks'],
): readonly AdmissionPlugin[] => {
  const { cacher } = environment
  return [
    createLegacyToken(environment),
    createLimitRanger(cacher),
    createServiceAccountAdmission(environment),
    createNodeRestriction(cacher),
    taintNodesByCondition,
    createPodSecurity(environment),
    createPriority(cacher),
    defaultTolerationSeconds,
    createDefaultStorageClass(cacher),
    storageObjectInUseProtection,
    createPersistentVolumeClaimResize(cacher),
    createRuntimeClass(cacher),
    createCertificateApproval(environment),
    createCertificateSigning(environment),
    certificateSubjectRestriction,
    createDefaultIngressClass(cacher),
    createPodTopologyLabels(cacher),
    createRoleEscalation(environment),
    createPolicyParams(environment),
    createMutatingWebhook({ ...environment, credentials: mutating }),
    createValidatingAdmissionPolicy(environment),
    createValidatingWebhook({ ...environment, credentials: validating }),
    resourceQuota,
  ]
}

/** What the operator said, by kube-apiserver's flags. */
export interface AdmissionChoice {
  /** --enable-admission-plugins: all are asked anyway, but a name that is none is told. */
  readonly enabled: readonly string[]
  /** --disable-admission-plugins */
  readonly disabled: readonly string[]
  /** --admission-control-config-file */
  readonly file: AdmissionFile
}

/**
 * All but those that are disabled.
 * @throws SeamarkError BAD_OPTION
 */
export const createAdmission = (
  environment: AdmissionEnvironment,
  { enabled, disabled, file }: AdmissionChoice,
): readonly AdmissionPlugin[] => {
  const all = createAll({ ...environment, podSecurity: file.podSecurity }, file.webhooks)
  const names = all.map(({ name }) => name).filter(name => !NEEDED.has(name))
  const check = (flag: string, said: readonly string[], known: readonly string[]) => {
    const unknown = said.find(name => !known.includes(name))
    if (unknown !== undefined)
      throw new SeamarkError('BAD_OPTION', `--${flag}: "${unknown}" is none of ${known.join(', ')}`)
  }
  check('enable-admission-plugins', enabled, [...names, ...ALWAYS])
  check('disable-admission-plugins', disabled, names)
  check('admission-control-config-file', file.plugins, [...names, ...ALWAYS])
  const both = enabled.find(name => disabled.includes(name))
  if (both !== undefined)
    throw new SeamarkError('BAD_OPTION', `"${both}" is in --enable-admission-plugins and --disable-admission-plugins`)
  return all.filter(({ name }) => !disabled.includes(name))
}
