/** The policies that have bindings, compiled, with what a binding's paramRef finds. */
import { type CompiledPolicy, compilePolicy } from '#cluster/api/admission-registration/compiled-policy.ts'
import {
  type BindingSpec,
  bindingSpec,
  type PolicySpec,
  policySpec,
} from '#cluster/api/admission-registration/policy-spec.ts'
import { validatingAdmissionPolicyKind } from '#cluster/api/kinds/validating-admission-policy.ts'
import { validatingAdmissionPolicyBindingKind } from '#cluster/api/kinds/validating-admission-policy-binding.ts'
import { matchesSelector } from '#cluster/api/label-selector.ts'
import { type ApiObject, apiVersionOf } from '#cluster/api/object.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { Resource } from '../registry.ts'
import type { Cacher } from '../storage/cacher.ts'
import { servedObjects } from '../storage/served-objects.ts'
import type { WatchCache } from '../storage/watch-cache.ts'

export interface Binding {
  readonly name: string
  readonly spec: BindingSpec
}

export interface Policy {
  readonly name: string
  readonly spec: PolicySpec
  readonly compiled: CompiledPolicy
  readonly bindings: readonly Binding[]
}

export class Policies {
  readonly #policies: WatchCache
  readonly #bindings: WatchCache
  readonly #compiled = new Map<string, { readonly revision: number; readonly compiled: CompiledPolicy }>()
  #known: readonly Policy[] | undefined

  constructor(cacher: Cacher) {
    this.#policies = cacher.cache(validatingAdmissionPolicyKind)
    this.#bindings = cacher.cache(validatingAdmissionPolicyBindingKind)
    for (const cache of [this.#policies, this.#bindings])
      cache.subscribe(() => {
        this.#known = undefined
      })
  }

  /** By name. */
  get all(): readonly Policy[] {
    if (this.#policies.size === 0 || this.#bindings.size === 0) return []
    this.#known ??= this.#gather()
    return this.#known
  }

  #gather(): readonly Policy[] {
    const bindings = this.#bindings.list().map(({ object }) => ({
      name: object.metadata.name ?? '',
      spec: bindingSpec(object),
    }))
    return this.#policies.list().flatMap(({ object, revision }) => {
      const { name = '' } = object.metadata
      const own = bindings.filter(({ spec }) => spec.policyName === name)
      if (own.length === 0) return []
      return [{ name, spec: policySpec(object), compiled: this.#compile(object, revision), bindings: own }]
    })
  }

  /** Once each time it changes. */
  #compile(object: ApiObject, revision: number): CompiledPolicy {
    const { uid = '' } = object.metadata
    const known = this.#compiled.get(uid)
    if (known?.revision === revision) return known.compiled
    const compiled = compilePolicy(policySpec(object)).policy
    this.#compiled.set(uid, { revision, compiled })
    return compiled
  }
}

/** What a paramRef may name: the resource of a kind, if it is served. */
export const findParamResource = (resources: readonly Resource[], { paramKind }: PolicySpec): Resource | undefined =>
  resources.find(({ kind }) => kind.kind === paramKind?.kind && apiVersionOf(kind) === paramKind?.apiVersion)

/**
 * The parameters of a binding for a request in `namespace` ('': in none); an undefined one: none are wanted. Refused: what is
 * wrong with the binding, in Kubernetes's words.
 */
export const collectParams = async (
  resources: readonly Resource[],
  policy: Policy,
  { spec: { paramRef } }: Binding,
  namespace: string,
): Promise<Result<readonly (ApiObject | undefined)[], string>> => {
  const { paramKind } = policy.spec
  if (!paramKind || !paramRef) return accepted([undefined])
  const resource = findParamResource(resources, policy.spec)
  if (!resource) return refused(`paramKind kind \`${paramKind.apiVersion}, Kind=${paramKind.kind}\` not known`)
  const { namespaced } = resource.kind
  if (!namespaced && paramRef.namespace)
    return refused('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
  const place = namespaced ? paramRef.namespace || namespace : ''
  if (namespaced && place === '')
    return refused('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources')
  const { name, selector, parameterNotFoundAction } = paramRef
  const stored = resource.cache.list(namespaced ? place : undefined)
  const named = name ? stored.filter(({ object }) => object.metadata.name === name) : stored
  const served = await servedObjects(resource.kind, named)
  if (!served.ok) return refused(served.problem.message ?? '')
  const found = served.value
    .map(({ object }) => object)
    .filter(({ metadata }) => name || matchesSelector(selector ?? {}, metadata.labels ?? {}))
  return found.length === 0 && parameterNotFoundAction === 'Deny'
    ? refused('no params found for policy binding with `Deny` parameterNotFoundAction')
    : accepted(found)
}
