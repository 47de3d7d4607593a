/** What the checks of Pod security look at, and how they say what they found. */
import { isObject } from '#cluster/api/own-property.ts'

export type Part = Readonly<Record<string, unknown>>

export const partsOf = (value: unknown): readonly Part[] => (Array.isArray(value) ? value.filter(isObject) : [])

/** An object's part by a path; an empty one where it is not there. */
export const partAt = (value: unknown, ...path: readonly string[]): Part => {
  let inner: unknown = value
  for (const name of path) inner = isObject(inner) ? inner[name] : undefined
  return isObject(inner) ? inner : {}
}

export const textsAt = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter(member => typeof member === 'string') : []

export interface PodParts {
  readonly spec: Part
  readonly annotations: Readonly<Record<string, string>>
  /** Init and ephemeral ones too. */
  readonly containers: readonly Part[]
  readonly volumes: readonly Part[]
}

export const podParts = (spec: Part, annotations: Readonly<Record<string, string>>): PodParts => ({
  spec,
  annotations,
  containers: ['initContainers', 'containers', 'ephemeralContainers'].flatMap(list => partsOf(spec[list])),
  volumes: partsOf(spec.volumes),
})

export const portsOf = (container: Part): readonly Part[] => partsOf(container.ports)
export const sysctlsOf = ({ spec }: PodParts): readonly Part[] => partsOf(partAt(spec, 'securityContext').sysctls)

export const plural = (one: string, many: string, count: number): string => (count === 1 ? one : many)

export const quoted = (names: Iterable<unknown>): string => [...names].map(name => JSON.stringify(name)).join(', ')

/** `container "a"`, `containers "a", "b"` */
export const named = (containers: readonly Part[]): string =>
  `${plural('container', 'containers', containers.length)} ${quoted(containers.map(({ name }) => name))}`

/** `pod and container "a"`: who sets what must not be; '' where nobody does. `bad`: of a securityContext. */
export const settersOf = ({ spec, containers }: PodParts, bad: (context: Part) => boolean): string => {
  const own = containers.filter(container => bad(partAt(container, 'securityContext')))
  const setters = [...(bad(partAt(spec, 'securityContext')) ? ['pod'] : []), ...(own.length > 0 ? [named(own)] : [])]
  return setters.join(' and ')
}
