/**
 * A HorizontalPodAutoscaler has two shapes; it is stored as autoscaling/v2. What autoscaling/v1 has no fields for it keeps
 * in annotations, in Kubernetes's own form, so that nothing is lost either way.
 */
import type { ApiObject } from '../object.ts'
import { isObject } from '../own-property.ts'
import {
  type AutoscalerSpec,
  type AutoscalerStatus,
  autoscalerSpec,
  autoscalerStatus,
  cpuMetric,
  DEFAULT_UTILIZATION,
  METRIC_FIELDS,
  type Metric,
  type MetricSource,
  type MetricType,
} from './autoscaler.ts'
import { fromOldSource, toOldSource } from './old-metrics.ts'

type Json = Record<string, unknown>

const PREFIX = 'autoscaling.alpha.kubernetes.io/'
const METRICS = `${PREFIX}metrics`
const CURRENT = `${PREFIX}current-metrics`
const CONDITIONS = `${PREFIX}conditions`
const BEHAVIOR = `${PREFIX}behavior`
const CARRIERS = [METRICS, CURRENT, CONDITIONS, BEHAVIOR]

const V1 = 'autoscaling/v1'
const V2 = 'autoscaling/v2'

/** What is meant where v1 says nothing of what to measure. In place. */
export const applyOldDefaults = (object: ApiObject): void => {
  object.spec ??= {}
  const spec = object.spec as Json
  spec.minReplicas ??= 1
  if (object.metadata.annotations?.[METRICS] === undefined) spec.targetCPUUtilizationPercentage ??= DEFAULT_UTILIZATION
}

/** What v1 has a field for. */
const isCpuShare = ({ type, resource }: Metric): boolean =>
  type === 'Resource' &&
  resource?.name === 'cpu' &&
  (resource.target ?? resource.current)?.averageUtilization !== undefined

const recase = (value: unknown, first: (letter: string) => string): unknown => {
  if (Array.isArray(value)) return value.map(item => recase(item, first))
  if (!isObject(value)) return value
  const entries = Object.entries(value).filter(([, inner]) => inner !== null)
  return Object.fromEntries(entries.map(([key, inner]) => [first(key.charAt(0)) + key.slice(1), recase(inner, first)]))
}

/** Go prints it by the names of its own fields. */
const capitalised = (value: unknown): unknown => recase(value, letter => letter.toUpperCase())
const uncapitalised = (value: unknown): unknown => recase(value, letter => letter.toLowerCase())

/** Undefined for what says nothing that can be understood. */
const parse = (text: string | undefined): unknown => {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

const recoded = (metric: Metric, recode: (source: MetricSource & Json, field: string) => Json): Metric[] => {
  const type = metric.type ?? ''
  const field = Object.hasOwn(METRIC_FIELDS, type) ? METRIC_FIELDS[type as MetricType] : undefined
  const source = field && metric[field]
  return field && isObject(source) ? [{ type, [field]: recode(source as MetricSource & Json, field) }] : []
}

const readMetrics = (text: string | undefined, part: 'target' | 'current'): Metric[] | undefined => {
  const parsed = parse(text)
  if (!Array.isArray(parsed)) return undefined
  return parsed
    .filter(isObject)
    .flatMap(metric => recoded(metric, (source, field) => fromOldSource(source, field, part)))
}

const writeMetrics = (metrics: readonly Metric[], part: 'target' | 'current'): string =>
  JSON.stringify(metrics.flatMap(metric => recoded(metric, (source, field) => toOldSource(source, field, part))))

const present = (fields: Json): Json =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

const withAnnotations = (metadata: ApiObject['metadata'], annotations: Record<string, string>) => {
  const { annotations: _annotations, ...rest } = metadata
  return Object.keys(annotations).length > 0 ? { ...rest, annotations } : rest
}

export const fromV2 = (object: ApiObject): ApiObject => {
  const { metrics = [], behavior, ...spec } = autoscalerSpec(object)
  const { currentMetrics = [], conditions = [], ...status } = autoscalerStatus(object)
  const annotations: Record<string, string> = { ...object.metadata.annotations }
  for (const key of CARRIERS) delete annotations[key]
  const others = metrics.filter(metric => !isCpuShare(metric))
  if (others.length > 0) annotations[METRICS] = writeMetrics(others, 'target')
  if (currentMetrics.length > 0) annotations[CURRENT] = writeMetrics(currentMetrics, 'current')
  if (conditions.length > 0) annotations[CONDITIONS] = JSON.stringify(conditions)
  if (behavior) annotations[BEHAVIOR] = JSON.stringify(capitalised(behavior))
  const { status: _status, spec: _spec, ...rest } = object
  const target = metrics.find(isCpuShare)?.resource?.target?.averageUtilization
  const current = currentMetrics.find(isCpuShare)?.resource?.current?.averageUtilization
  return {
    ...rest,
    apiVersion: V1,
    metadata: withAnnotations(object.metadata, annotations),
    spec: present({ ...spec, targetCPUUtilizationPercentage: target }),
    ...(object.status === undefined
      ? {}
      : { status: present({ ...status, currentCPUUtilizationPercentage: current }) }),
  }
}

const metricsOf = (share: number | undefined, others: Metric[] | undefined): Pick<AutoscalerSpec, 'metrics'> => {
  const metrics = [...(others ?? []), ...(share === undefined ? [] : [cpuMetric(share)])]
  return metrics.length > 0 ? { metrics } : {}
}

const currentOf = (share: number | undefined, all: Metric[] | undefined): Pick<AutoscalerStatus, 'currentMetrics'> => {
  // The annotation knows more than the field.
  if (all) return { currentMetrics: all }
  if (share === undefined) return {}
  return { currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: share } } }] }
}

export const toV2 = (object: ApiObject): ApiObject => {
  const { targetCPUUtilizationPercentage: target, ...spec } = (object.spec ?? {}) as Json
  const { currentCPUUtilizationPercentage: current, ...status } = (object.status ?? {}) as Json
  const annotations: Record<string, string> = { ...object.metadata.annotations }
  const behavior = uncapitalised(parse(annotations[BEHAVIOR]))
  const conditions = parse(annotations[CONDITIONS])
  const metrics = metricsOf(target as number | undefined, readMetrics(annotations[METRICS], 'target'))
  const measured = currentOf(current as number | undefined, readMetrics(annotations[CURRENT], 'current'))
  for (const key of CARRIERS) delete annotations[key]
  const { status: _status, spec: _spec, ...rest } = object
  const told = { ...status, ...measured, ...(Array.isArray(conditions) ? { conditions } : {}) }
  return {
    ...rest,
    apiVersion: V2,
    metadata: withAnnotations(object.metadata, annotations),
    spec: { ...spec, ...metrics, ...(isObject(behavior) ? { behavior } : {}) },
    ...(object.status === undefined && Object.keys(told).length === 0 ? {} : { status: told }),
  }
}
