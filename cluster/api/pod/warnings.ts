/** What of a pod is allowed but hardly meant. */
import type { ApiObject } from '../object.ts'
import type { Container, PodSpec } from './pod.ts'

const duplicateWarnings = (container: Container, field: string): string[] => {
  const warnings: string[] = []
  const variables = new Set<string>()
  container.env?.forEach(({ name = '' }, index) => {
    if (variables.has(name)) {
      warnings.push(
        `${field}.env[${index}]: hides previous definition of ${JSON.stringify(name)}, which may be dropped when using apply`,
      )
    }
    variables.add(name)
  })
  const ports = new Map<string, number>()
  container.ports?.forEach(({ containerPort, protocol = 'TCP' }, index) => {
    const identity = `${protocol}/${containerPort}`
    const before = ports.get(identity)
    if (before === undefined) ports.set(identity, index)
    else warnings.push(`${field}.ports[${index}]: duplicate port definition with ${field}.ports[${before}]`)
  })
  return warnings
}

/** `at`: the spec's field. */
export const podSpecWarnings = (spec: PodSpec, at: string): string[] => {
  const { containers = [], initContainers = [], terminationGracePeriodSeconds = 0, volumes = [] } = spec
  return [
    ...containers.flatMap((container, index) => duplicateWarnings(container, `${at}.containers[${index}]`)),
    ...initContainers.flatMap((container, index) => duplicateWarnings(container, `${at}.initContainers[${index}]`)),
    ...volumes.flatMap((volume, index) =>
      volume.gitRepo === undefined ? [] : [`${at}.volumes[${index}].gitRepo: deprecated in v1.11`],
    ),
    ...(terminationGracePeriodSeconds < 0
      ? [`${at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
  ]
}

export const podWarnings = ({ spec = {} }: ApiObject): string[] => podSpecWarnings(spec as PodSpec, 'spec')
