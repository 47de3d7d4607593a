/** The rules for a HorizontalPodAutoscaler, in Kubernetes's words. */
import {
  complain,
  type FieldError,
  fieldForbidden,
  fieldInvalid,
  fieldNotSupported,
  fieldRequired,
} from '../field-error.ts'
import { checkPathSegment } from '../name.ts'
import { noneNegative } from '../number-rules.ts'
import type { ApiObject } from '../object.ts'
import { parseQuantity } from '../quantity.ts'
import {
  autoscalerSpec,
  autoscalerStatus,
  METRIC_FIELDS,
  type Metric,
  type MetricField,
  type MetricIdentifier,
  type MetricSource,
  type MetricTarget,
  type MetricType,
  type ObjectReference,
  type ScalingRules,
} from './autoscaler.ts'

const TARGET_TYPES = new Set(['Utilization', 'Value', 'AverageValue'])
const POLICY_TYPES = ['Percent', 'Pods']
const SELECT_POLICIES = ['Disabled', 'Max', 'Min']
const MAX_WINDOW_SECONDS = 3600
const MAX_PERIOD_SECONDS = 1800

const segment = (text: string | undefined, field: string): FieldError[] =>
  text ? complain(field, text, checkPathSegment(text)) : [fieldRequired(field)]

const validateReference = ({ kind, name }: ObjectReference = {}, at: string): FieldError[] => [
  ...segment(kind, `${at}.kind`),
  ...segment(name, `${at}.name`),
]

/** KEP-2735: what is scaled is asked for by its group, which all but ReplicationControllers have. */
const validateTargetGroup = (next: ApiObject, current: ApiObject | undefined): FieldError[] => {
  const { apiVersion = '', kind } = autoscalerSpec(next).scaleTargetRef ?? {}
  const before = current && autoscalerSpec(current).scaleTargetRef
  if (before && before.kind === kind && (before.apiVersion ?? '') === apiVersion) return []
  const at = 'spec.scaleTargetRef.apiVersion'
  const parts = apiVersion.split('/')
  if (parts.length > 2) return [fieldInvalid(at, apiVersion, `unexpected GroupVersion string: ${apiVersion}`)]
  return parts.length === 2 || kind === 'ReplicationController'
    ? []
    : [fieldInvalid(at, apiVersion, 'apiVersion must specify API group')]
}

const isPositive = (quantity: string): boolean => (parseQuantity(quantity)?.nano ?? 0n) > 0n

const validateTarget = (target: MetricTarget = {}, at: string): FieldError[] => {
  const { type = '', averageUtilization: share } = target
  const errors: FieldError[] = []
  if (type === '') errors.push(fieldRequired(`${at}.type`, 'must specify a metric target type'))
  else if (!TARGET_TYPES.has(type))
    errors.push(fieldInvalid(`${at}.type`, type, 'must be either Utilization, Value, or AverageValue'))
  for (const name of ['value', 'averageValue'] as const) {
    const quantity = target[name]
    if (quantity !== undefined && !isPositive(quantity))
      errors.push(fieldInvalid(`${at}.${name}`, quantity, 'must be positive'))
  }
  if (share !== undefined && share < 1)
    errors.push(fieldInvalid(`${at}.averageUtilization`, share, 'must be greater than 0'))
  return errors
}

const validateIdentifier = ({ name = '' }: MetricIdentifier = {}, at: string): FieldError[] =>
  name === ''
    ? [fieldRequired(`${at}.name`, 'must specify a metric name')]
    : complain(`${at}.name`, name, checkPathSegment(name))

const TARGET_OR_EACH = 'must set either a target value for metric or a per-pod target'
const NOT_BOTH = 'may not set both a target value for metric and a per-pod target'

const validateObjectSource = ({ describedObject, metric, target = {} }: MetricSource, at: string): FieldError[] => [
  ...validateReference(describedObject, `${at}.describedObject`),
  ...validateIdentifier(metric, `${at}.metric`),
  ...validateTarget(target, `${at}.target`),
  ...(target.value === undefined && target.averageValue === undefined
    ? [fieldRequired(`${at}.target.averageValue`, TARGET_OR_EACH)]
    : []),
]

const validateExternal = ({ metric, target = {} }: MetricSource, at: string): FieldError[] => {
  const { value, averageValue } = target
  const errors = [...validateIdentifier(metric, `${at}.metric`), ...validateTarget(target, `${at}.target`)]
  if (value === undefined && averageValue === undefined)
    errors.push(fieldRequired(`${at}.target.averageValue`, TARGET_OR_EACH))
  if (value !== undefined && averageValue !== undefined) errors.push(fieldForbidden(`${at}.target.value`, NOT_BOTH))
  return errors
}

const validatePods = ({ metric, target = {} }: MetricSource, at: string): FieldError[] => [
  ...validateIdentifier(metric, `${at}.metric`),
  ...validateTarget(target, `${at}.target`),
  ...(target.averageValue === undefined || !isPositive(target.averageValue)
    ? [fieldRequired(`${at}.target.averageValue`, 'must specify a positive target averageValue')]
    : []),
]

