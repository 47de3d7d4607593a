/**
 * ValidatingAdmissionPolicies (KEP-3488): wherever a binding applies one, its expressions must hold for what is written. A
 * failure is refused, told as a warning, or noted, as the binding says.
 */
import type { MatchResources } from '#cluster/api/admission-registration/rules.ts'
import type { Kind } from '#cluster/api/kind.ts'
import { namespaceKind } from '#cluster/api/kinds/namespace.ts'
import { forbidden, type Status, type StatusReason } from '#cluster/api/status.ts'
import type { Logger } from '#lib/log.ts'
import type { AdmissionPlugin, AdmissionRequest, Refusal } from '../admission.ts'
import type { Resource } from '../registry.ts'
import { isExempt, matchedVersion, matchesNamespace, matchesObject } from '../review/matching.ts'
import { type Binding, collectParams, Policies, type Policy } from '../review/policies.ts'
import { type Denial, evaluatePolicy } from '../review/policy-evaluation.ts'
import { bothVersions, namespaceOf } from '../review/reviewed.ts'
import type { WebhooksEnvironment } from '../review/webhooks.ts'
import { withConversions } from '../storage/convert-object.ts'

export interface PolicyEnvironment extends WebhooksEnvironment {
  readonly logger: Logger
  /** All that are served: parameters are of any kind. */
  readonly resources: () => readonly Resource[]
}

const CODES: Readonly<Record<string, number>> = { Forbidden: 403, Invalid: 422, RequestEntityTooLarge: 413 }

const deniedStatus = (
  request: AdmissionRequest,
  { name }: Policy,
  binding: Binding | undefined,
  { message, reason = 'Invalid' }: Pick<Denial, 'message' | 'reason'>,
): Status => {
  const bound = binding ? ` with binding '${binding.name}'` : ''
  const text = `ValidatingAdmissionPolicy '${name}'${bound} denied request: ${message}`
  const { kind, object } = request
  const status = forbidden({ ...kind, name: request.name || (object.metadata.name ?? '') }, text)
  const causes = [{ message: text }]
  return {
    ...status,
    reason: reason as StatusReason,
    details: { ...status.details, causes },
    code: CODES[reason] ?? 422,
  }
}

/** The request in the time between two looks at the clock. */
class Judging {
  readonly #environment: PolicyEnvironment
  readonly #request: AdmissionRequest
  readonly #annotations = new Map<string, Set<string>>()
  refusal: Refusal

  constructor(environment: PolicyEnvironment, request: AdmissionRequest) {
    this.#environment = environment
    this.#request = request
  }

  async judge(policy: Policy): Promise<void> {
    const version = this.#matched(policy.spec.matchConstraints ?? {})
    if (!version) return
    for (const binding of policy.bindings) {
      const { matchResources } = binding.spec
      if (!matchResources || this.#matched(matchResources)) await this.#judgeBinding(policy, binding, version)
    }
  }

  /** There is no audit log: the log is where they are kept. */
  keep(): void {
    if (this.#annotations.size === 0) return
    const annotations = Object.fromEntries([...this.#annotations].map(([key, values]) => [key, [...values].join(', ')]))
    const { kind, namespace, name, user } = this.#request
    const about = { resource: kind.resource, group: kind.group, namespace, name, user: user.name }
    this.#environment.logger.info({ ...about, annotations }, 'audit annotations')
  }

  /** Without rules of its own a binding is about all that its policy is about. */
  #matched(match: MatchResources): Kind | undefined {
    const { namespaceSelector, objectSelector, resourceRules, excludeResourceRules = [], matchPolicy } = match
    const { cacher, versionsOf } = this.#environment
    const request = this.#request
    if (!matchesNamespace(namespaceSelector, request, cacher) || !matchesObject(objectSelector, request))
      return undefined
    const versions = matchPolicy === 'Exact' ? [] : versionsOf(request.kind)
    if (matchedVersion(excludeResourceRules, request, versions)) return undefined
    if (!resourceRules || resourceRules.length === 0) return request.kind
    return matchedVersion(resourceRules, request, versions)
  }

  async #judgeBinding(policy: Policy, binding: Binding, version: Kind): Promise<void> {
    const { decide, cacher, clock } = this.#environment
    const request = this.#request
    const place = request.kind === namespaceKind ? '' : namespaceOf(request)
    const params = await collectParams(this.#environment.resources(), policy, binding, namespaceOf(request))
    if (!params.ok) {
      if (policy.spec.failurePolicy === 'Ignore') return
      const message = `failed to configure binding: ${params.problem}`
      this.refusal ??= deniedStatus(request, policy, binding, { message, reason: undefined })
      return
    }
    const versioned = await withConversions(() => bothVersions(request, version))
    if (!versioned.ok) {
      this.refusal ??= versioned.problem
      return
    }
    const subject = { request, decide, ...versioned.value }
    const namespace = place === '' ? undefined : cacher.cache(namespaceKind).get(place)?.object
    for (const param of params.value) {
      const start = clock.monotonic()
      const { denials, annotations } = await evaluatePolicy(this.#environment, policy, { subject, param, namespace })
      const seconds = (clock.monotonic() - start) / 1000
      for (const denial of denials) this.#enforce(policy, binding, denial, seconds)
      for (const [key, value] of Object.entries(annotations)) this.#note(`${policy.name}/${key}`, value)
    }
  }

  #enforce(policy: Policy, binding: Binding, denial: Denial, seconds: number): void {
    const { validationActions = [] } = binding.spec
    for (const action of validationActions) {
      this.#count(policy, binding, { denial, action, seconds })
      if (action === 'Deny') this.refusal ??= deniedStatus(this.#request, policy, binding, denial)
      else if (action === 'Warn')
        this.#request.warn(
          `Validation failed for ValidatingAdmissionPolicy '${policy.name}' with binding '${binding.name}': ${denial.message}`,
        )
      else this.#noteFailure(policy, binding, denial)
    }
  }

  #noteFailure(policy: Policy, binding: Binding, { message, index }: Denial): void {
    const { validationActions = [] } = binding.spec
    const value = [{ message, policy: policy.name, binding: binding.name, expressionIndex: index, validationActions }]
    this.#note('validation.policy.admission.k8s.io/validation_failure', JSON.stringify(value))
  }

  #note(key: string, value: string): void {
    const values = this.#annotations.get(key) ?? new Set()
    this.#annotations.set(key, values.add(value))
  }

  #count(policy: Policy, binding: Binding, what: { denial: Denial; action: string; seconds: number }): void {
    const labels = {
      policy: policy.name,
      policy_binding: binding.name,
      error_type: what.denial.reason === undefined ? 'invalid_error' : 'no_error',
      enforcement_action: what.action.toLowerCase(),
    }
    const { checks, checkDurations } = this.#environment.metrics.families
    checks.inc(labels)
    checkDurations.observe(labels, what.seconds)
  }
}

export const createValidatingAdmissionPolicy = (environment: PolicyEnvironment): AdmissionPlugin => {
  const policies = new Policies(environment.cacher)

  const judge = async (request: AdmissionRequest, all: readonly Policy[]): Promise<Refusal> => {
    const judging = new Judging(environment, request)
    for (const policy of all) await judging.judge(policy)
    judging.keep()
    return judging.refusal
  }

  return {
    name: 'ValidatingAdmissionPolicy',
    validate(request) {
      const { all } = policies
      return all.length === 0 || isExempt(request) ? undefined : judge(request, all)
    },
  }
}
