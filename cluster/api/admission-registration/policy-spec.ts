/** What ValidatingAdmissionPolicies and their bindings say (KEP-3488). */
import type { LabelSelector } from '../label-selector.ts'
import type { ApiObject } from '../object.ts'
import type { MatchCondition } from './expressions.ts'
import type { MatchResources } from './rules.ts'

export interface ParamKind {
  apiVersion?: string
  kind?: string
}

export interface Variable {
  name?: string
  expression?: string
}

export interface Validation {
  expression?: string
  message?: string
  messageExpression?: string
  reason?: string
}

export interface AuditAnnotation {
  key?: string
  valueExpression?: string
}

export interface PolicySpec {
  paramKind?: ParamKind
  matchConstraints?: MatchResources
  matchConditions?: MatchCondition[]
  variables?: Variable[]
  validations?: Validation[]
  auditAnnotations?: AuditAnnotation[]
  failurePolicy?: string
}

export interface ParamRef {
  name?: string
  namespace?: string
  selector?: LabelSelector
  parameterNotFoundAction?: string
}

export interface BindingSpec {
  policyName?: string
  paramRef?: ParamRef
  matchResources?: MatchResources
  validationActions?: string[]
}

export const policySpec = ({ spec }: ApiObject): PolicySpec => (spec ?? {}) as PolicySpec
export const bindingSpec = ({ spec }: ApiObject): BindingSpec => (spec ?? {}) as BindingSpec