const validateResource = ({ name = '', target = {} }: MetricSource, at: string): FieldError[] => {
  const { averageUtilization, averageValue } = target
  const errors = name === '' ? [fieldRequired(`${at}.name`, 'must specify a resource name')] : []
  errors.push(...validateTarget(target, `${at}.target`))
  if (averageUtilization === undefined && averageValue === undefined) {
    const detail = 'must set either a target raw value or a target utilization'
    errors.push(fieldRequired(`${at}.target.averageUtilization`, detail))
  }
  if (averageUtilization !== undefined && averageValue !== undefined) {
    const detail = 'may not set both a target raw value and a target utilization'
    errors.push(fieldForbidden(`${at}.target.averageValue`, detail))
  }
  return errors
}

const validateContainerResource = (source: MetricSource, at: string): FieldError[] => [
  ...(source.container ? [] : [fieldRequired(`${at}.container`, 'must specify a container')]),
  ...validateResource(source, at),
]

const BY_FIELD: Readonly<Record<MetricField, (source: MetricSource, at: string) => FieldError[]>> = {
  object: validateObjectSource,
  pods: validatePods,
  resource: validateResource,
  containerResource: validateContainerResource,
  external: validateExternal,
}

const validateMetric = (metric: Metric, at: string): FieldError[] => {
  const { type = '' } = metric
  const known = Object.hasOwn(METRIC_FIELDS, type)
  const errors: FieldError[] = []
  if (type === '') errors.push(fieldRequired(`${at}.type`, 'must specify a metric source type'))
  else if (!known) errors.push(fieldNotSupported(`${at}.type`, type, Object.keys(METRIC_FIELDS).sort()))
  const present = Object.values(METRIC_FIELDS).filter(field => metric[field])
  const [first] = present
  if (first) errors.push(...BY_FIELD[first](metric[first]!, `${at}.${first}`))
  const expected = known ? METRIC_FIELDS[type as MetricType] : undefined
  if (expected && !metric[expected])
    errors.push(fieldRequired(`${at}.${expected}`, 'must populate information for the given metric source'))
  if (present.length === 1) return errors
  const others = present.filter(field => field !== expected)
  return [
    ...errors,
    ...others.map(field => fieldForbidden(`${at}.${field}`, 'must populate the given metric source only')),
  ]
}

const validatePolicies = ({ policies = [] }: ScalingRules, at: string): FieldError[] => {
  if (policies.length === 0) return [fieldRequired(at, 'must specify at least one Policy')]
  return policies.flatMap(({ type = '', value = 0, periodSeconds = 0 }, index) => {
    const errors = POLICY_TYPES.includes(type) ? [] : [fieldNotSupported(`${at}[${index}].type`, type, POLICY_TYPES)]
    if (value <= 0) errors.push(fieldInvalid(`${at}[${index}].value`, value, 'must be greater than zero'))
    const field = `${at}[${index}].periodSeconds`
    if (periodSeconds <= 0) errors.push(fieldInvalid(field, periodSeconds, 'must be greater than zero'))
    if (periodSeconds > MAX_PERIOD_SECONDS)
      errors.push(fieldInvalid(field, periodSeconds, `must be less than or equal to ${MAX_PERIOD_SECONDS}`))
    return errors
  })
}

const validateRules = (rules: ScalingRules | undefined, at: string): FieldError[] => {
  if (!rules) return []
  const { stabilizationWindowSeconds: window, selectPolicy } = rules
  const field = `${at}.stabilizationWindowSeconds`
  const errors: FieldError[] = []
  if (window !== undefined && window < 0)
    errors.push(fieldInvalid(field, window, 'must be greater than or equal to zero'))
  if (window !== undefined && window > MAX_WINDOW_SECONDS)
    errors.push(fieldInvalid(field, window, `must be less than or equal to ${MAX_WINDOW_SECONDS}`))
  if (selectPolicy !== undefined && !SELECT_POLICIES.includes(selectPolicy))
    errors.push(fieldNotSupported(`${at}.selectPolicy`, selectPolicy, SELECT_POLICIES))
  return [...errors, ...validatePolicies(rules, `${at}.policies`)]
}

/** `object`: as autoscaling/v2 has it. */
export const validateAutoscaler = (object: ApiObject, current?: ApiObject): FieldError[] => {
  const { minReplicas: least, maxReplicas: most = 0, scaleTargetRef, metrics = [], behavior } = autoscalerSpec(object)
  const errors: FieldError[] = []
  if (least !== undefined && least < 1)
    errors.push(fieldInvalid('spec.minReplicas', least, 'must be greater than or equal to 1'))
  if (most < 1) errors.push(fieldInvalid('spec.maxReplicas', most, 'must be greater than 0'))
  if (least !== undefined && most < least)
    errors.push(fieldInvalid('spec.maxReplicas', most, 'must be greater than or equal to `minReplicas`'))
  return [
    ...errors,
    ...validateReference(scaleTargetRef, 'spec.scaleTargetRef'),
    ...validateTargetGroup(object, current),
    ...metrics.flatMap((metric, index) => validateMetric(metric, `spec.metrics[${index}]`)),
    ...validateRules(behavior?.scaleUp, 'spec.behavior.scaleUp'),
    ...validateRules(behavior?.scaleDown, 'spec.behavior.scaleDown'),
  ]
}

export const validateAutoscalerStatus = (object: ApiObject): FieldError[] =>
  noneNegative(autoscalerStatus(object), 'status', ['currentReplicas', 'desiredReplicas'])
