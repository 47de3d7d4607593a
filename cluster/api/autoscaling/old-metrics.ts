/** A metric as autoscaling/v1 keeps it in annotations: flat, with the kind of target in the fields' names. */
import type { MetricSource, MetricTarget } from './autoscaler.ts'

type Json = Record<string, unknown>
type Part = 'target' | 'current'

const isNamed = (field: string): boolean => field === 'resource' || field === 'containerResource'

/** The old names of a value, an average, and a share. */
const namesOf = (field: string, part: Part) => ({
  value: `${part}Value`,
  averageValue: field === 'object' ? 'averageValue' : `${part}AverageValue`,
  averageUtilization: `${part}AverageUtilization`,
})

const selectorName = (field: string): string => (field === 'external' ? 'metricSelector' : 'selector')

const present = (fields: Json): Json =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null))

export const toOldSource = (source: MetricSource, field: string, part: Part): Json => {
  const { name, container, metric, describedObject } = source
  const { value, averageValue, averageUtilization } = source[part] ?? {}
  const names = namesOf(field, part)
  return present({
    ...(field === 'object' ? { target: describedObject, [names.value]: value ?? '0' } : { [names.value]: value }),
    ...(isNamed(field) ? { name, container } : { metricName: metric?.name, [selectorName(field)]: metric?.selector }),
    [names.averageValue]: averageValue,
    [names.averageUtilization]: averageUtilization,
  })
}

const typeOf = ({ averageUtilization, averageValue }: Json): string => {
  if (averageUtilization !== undefined) return 'Utilization'
  return averageValue === undefined ? 'Value' : 'AverageValue'
}

export const fromOldSource = (old: Json, field: string, part: Part): MetricSource & Json => {
  const names = namesOf(field, part)
  const average = old[names.averageValue]
  // An object always had a value; where it has an average, that is meant.
  const value = field === 'object' && average !== undefined ? undefined : old[names.value]
  const amounts = present({ value, averageValue: average, averageUtilization: old[names.averageUtilization] })
  const measured = part === 'target' ? { type: typeOf(amounts), ...amounts } : amounts
  const identity = isNamed(field)
    ? present({ name: old.name, container: old.container })
    : { metric: present({ name: old.metricName, selector: old[selectorName(field)] }) }
  return {
    ...identity,
    ...(field === 'object' ? { describedObject: old.target } : {}),
    [part]: measured as MetricTarget,
  } as MetricSource & Json
}
