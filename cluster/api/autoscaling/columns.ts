/** What kubectl shows of a HorizontalPodAutoscaler. */
import { ageColumn, column } from '../column.ts'
import type { Column } from '../kind.ts'
import type { ApiObject } from '../object.ts'
import { autoscalerSpec, autoscalerStatus, type Metric, sourceOf } from './autoscaler.ts'

const SHOWN_METRICS = 2
const UNKNOWN = '<unknown>'

/** A resource is named, a metric is not. */
const metricText = (metric: Metric, now: Metric | undefined): string => {
  const source = sourceOf(metric) ?? {}
  const current = sourceOf(now)?.current ?? {}
  const { averageValue, averageUtilization, value } = source.target ?? {}
  const isResource = metric.type === 'Resource' || metric.type === 'ContainerResource'
  const label = isResource ? `${source.name ?? ''}: ` : ''
  if (averageValue !== undefined) {
    const average = metric.type === 'External' || metric.type === 'Object' ? ' (avg)' : ''
    return `${label}${current.averageValue ?? UNKNOWN}/${averageValue}${average}`
  }
  if (!isResource) return `${current.value ?? UNKNOWN}/${value ?? '0'}`
  const share = (percent: number | undefined, none: string) => (percent === undefined ? none : `${percent}%`)
  return `${label}${share(current.averageUtilization, UNKNOWN)}/${share(averageUtilization, '<auto>')}`
}

const targetsText = (object: ApiObject): string => {
  const { metrics = [] } = autoscalerSpec(object)
  const { currentMetrics = [] } = autoscalerStatus(object)
  if (metrics.length === 0) return '<none>'
  const texts = metrics.map((metric, index) => metricText(metric, currentMetrics[index]))
  const more = texts.length - SHOWN_METRICS
  return texts.slice(0, SHOWN_METRICS).join(', ') + (more > 0 ? ` + ${more} more...` : '')
}

/** `v2`: the object as autoscaling/v2 has it. */
export const autoscalerColumns = (v2: (object: ApiObject) => ApiObject): readonly Column[] => [
  column('Reference', 'What it scales.', object => {
    const { kind = '', name = '' } = autoscalerSpec(v2(object)).scaleTargetRef ?? {}
    return `${kind}/${name}`
  }),
  column('Targets', 'What is measured, and wanted.', object => targetsText(v2(object))),
  column('MinPods', 'The fewest pods.', object => String(autoscalerSpec(object).minReplicas ?? '<unset>')),
  column('MaxPods', 'The most pods.', object => autoscalerSpec(object).maxReplicas ?? 0),
  column('Replicas', 'How many there are.', object => autoscalerStatus(object).currentReplicas ?? 0),
  ageColumn,
]
