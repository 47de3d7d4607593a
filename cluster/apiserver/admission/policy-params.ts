/**
 * Nobody lets a policy read for them what they may not read themselves: its parameters could be told in its messages.
 * Who names a kind of parameters may get all of that kind, who binds some may get (or list) those.
 */
import { bindingSpec, type PolicySpec, policySpec } from '#cluster/api/admission-registration/policy-spec.ts'
import { type FieldError, fieldForbidden } from '#cluster/api/field-error.ts'
import { isSame } from '#cluster/api/immutable.ts'
import { validatingAdmissionPolicyKind } from '#cluster/api/kinds/validating-admission-policy.ts'
import { validatingAdmissionPolicyBindingKind } from '#cluster/api/kinds/validating-admission-policy-binding.ts'
import { invalid } from '#cluster/api/status.ts'
import type { AdmissionPlugin, AdmissionRequest, Refusal } from '../admission.ts'
import { MASTERS } from '../authenticator.ts'
import type { Attributes, Decision, ResourceAttributes } from '../authorizer.ts'
import type { Resource } from '../registry.ts'
import { findParamResource } from '../review/policies.ts'
import type { Cacher } from '../storage/cacher.ts'

export interface PolicyParamsEnvironment {
  readonly cacher: Cacher
  readonly decide: (attributes: Attributes) => Promise<Decision>
  readonly resources: () => readonly Resource[]
}

type Asked = Pick<ResourceAttributes, 'namespace' | 'name'>

export const createPolicyParams = ({ cacher, decide, resources }: PolicyParamsEnvironment): AdmissionPlugin => {
  /** A kind that is not served yet may become any. */
  const mayRead = async (request: AdmissionRequest, verb: string, spec: PolicySpec | undefined, asked: Asked) => {
    const { user } = request
    const found = spec && findParamResource(resources(), spec)
    const { group, version, resource } = found?.kind ?? { group: '*', version: '*', resource: '*' }
    const attributes = { user, verb, path: '', resource: { group, version, resource, subresource: '', ...asked } }
    return (await decide(attributes)).decision === 'allow'
  }

  const checkPolicy = async (request: AdmissionRequest): Promise<FieldError | undefined> => {
    const spec = policySpec(request.object)
    const { paramKind } = spec
    if (!paramKind || (request.current && isSame(paramKind, policySpec(request.current).paramKind))) return undefined
    if (await mayRead(request, 'get', spec, { namespace: '*', name: '*' })) return undefined
    const kind = `(kind=${paramKind.kind}, apiVersion=${paramKind.apiVersion})`
    const text = `user ${request.user.name} must have "get" permission on all objects of the referenced paramKind ${kind}`
    return fieldForbidden('spec.paramKind', text)
  }

  const checkBinding = async (request: AdmissionRequest): Promise<FieldError | undefined> => {
    const spec = bindingSpec(request.object)
    const { paramRef, policyName = '' } = spec
    const before = request.current && bindingSpec(request.current)
    if (!paramRef || (before && isSame(paramRef, before.paramRef) && policyName === before.policyName)) return undefined
    const policy = cacher.cache(validatingAdmissionPolicyKind).get(policyName)?.object
    const { name = '', namespace = '' } = paramRef
    const verb = name === '' ? 'list' : 'get'
    if (await mayRead(request, verb, policy && policySpec(policy), { namespace, name })) return undefined
    const text = `user ${request.user.name} does not have "${verb}" permission on the object referenced by paramRef`
    return fieldForbidden('spec.paramRef', text)
  }

  const judge = async (request: AdmissionRequest, check: typeof checkPolicy): Promise<Refusal> => {
    const problem = await check(request)
    return problem && invalid({ ...request.kind, name: request.object.metadata.name ?? '' }, [problem])
  }

  return {
    name: 'PolicyParams',
    validate(request) {
      const { kind, verb, subresource, user } = request
      if (verb === 'delete' || subresource !== '' || user.groups.includes(MASTERS)) return undefined
      if (kind === validatingAdmissionPolicyKind) return judge(request, checkPolicy)
      return kind === validatingAdmissionPolicyBindingKind ? judge(request, checkBinding) : undefined
    },
  }
}
