/** ValidatingAdmissionPolicy: what is written must satisfy its expressions, wherever a binding applies it (KEP-3488). */
import { validatePolicy } from '../admission-registration/policy.ts'
import { policySpec } from '../admission-registration/policy-spec.ts'
import { applyMatchDefaults } from '../admission-registration/rules.ts'
import { ageColumn, column, integerColumn } from '../column.ts'
import type { Kind } from '../kind.ts'

export const validatingAdmissionPolicyKind: Kind = {
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  resource: 'validatingadmissionpolicies',
  singular: 'validatingadmissionpolicy',
  shortNames: [],
  categories: ['api-extensions'],
  namespaced: false,
  type: 'admissionregistration.k8s.io/v1.ValidatingAdmissionPolicy',
  hasStatus: true,
  countsGenerations: true,
  takesAnyFinalizer: true,
  unconditionalUpdate: false,
  applyDefaults(object) {
    const spec = policySpec(object)
    object.spec = spec
    spec.failurePolicy ??= 'Fail'
    applyMatchDefaults(spec.matchConstraints)
  },
  prepareForCreate(object) {
    object.status = {}
  },
  validate: validatePolicy,
  columns: [
    integerColumn('Validations', 'How many expressions must hold.', object => {
      return (policySpec(object).validations ?? []).length
    }),
    column('ParamKind', 'What its expressions are told besides.', object => {
      const { paramKind } = policySpec(object)
      return paramKind ? `${paramKind.apiVersion}/${paramKind.kind}` : '<unset>'
    }),
    ageColumn,
  ],
}
