/** Which requests a webhook or a policy is about (admissionregistration.k8s.io RuleWithOperations, MatchResources). */
import { type FieldError, fieldDuplicate, fieldInvalid, fieldRequired } from '../field-error.ts'
import { type LabelSelector, validateLabelSelector } from '../label-selector.ts'
import { checkPathSegment } from '../name.ts'

export interface Rule {
  operations?: string[]
  apiGroups?: string[]
  apiVersions?: string[]
  /** `pods`, `pods/status`, `*`, `pods/*`, any of them with a star. */
  resources?: string[]
  scope?: string
}

export interface NamedRule extends Rule {
  resourceNames?: string[]
}

export interface MatchResources {
  namespaceSelector?: LabelSelector
  objectSelector?: LabelSelector
  resourceRules?: NamedRule[]
  excludeResourceRules?: NamedRule[]
  matchPolicy?: string
}

export const applyRuleDefaults = (rules: readonly Rule[] = []): void => {
  for (const rule of rules) rule.scope ??= '*'
}

export const applyMatchDefaults = (match: MatchResources | undefined): void => {
  if (!match) return
  match.matchPolicy ??= 'Equivalent'
  match.namespaceSelector ??= {}
  match.objectSelector ??= {}
  applyRuleDefaults(match.resourceRules)
  applyRuleDefaults(match.excludeResourceRules)
}

/** `*` stands alone. */
const validateList = (list: readonly string[], field: string, called: string): FieldError[] => {
  if (list.length === 0) return [fieldRequired(field)]
  return list.length > 1 && list.includes('*')
    ? [fieldInvalid(field, list, `if '*' is present, must not specify other ${called}`)]
    : []
}

const noneEmpty = (list: readonly string[], field: string): FieldError[] =>
  list.flatMap((item, index) => (item === '' ? [fieldRequired(`${field}[${index}]`)] : []))

/** What an earlier wildcard of the list says already. */
const validateSubresources = (resources: readonly string[], field: string): FieldError[] => {
  const [anySub, anyResource] = [new Set<string>(), new Set<string>()]
  return resources.flatMap((text, index) => {
    const slash = text.indexOf('/')
    if (slash < 0) return []
    const [resource, sub] = [text.slice(0, slash), text.slice(slash + 1)]
    const at = `${field}[${index}]`
    const errors = [
      ...(anySub.has(resource)
        ? [fieldInvalid(at, text, `if '${resource}/*' is present, must not specify ${text}`)]
        : []),
      ...(anyResource.has(sub) ? [fieldInvalid(at, text, `if '*/${sub}' is present, must not specify ${text}`)] : []),
    ]
    if (sub === '*') anySub.add(resource)
    if (resource === '*') anyResource.add(sub)
    return errors
  })
}

const validateResources = (resources: readonly string[], field: string): FieldError[] => {
  if (resources.length === 0) return [fieldRequired(field)]
  const errors = [...noneEmpty(resources, field), ...validateSubresources(resources, field)]
  if (resources.length > 1 && resources.includes('*/*'))
    errors.push(fieldInvalid(field, resources, "if '*/*' is present, must not specify other resources"))
  if (resources.includes('*') && resources.some(text => text !== '*' && text !== '' && !text.includes('/')))
    errors.push(
      fieldInvalid(field, resources, "if '*' is present, must not specify other resources without subresources"),
    )
  return errors
}

export const validateRule = (rule: Rule, field: string): FieldError[] => {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [] } = rule
  return [
    ...validateList(operations, `${field}.operations`, 'operations'),
    ...validateList(apiGroups, `${field}.apiGroups`, 'API groups'),
    ...validateList(apiVersions, `${field}.apiVersions`, 'API versions'),
    ...noneEmpty(apiVersions, `${field}.apiVersions`),
    ...validateResources(resources, `${field}.resources`),
  ]
}

const validateNamedRule = (rule: NamedRule, field: string): FieldError[] => {
  const { resourceNames = [] } = rule
  const names = resourceNames.flatMap((name, index) => {
    const at = `${field}.resourceNames[${index}]`
    const complaints = checkPathSegment(name).map(text => fieldInvalid(at, name, text))
    return resourceNames.indexOf(name) < index ? [...complaints, fieldDuplicate(at, name)] : complaints
  })
  return [...names, ...validateRule(rule, field)]
}

export const validateMatch = (match: MatchResources, field: string): FieldError[] => {
  const { namespaceSelector = {}, objectSelector = {}, resourceRules = [], excludeResourceRules = [] } = match
  return [
    ...validateLabelSelector(namespaceSelector, `${field}.namespaceSelector`),
    ...validateLabelSelector(objectSelector, `${field}.objectSelector`),
    ...resourceRules.flatMap((rule, index) => validateNamedRule(rule, `${field}.resourceRules[${index}]`)),
    ...excludeResourceRules.flatMap((rule, index) =>
      validateNamedRule(rule, `${field}.excludeResourceRules[${index}]`),
    ),
  ]
}
