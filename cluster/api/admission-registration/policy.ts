/** What ValidatingAdmissionPolicies and their bindings may be. */
import {
  type FieldError,
  fieldDuplicate,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../field-error.ts'
import { validateLabelSelector } from '../label-selector.ts'
import { checkDns1035Label, checkDnsSubdomain, checkPathSegment, checkQualifiedName } from '../name.ts'
import type { ApiObject } from '../object.ts'
import { compilePolicy } from './compiled-policy.ts'
import { validateConditions } from './expressions.ts'
import {
  type AuditAnnotation,
  bindingSpec,
  type ParamKind,
  type ParamRef,
  type PolicySpec,
  policySpec,
  type Validation,
  type Variable,
} from './policy-spec.ts'
import { validateMatch } from './rules.ts'

const MAX_ANNOTATIONS = 20
/** Bytes. */
const MAX_VALUE_EXPRESSION = 5 * 1024
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']

const validateParamKind = ({ apiVersion = '', kind = '' }: ParamKind, field: string): FieldError[] => {
  const [at, kindAt] = [`${field}.apiVersion`, `${field}.kind`]
  const parts = apiVersion.split('/')
  const [group, version] = parts.length > 1 ? [parts[0]!, parts[1]!] : ['', parts[0]!]
  const errors: FieldError[] = []
  if (apiVersion === '') errors.push(fieldRequired(at))
  else if (parts.length > 2) errors.push(fieldInvalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`))
  else {
    const wrong = group === '' ? [] : checkDnsSubdomain(group)
    if (wrong.length > 0) errors.push(fieldInvalid(at, group, wrong.join(',')))
    if (version === '') errors.push(fieldInvalid(at, apiVersion, 'version must be specified'))
    else if (checkDns1035Label(version).length > 0)
      errors.push(fieldInvalid(at, version, checkDns1035Label(version).join(',')))
  }
  if (kind === '') return [...errors, fieldRequired(kindAt)]
  const complaints = checkDns1035Label(kind.toLowerCase())
  if (complaints.length === 0) return errors
  return [
    ...errors,
    fieldInvalid(kindAt, kind, `may have mixed case, but should otherwise match: ${complaints.join(',')}`),
  ]
}

const validateVariable = ({ name = '', expression = '' }: Variable, field: string): FieldError[] => [
  ...(name.trim() === '' ? [fieldRequired(`${field}.name`, 'name is not specified')] : []),
  ...(name.trim() !== '' && !/^[_a-zA-Z][_a-zA-Z0-9]*$/.test(name)
    ? [fieldInvalid(`${field}.name`, name, 'must be a valid CEL identifier')]
    : []),
  ...(expression.trim() === '' ? [fieldRequired(`${field}.expression`, 'expression is not specified')] : []),
]

const validateValidation = (validation: Validation, field: string): FieldError[] => {
  const { expression = '', message = '', messageExpression = '', reason } = validation
  const errors: FieldError[] = []
  if (expression.trim() === '') errors.push(fieldRequired(`${field}.expression`, 'expression is not specified'))
  if (messageExpression !== '' && messageExpression.trim() === '')
    errors.push(fieldInvalid(`${field}.messageExpression`, messageExpression, 'must be non-empty if specified'))
  if (message !== '' && message.trim() === '')
    errors.push(fieldInvalid(`${field}.message`, message, 'must be non-empty if specified'))
  else if (/[\n\r]/.test(message.trim()))
    errors.push(fieldInvalid(`${field}.message`, message, 'must not contain line breaks'))
  if (reason !== undefined && !REASONS.includes(reason))
    errors.push(fieldNotSupported(`${field}.reason`, reason, REASONS))
  return errors
}

const validateAnnotation = ({ key = '', valueExpression = '' }: AuditAnnotation, name: string, field: string) => {
  const full = `${name}/${key}`
  const errors = checkQualifiedName(full).map(text => fieldInvalid(`${field}.key`, full, text))
  const at = `${field}.valueExpression`
  const trimmed = valueExpression.trim()
  if (trimmed === '') return [...errors, fieldRequired(at, 'valueExpression is not specified')]
  return Buffer.byteLength(trimmed) > MAX_VALUE_EXPRESSION
    ? [...errors, fieldRequired(at, `must not exceed ${MAX_VALUE_EXPRESSION} bytes in length`)]
    : errors
}

const validateAnnotations = (annotations: readonly AuditAnnotation[], name: string, field: string): FieldError[] => [
  ...(annotations.length > MAX_ANNOTATIONS
    ? [fieldInvalid(field, annotations, `must not have more than ${MAX_ANNOTATIONS} auditAnnotations`)]
    : []),
  ...annotations.flatMap((annotation, index) => {
    const errors = validateAnnotation(annotation, name, `${field}[${index}]`)
    const again = annotations.findIndex(other => other.key === annotation.key) < index
    return again ? [...errors, fieldDuplicate(`${field}[${index}].key`, annotation.key)] : errors
  }),
]

const validateChecks = (spec: PolicySpec, name: string): FieldError[] => {
  const { validations = [], auditAnnotations = [] } = spec
  const nothing = 'validations or auditAnnotations must contain at least one item'
  if (validations.length === 0 && auditAnnotations.length === 0)
    return [fieldRequired('spec.validations', nothing), fieldRequired('spec.auditAnnotations', nothing)]
  return [
    ...validations.flatMap((validation, index) => validateValidation(validation, `spec.validations[${index}]`)),
    ...validateAnnotations(auditAnnotations, name, 'spec.auditAnnotations'),
  ]
}

/** Where it stands among the rest: conditions are looked at with their names. */
const expressionErrors = (spec: PolicySpec): FieldError[] =>
  compilePolicy(spec).errors.filter(({ field }) => !field.startsWith('spec.matchConditions'))

export const validatePolicy = (object: ApiObject): FieldError[] => {
  const spec = policySpec(object)
  const { paramKind, matchConstraints, matchConditions = [], variables = [] } = spec
  return [
    ...(paramKind ? validateParamKind(paramKind, 'spec.paramKind') : []),
    ...(matchConstraints
      ? validateMatch(matchConstraints, 'spec.matchConstraints')
      : [fieldRequired('spec.matchConstraints')]),
    ...(matchConstraints && (matchConstraints.resourceRules ?? []).length === 0
      ? [fieldRequired('spec.matchConstraints.resourceRules')]
      : []),
    ...validateConditions(matchConditions, 'spec.matchConditions', {
      params: paramKind !== undefined,
      authorizer: true,
    }),
    ...variables.flatMap((variable, index) => validateVariable(variable, `spec.variables[${index}]`)),
    ...validateChecks(spec, object.metadata.name ?? ''),
    ...expressionErrors(spec),
  ]
}

const validateParamRef = ({ name = '', selector, parameterNotFoundAction }: ParamRef, field: string): FieldError[] => {
  const errors: FieldError[] = []
  const both = 'name and selector are mutually exclusive'
  if (name !== '') {
    errors.push(...checkPathSegment(name).map(text => fieldInvalid(`${field}.name`, name, text)))
    if (selector) errors.push(fieldForbidden(`${field}.name`, both))
  }
  if (selector) {
    errors.push(...validateLabelSelector(selector, `${field}.selector`))
    if (name !== '') errors.push(fieldForbidden(`${field}.selector`, both))
  }
  if (name === '' && !selector) errors.push(fieldRequired(field, 'one of name or selector must be specified'))
  if (!parameterNotFoundAction) errors.push(fieldRequired(`${field}.parameterNotFoundAction`))
  return errors
}

const validateActions = (actions: readonly string[], field: string): FieldError[] => {
  const errors = actions.flatMap((action, index) =>
    actions.indexOf(action) < index ? [fieldDuplicate(`${field}[${index}]`, action)] : [],
  )
  if (actions.includes('Deny') && actions.includes('Warn'))
    errors.push(
      fieldInvalid(
        field,
        actions,
        'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)',
      ),
    )
  return actions.length === 0 ? [fieldRequired(field, 'at least one validation action is required')] : errors
}

export const validateBinding = (object: ApiObject): FieldError[] => {
  const { policyName = '', paramRef, matchResources, validationActions = [] } = bindingSpec(object)
  return [
    ...(policyName === ''
      ? [fieldRequired('spec.policyName')]
      : checkDnsSubdomain(policyName).map(text => fieldInvalid('spec.policyName', policyName, text))),
    ...(paramRef ? validateParamRef(paramRef, 'spec.paramRef') : []),
    ...(matchResources ? validateMatch(matchResources, 'spec.matchResources') : []),
    ...validateActions(validationActions, 'spec.validationActions'),
  ]
}
