/** ValidatingAdmissionPolicyBinding: where a policy applies, with what parameters, and what becomes of a failure. */
import { validateBinding } from '../admission-registration/policy.ts'
import { bindingSpec } from '../admission-registration/policy-spec.ts'
import { applyMatchDefaults } from '../admission-registration/rules.ts'
import { ageColumn, column } from '../column.ts'
import type { Kind } from '../kind.ts'
import { selectorString } from '../label-selector.ts'
import type { ApiObject } from '../object.ts'

const paramText = (object: ApiObject): string => {
  const { paramRef } = bindingSpec(object)
  if (paramRef?.name) return `${paramRef.namespace || '*'}/${paramRef.name}`
  return paramRef?.selector ? selectorString(paramRef.selector) : '<unset>'
}

export const validatingAdmissionPolicyBindingKind: Kind = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  resource: 'validatingadmissionpolicybindings',
  singular: 'validatingadmissionpolicybinding',
  shortNames: [],
  categories: ['api-extensions'],
  namespaced: false,
  type: 'admissionregistration.k8s.io/v1.ValidatingAdmissionPolicyBinding',
  hasStatus: false,
  countsGenerations: true,
  takesAnyFinalizer: true,
  unconditionalUpdate: false,
  applyDefaults: object => applyMatchDefaults(bindingSpec(object).matchResources),
  validate: validateBinding,
  columns: [
    column('PolicyName', 'What it applies.', object => bindingSpec(object).policyName ?? ''),
    column('ParamRef', 'What the expressions are told besides.', paramText),
    ageColumn,
  ],
}
