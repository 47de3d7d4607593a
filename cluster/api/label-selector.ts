/** metav1.LabelSelector: what it may be, what it chooses, and how it is written in one line. */

import { orNone } from './column.ts'
import { type FieldError, fieldForbidden, fieldInvalid, fieldRequired } from './field-error.ts'
import { checkLabelValue, checkQualifiedName } from './name.ts'

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly Expression[]
}

interface Expression {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[]
}

type Labels = Readonly<Record<string, string>>

const labelOf = (labels: Labels, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined

const holds = ({ key, operator, values = [] }: Expression, labels: Labels): boolean => {
  const value = labelOf(labels, key)
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    default:
      return false
  }
}

/** An empty selector chooses everything. */
export const matchesSelector = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: Labels): boolean =>
  Object.entries(matchLabels).every(([key, value]) => labelOf(labels, key) === value) &&
  matchExpressions.every(expression => holds(expression, labels))

export const isEmptySelector = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean =>
  Object.keys(matchLabels).length + matchExpressions.length === 0

const NEEDS_VALUES = new Set(['In', 'NotIn'])
const NEEDS_NONE = new Set(['Exists', 'DoesNotExist'])

const validateOperator = ({ operator = '', values = [] }: Partial<Expression>, field: string): FieldError[] => {
  if (NEEDS_VALUES.has(operator))
    return values.length > 0
      ? []
      : [fieldRequired(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'")]
  if (!NEEDS_NONE.has(operator)) return [fieldInvalid(`${field}.operator`, operator, 'not a valid selector operator')]
  return values.length > 0
    ? [fieldForbidden(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
    : []
}

const validateExpression = (expression: Partial<Expression>, field: string): FieldError[] => {
  const { key = '', values = [] } = expression
  return [
    ...validateOperator(expression, field),
    ...checkQualifiedName(key).map(text => fieldInvalid(`${field}.key`, key, text)),
    ...values.flatMap((value, index) =>
      checkLabelValue(value).map(text => fieldInvalid(`${field}.values[${index}]`, value, text)),
    ),
  ]
}

/** As an error prints them. */
export const sortedLabels = (labels: Labels): Labels =>
  Object.fromEntries(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))

/** Labels as a map; each complaint is about the map's field, as Kubernetes has it. */
export const validateLabelMap = (labels: Labels, field: string): FieldError[] =>
  Object.entries(labels).flatMap(([key, value]) => [
    ...checkQualifiedName(key).map(text => fieldInvalid(field, key, text)),
    ...checkLabelValue(value).map(text => fieldInvalid(field, value, text)),
  ])

export const validateLabelSelector = (
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  at: string,
): FieldError[] => [
  ...validateLabelMap(matchLabels, `${at}.matchLabels`),
  ...matchExpressions.flatMap((expression, index) =>
    validateExpression(expression, `${at}.matchExpressions[${index}]`),
  ),
]

const expressionText = ({ key = '', operator = '', values = [] }: Partial<Expression>): string => {
  const list = `(${[...values].sort().join(',')})`
  switch (operator) {
    case 'In':
      return `${key} in ${list}`
    case 'NotIn':
      return `${key} notin ${list}`
    case 'DoesNotExist':
      return `!${key}`
    default:
      return key
  }
}

/** As the `labelSelector` parameter has it: `a=b,c in (d,e)`; empty for an empty one. */
export const selectorString = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): string =>
  [
    ...Object.entries(matchLabels).map(([key, value]) => ({ key, text: `${key}=${value}` })),
    ...matchExpressions.map(expression => ({ key: expression.key, text: expressionText(expression) })),
  ]
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ text }) => text)
    .join(',')

/** For a column. */
export const selectorText = (selector: LabelSelector | undefined): string => orNone(selectorString(selector))
