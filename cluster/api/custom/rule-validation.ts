/** Whether the validation rules of a schema may stand there: well written, compiling, and comparable where they compare. */
import { type FieldError, fieldInvalid, fieldNotSupported, fieldRequired } from '../field-error.ts'
import { isObject } from '../own-property.ts'
import { declaredSizes, mostOften } from './declared-sizes.ts'
import { findField } from './field-path.ts'
import { type CostLimits, RuleCosts } from './rule-costs.ts'
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

/** As Kubernetes prints it: by the names of its own fields. */
const shown = (rule: ValidationRule): Record<string, unknown> => ({
  Rule: rule.rule ?? '',
  Message: rule.message ?? '',
  MessageExpression: rule.messageExpression ?? '',
  Reason: rule.reason ?? null,
  FieldPath: rule.fieldPath ?? '',
  OptionalOldSelf: rule.optionalOldSelf ?? null,
})

interface Place {
  readonly schema: Schema
  readonly path: string
  readonly isResource: boolean
  /** The part of the schema within which nothing can be compared with what it was. */
  readonly uncorrelatable: string | undefined
  /** How often there may be one of these; undefined: a list or a map around has no limit. */
  readonly cardinality: number | undefined
}

const checkExpressions = (place: Place, costs: RuleCosts): FieldError[] =>
  rulesAt(place.schema, place.isResource).flatMap((compiled, index) => {
    const { rule, problem, messageProblem, usesOldSelf } = compiled
    const at = `${place.path}.x-kubernetes-validations[${index}]`
    const errors: FieldError[] = costs.judge(`${at}.rule`, 'rule', compiled.worst * oftenAt(place))
    if (problem !== '') errors.push(fieldInvalid(`${at}.rule`, shown(rule), problem))
    if (messageProblem !== '') errors.push(fieldInvalid(`${at}.messageExpression`, shown(rule), messageProblem))
    errors.push(...costs.judge(`${at}.messageExpression`, 'messageExpression', compiled.messageWorst))
    if (usesOldSelf && place.uncorrelatable !== undefined) {
      const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${place.uncorrelatable}`
      errors.push(fieldInvalid(`${at}.rule`, rule.rule, detail))
    }
    if (!usesOldSelf && problem === '' && rule.optionalOldSelf !== undefined) {
      const detail = 'may not be set if oldSelf is not used in rule'
      errors.push(fieldInvalid(`${at}.optionalOldSelf`, rule.optionalOldSelf, detail))
    }
    return errors
  })

/** Without a limit: as often as the shortest of them fits a request. */
const oftenAt = ({ schema, isResource, cardinality }: Place): number => {
  const sizes = declaredSizes(schema, isResource)
  return cardinality ?? (sizes ? mostOften(sizes) : 0)
}

/** How many of what is below there may be for each; undefined: no limit is declared. */
const mostBelow = ({ props }: Schema): number | undefined => {
  if (props.type === 'array') return props.maxItems === undefined ? undefined : Math.max(0, props.maxItems)
  if (props.type !== 'object' || props.additionalProperties === undefined) return 1
  return props.maxProperties === undefined ? undefined : Math.max(0, props.maxProperties)
}

const walk = (place: Place, costs: RuleCosts): FieldError[] => {
  const { schema, path, cardinality, uncorrelatable } = place
  const { items, additional } = schema
  const isMap = schema.props['x-kubernetes-list-type'] === 'map'
  const most = mostBelow(schema)
  const below = cardinality === undefined || most === undefined ? undefined : cardinality * most
  const visit = (inner: Schema, at: string, within = uncorrelatable) =>
    walk({ schema: inner, path: at, isResource: inner.isEmbedded, uncorrelatable: within, cardinality: below }, costs)
  return [
    ...(isObject(additional) ? visit(additional as unknown as Schema, `${path}.additionalProperties`) : []),
    ...[...schema.properties].flatMap(([name, inner]) => visit(inner, `${path}.properties[${name}]`)),
    ...(items ? visit(items, `${path}.items`, uncorrelatable ?? (isMap ? undefined : path)) : []),
    ...checkExpressions(place, costs),
  ]
}

/** Whether the rules of a schema that is right otherwise compile, and cannot cost too much. */
export const validateRuleExpressions = (schema: Schema, path: string, limits: CostLimits): FieldError[] => {
  const costs = new RuleCosts(limits)
  const root = { schema, path, isResource: true, uncorrelatable: undefined, cardinality: 1 }
  return [...walk(root, costs), ...costs.judgeAll(path)]
}
