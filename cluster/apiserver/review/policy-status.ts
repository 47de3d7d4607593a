/**
 * Writes into each policy's status what its expressions would not find in the kinds that it is about, and of which
 * generation that is (Kubernetes: the validatingadmissionpolicy-status controller).
 */
import { policySpec } from '#cluster/api/admission-registration/policy-spec.ts'
import { checkPolicyTypes } from '#cluster/api/admission-registration/type-check.ts'
import { validatingAdmissionPolicyKind } from '#cluster/api/kinds/validating-admission-policy.ts'
import type { ApiObject } from '#cluster/api/object.ts'
import { notFound } from '#cluster/api/status.ts'
import type { Milliseconds } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { accepted, refused } from '#lib/result.ts'
import type { Registry } from '../registry.ts'
import type { WriteOptions } from '../verbs/request.ts'
import { update } from '../verbs/update.ts'

const RETRY: Milliseconds = 1_000
const WRITING: WriteOptions = { dryRun: false, manager: 'kube-controller-manager', warn: () => {} }

const isObserved = ({ metadata, status }: ApiObject): boolean =>
  ((status ?? {}) as { observedGeneration?: number }).observedGeneration === metadata.generation

export class PolicyStatus {
  readonly #registry: Registry
  readonly #logger: Logger
  #stop: (() => void) | undefined

  constructor(registry: Registry, logger: Logger) {
    this.#registry = registry
    this.#logger = logger
  }

  start(): void {
    const cache = this.#registry.cacher.cache(validatingAdmissionPolicyKind)
    this.#stop = cache.subscribe(({ current }) => {
      if (current && !isObserved(current.object)) void this.#observe(current.key)
    })
    for (const { key, object } of cache.list()) if (!isObserved(object)) void this.#observe(key)
  }

  close(): void {
    this.#stop?.()
    this.#stop = undefined
  }

  /** Never rejects; what fails is tried again. */
  async #observe(name: string): Promise<void> {
    if (!this.#stop) return
    try {
      await this.#write(name)
    } catch (error) {
      if (!this.#stop) return
      this.#logger.warn({ error, policy: name }, "cannot check a policy's types; will try again")
      this.#registry.clock.after(RETRY, () => void this.#observe(name))
    }
  }

  async #write(name: string): Promise<void> {
    const kind = validatingAdmissionPolicyKind
    const target = { resource: this.#registry.resource(kind), namespace: undefined, name, subresource: 'status' }
    const written = await update(
      this.#registry,
      target,
      current => {
        if (!current) return refused(notFound({ ...kind, name }))
        const next = structuredClone(current)
        const kinds = this.#registry.resources.map(resource => resource.kind)
        const expressionWarnings = checkPolicyTypes(policySpec(next), kinds)
        const typeChecking = expressionWarnings.length > 0 ? { expressionWarnings } : {}
        const { generation } = next.metadata
        next.status = { ...(next.status as object | undefined), observedGeneration: generation, typeChecking }
        return accepted(next)
      },
      WRITING,
    )
    // Gone: nothing to check.
    if (!written.ok && written.problem.code !== 404) throw new Error(written.problem.message)
  }
}
