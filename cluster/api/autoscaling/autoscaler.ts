/** A HorizontalPodAutoscaler (autoscaling/v2) as TypeScript sees it, and what its absent fields mean. */
import type { ApiObject } from '../object.ts'

export interface ObjectReference {
  kind?: string
  name?: string
  apiVersion?: string
}

export interface MetricTarget {
  type?: string
  value?: string
  averageValue?: string
  averageUtilization?: number
}

export interface MetricIdentifier {
  name?: string
  selector?: object
}

/** What is measured; `target` in a spec, `current` in a status. */
export interface MetricSource {
  /** Of a resource, its own name; of all others the metric has one. */
  name?: string
  container?: string
  metric?: MetricIdentifier
  describedObject?: ObjectReference
  target?: MetricTarget
  current?: Omit<MetricTarget, 'type'>
}

export const METRIC_FIELDS = {
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
  ContainerResource: 'containerResource',
  External: 'external',
} as const

export type MetricType = keyof typeof METRIC_FIELDS
export type MetricField = (typeof METRIC_FIELDS)[MetricType]

export type Metric = { type?: string } & { [Field in MetricField]?: MetricSource }

export interface ScalingRules {
  stabilizationWindowSeconds?: number
  selectPolicy?: string
  policies?: { type?: string; value?: number; periodSeconds?: number }[]
  tolerance?: string
}

export interface AutoscalerSpec {
  scaleTargetRef?: ObjectReference
  minReplicas?: number
  maxReplicas?: number
  metrics?: Metric[]
  behavior?: { scaleUp?: ScalingRules; scaleDown?: ScalingRules }
}

export interface AutoscalerStatus {
  currentReplicas?: number
  desiredReplicas?: number
  currentMetrics?: Metric[]
  conditions?: unknown[]
}

export const autoscalerSpec = ({ spec }: ApiObject): AutoscalerSpec => (spec ?? {}) as AutoscalerSpec
/** A copy; lists that the API prints as null are not there. */
export const autoscalerStatus = ({ status }: ApiObject): AutoscalerStatus =>
  Object.fromEntries(Object.entries(status ?? {}).filter(([, value]) => value !== null))

/** The source that the metric's type says; undefined where it is not there, or the type is none. */
export const sourceOf = (metric: Metric | undefined): MetricSource | undefined =>
  metric && Object.hasOwn(METRIC_FIELDS, metric.type ?? '')
    ? metric[METRIC_FIELDS[metric.type as MetricType]]
    : undefined

export const cpuMetric = (averageUtilization: number): Metric => ({
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
})

/** Percent of what the Pods ask for. */
export const DEFAULT_UTILIZATION = 80

/** Four Pods or as many again, whichever is more, each 15 seconds. */
const SCALE_UP: ScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
}

/** Down to the least at once, after the window that the controller is told of. */
const SCALE_DOWN: ScalingRules = { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }] }

const withRules = (given: ScalingRules = {}, rules: ScalingRules): ScalingRules => {
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null))
  // An empty list is as none: it would be stored so.
  if (given.policies?.length === 0) delete known.policies
  return { ...structuredClone(rules), ...known }
}

export const applyAutoscalerDefaults = (object: ApiObject): void => {
  object.spec ??= {}
  const spec = autoscalerSpec(object)
  spec.minReplicas ??= 1
  if (!spec.metrics?.length) spec.metrics = [cpuMetric(DEFAULT_UTILIZATION)]
  if (!spec.behavior) return
  spec.behavior.scaleUp = withRules(spec.behavior.scaleUp, SCALE_UP)
  spec.behavior.scaleDown = withRules(spec.behavior.scaleDown, SCALE_DOWN)
}
