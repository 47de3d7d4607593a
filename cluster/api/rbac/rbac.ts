/** The shapes of rbac.authorization.k8s.io/v1, and what they may not be (Kubernetes: pkg/apis/rbac). */
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from '../field-error.ts'
import { type LabelSelector, validateLabelSelector } from '../label-selector.ts'
import { checkDnsSubdomain, checkPathSegment } from '../name.ts'
import type { ApiObject } from '../object.ts'
import { isObject } from '../own-property.ts'

export const RBAC_GROUP = 'rbac.authorization.k8s.io'

export interface PolicyRule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
}

export interface Subject {
  readonly kind: string
  readonly apiGroup?: string
  readonly name: string
  readonly namespace?: string
}

export interface RoleRef {
  readonly apiGroup: string
  readonly kind: string
  readonly name: string
}

/** A Role or ClusterRole. */
export interface Role extends ApiObject {
  rules?: PolicyRule[] | null
  aggregationRule?: { readonly clusterRoleSelectors?: readonly LabelSelector[] }
}

/** A RoleBinding or ClusterRoleBinding. */
export interface Binding extends ApiObject {
  subjects?: Subject[]
  roleRef: RoleRef
}

type Scope = 'namespaced' | 'cluster'

const validateRule = (rule: PolicyRule, scope: Scope, at: string): FieldError[] => {
  const { verbs = [], apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule
  const errors: FieldError[] = []
  if (verbs.length === 0) errors.push(fieldRequired(`${at}.verbs`, 'verbs must contain at least one value'))
  if (nonResourceURLs.length > 0) {
    const complain = (detail: string) => errors.push(fieldInvalid(`${at}.nonResourceURLs`, nonResourceURLs, detail))
    if (scope === 'namespaced') complain('namespaced rules cannot apply to non-resource URLs')
    if (apiGroups.length + resources.length + resourceNames.length > 0)
      complain('rules cannot apply to both regular resources and non-resource URLs')
    return errors
  }
  if (apiGroups.length === 0)
    errors.push(fieldRequired(`${at}.apiGroups`, 'resource rules must supply at least one api group'))
  if (resources.length === 0)
    errors.push(fieldRequired(`${at}.resources`, 'resource rules must supply at least one resource'))
  return errors
}

const validateRules = (object: ApiObject, scope: Scope): FieldError[] =>
  ((object as Role).rules ?? []).flatMap((rule, index) => validateRule(rule, scope, `rules[${index}]`))

export const validateRole = (object: ApiObject): FieldError[] => validateRules(object, 'namespaced')

export const validateClusterRole = (object: ApiObject): FieldError[] => {
  const errors = validateRules(object, 'cluster')
  const { aggregationRule } = object as Role
  if (!aggregationRule) return errors
  const { clusterRoleSelectors = [] } = aggregationRule
  const field = 'aggregationRule.clusterRoleSelectors'
  if (clusterRoleSelectors.length === 0)
    errors.push(fieldRequired(field, 'at least one clusterRoleSelector required if aggregationRule is non-nil'))
  return [
    ...errors,
    ...clusterRoleSelectors.flatMap((selector, index) => validateLabelSelector(selector, `${field}[${index}]`)),
  ]
}

const validateServiceAccount = (subject: Subject, scope: Scope, at: string): FieldError[] => {
  const errors: FieldError[] = []
  if (subject.name)
    errors.push(...checkDnsSubdomain(subject.name).map(text => fieldInvalid(`${at}.name`, subject.name, text)))
  if (subject.apiGroup) errors.push(fieldNotSupported(`${at}.apiGroup`, subject.apiGroup, ['']))
  if (scope === 'cluster' && !subject.namespace) errors.push(fieldRequired(`${at}.namespace`))
  return errors
}

const validateSubject = (subject: Subject, scope: Scope, at: string): FieldError[] => {
  const errors = subject.name ? [] : [fieldRequired(`${at}.name`)]
  switch (subject.kind) {
    case 'ServiceAccount':
      return [...errors, ...validateServiceAccount(subject, scope, at)]
    case 'User':
    case 'Group':
      if (subject.apiGroup === RBAC_GROUP) return errors
      return [...errors, fieldNotSupported(`${at}.apiGroup`, subject.apiGroup ?? '', [RBAC_GROUP])]
    default:
      return [...errors, fieldNotSupported(`${at}.kind`, subject.kind ?? '', ['ServiceAccount', 'User', 'Group'])]
  }
}

const validateBinding = (object: ApiObject, scope: Scope): FieldError[] => {
  const { roleRef, subjects = [] } = object as Binding
  const { apiGroup = '', kind = '', name = '' } = isObject(roleRef) ? (roleRef as Partial<RoleRef>) : {}
  const kinds = scope === 'namespaced' ? ['Role', 'ClusterRole'] : ['ClusterRole']
  const errors: FieldError[] = []
  if (apiGroup !== RBAC_GROUP) errors.push(fieldNotSupported('roleRef.apiGroup', apiGroup, [RBAC_GROUP]))
  if (!kinds.includes(kind)) errors.push(fieldNotSupported('roleRef.kind', kind, kinds))
  if (name === '') errors.push(fieldRequired('roleRef.name'))
  else errors.push(...checkPathSegment(name).map(text => fieldInvalid('roleRef.name', name, text)))
  return [...errors, ...subjects.flatMap((subject, index) => validateSubject(subject, scope, `subjects[${index}]`))]
}

export const validateRoleBinding = (object: ApiObject): FieldError[] => validateBinding(object, 'namespaced')
export const validateClusterRoleBinding = (object: ApiObject): FieldError[] => validateBinding(object, 'cluster')

/** What a binding grants never changes, so that whoever may only choose its subjects cannot grant more. */
export const validateBindingUpdate = (next: ApiObject, current: ApiObject): FieldError[] => {
  const [a, b] = [(next as Binding).roleRef, (current as Binding).roleRef]
  if (a?.apiGroup === b?.apiGroup && a?.kind === b?.kind && a?.name === b?.name) return []
  // Kubernetes prints its own struct.
  const printed = { APIGroup: a?.apiGroup ?? '', Kind: a?.kind ?? '', Name: a?.name ?? '' }
  return [fieldInvalid('roleRef', printed, 'cannot change roleRef')]
}

/** Users, groups and roles are of this API group unless they say otherwise. */
export const defaultBinding = (object: ApiObject): void => {
  const binding = object as Binding
  if (!binding.roleRef?.apiGroup) binding.roleRef = { ...binding.roleRef, apiGroup: RBAC_GROUP }
  if (!Array.isArray(binding.subjects)) return
  binding.subjects = binding.subjects.map(subject =>
    !subject.apiGroup && (subject.kind === 'User' || subject.kind === 'Group')
      ? { ...subject, apiGroup: RBAC_GROUP }
      : subject,
  )
}
