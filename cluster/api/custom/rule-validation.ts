/** Whether the validation rules of a schema may stand there: well written, compiling, and comparable where they compare. */
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from '../field-error.ts'
import { isObject } from '../own-property.ts'
import { findField } from './field-path.ts'
import { rulesAt } from './rules.ts'
import { readSchema, type Schema, type SchemaProps, type ValidationRule } from './schema.ts'

const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired']

const hasLines = (text: string): boolean => /[\n\r]/.test(text)

const checkMessage = ({ rule = '', message = '' }: ValidationRule, at: string): FieldError[] => {
  if (rule.trim() === '') return [fieldRequired(`${at}.rule`, 'rule is not specified')]
  const path = `${at}.message`
  if (message !== '' && message.trim() === '') return [fieldInvalid(path, message, 'must be non-empty if specified')]
  if (hasLines(message.trim())) return [fieldInvalid(path, message, 'must not contain line breaks')]
  return hasLines(rule.trim()) && message.trim() === ''
    ? [fieldRequired(path, 'message must be specified if rule contains line breaks')]
    : []
}

const checkFieldPath = ({ fieldPath = '' }: ValidationRule, props: SchemaProps, at: string): FieldError[] => {
  if (fieldPath === '') return []
  const path = `${at}.fieldPath`
  const errors: FieldError[] = []
  if (fieldPath.trim() === '') errors.push(fieldInvalid(path, fieldPath, 'must be non-empty if specified'))
  if (hasLines(fieldPath)) errors.push(fieldInvalid(path, fieldPath, 'must not contain line breaks'))
  if (!findField(fieldPath, readSchema(props)).ok) errors.push(fieldInvalid(path, fieldPath, 'must be a valid path'))
  return errors
}

const checkRule = (rule: ValidationRule, props: SchemaProps, at: string): FieldError[] => {
  const { messageExpression = '', reason } = rule
  const errors = checkMessage(rule, at)
  if (messageExpression !== '' && messageExpression.trim() === '') {
    errors.push(fieldRequired(`${at}.messageExpression`, 'messageExpression must be non-empty if specified'))
  }
  if (reason !== undefined && !REASONS.includes(reason)) errors.push(fieldNotSupported(`${at}.reason`, reason, REASONS))
  return [...errors, ...checkFieldPath(rule, props, at)]
}

/** How the rules of one node are written. */
export const validateRuleTexts = (props: SchemaProps, path: string): FieldError[] =>
  (props['x-kubernetes-validations'] ?? []).flatMap((rule, index) =>
    checkRule(rule, props, `${path}.x-kubernetes-validations[${index}]`),
  )

const checkExpressions = (
  schema: Schema,
  path: string,
  isResource: boolean,
  uncorrelatable: string | undefined,
): FieldError[] =>
  rulesAt(schema, isResource).flatMap(({ rule, problem, messageProblem, usesOldSelf }, index) => {
    const at = `${path}.x-kubernetes-validations[${index}]`
    const errors: FieldError[] = []
    if (problem !== '') errors.push(fieldInvalid(`${at}.rule`, rule, problem))
    if (messageProblem !== '') errors.push(fieldInvalid(`${at}.messageExpression`, rule, messageProblem))
    if (usesOldSelf && uncorrelatable !== undefined) {
      const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`
      errors.push(fieldInvalid(`${at}.rule`, rule.rule, detail))
    }
    if (!usesOldSelf && problem === '' && rule.optionalOldSelf !== undefined) {
      const detail = 'may not be set if oldSelf is not used in rule'
      errors.push(fieldInvalid(`${at}.optionalOldSelf`, rule.optionalOldSelf, detail))
    }
    return errors
  })

const walk = (schema: Schema, path: string, isResource: boolean, uncorrelatable: string | undefined): FieldError[] => {
  const { items, additional } = schema
  const isMap = schema.props['x-kubernetes-list-type'] === 'map'
  return [
    ...(isObject(additional)
      ? walk(
          additional as unknown as Schema,
          `${path}.additionalProperties`,
          additional.isEmbedded === true,
          uncorrelatable,
        )
      : []),
    ...[...schema.properties].flatMap(([name, inner]) =>
      walk(inner, `${path}.properties[${name}]`, inner.isEmbedded, uncorrelatable),
    ),
    ...(items ? walk(items, `${path}.items`, items.isEmbedded, uncorrelatable ?? (isMap ? undefined : path)) : []),
    ...checkExpressions(schema, path, isResource, uncorrelatable),
  ]
}

/** Whether the rules of a schema that is right otherwise compile. */
export const validateRuleExpressions = (schema: Schema, path: string): FieldError[] =>
  walk(schema, path, true, undefined)
