/** Ports of a Pod's containers that say the same thing twice, or what nobody can tell. */
import type { ContainerPort } from './pod.ts'

interface Place {
  readonly field: string
  readonly port: ContainerPort
}

/** As Go prints such a port. */
const printed = ({ name = '', hostPort = 0, containerPort = 0, protocol = '', hostIP = '' }: ContainerPort): string =>
  `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`

const clash = (port: ContainerPort, other: ContainerPort): string | undefined => {
  const { hostIP = '', hostPort = 0 } = port
  const { hostIP: otherIP = '', hostPort: otherPort = 0 } = other
  if (hostIP === otherIP && hostPort === otherPort) return 'duplicate'
  if (hostPort === 0 || otherPort === 0) return 'overlapping'
  return hostPort === otherPort && (hostIP === '') !== (otherIP === '') ? 'dangerously ambiguous' : undefined
}

/** As many others of the same number are looked at. */
const MAX_OTHERS = 64

function* numberWarnings(places: readonly Place[]): Generator<string, undefined> {
  const known = new Map<string, Place[]>()
  for (const { field, port } of places) {
    const { containerPort, protocol, hostIP = '', hostPort = 0 } = port
    if (hostIP !== '' && hostPort === 0) yield `${field}: hostIP set without hostPort: ${printed(port)}`
    const identity = `${containerPort}/${protocol}`
    const others = known.get(identity) ?? []
    known.set(identity, others)
    for (const other of others) {
      const how = clash(port, other.port)
      if (how !== undefined) yield `${field}: ${how} port definition with ${other.field}`
    }
    if (others.length < MAX_OTHERS) others.push({ field, port })
  }
}

const nameWarnings = (places: readonly Place[]): string[] => {
  const known = new Map<string, string>()
  return places.flatMap(({ field, port: { name = '' } }) => {
    if (name === '') return []
    const other = known.get(name)
    if (other === undefined) {
      known.set(name, field)
      return []
    }
    const quoted = JSON.stringify(name)
    return [
      `${field}: duplicate port name ${quoted} with ${other}, services and probes that select ports by name will use ${other}`,
    ]
  })
}

/** Of all containers, in their order. */
export function* portWarnings(places: readonly Place[]): Generator<string, undefined> {
  yield* numberWarnings(places)
  yield* nameWarnings(places)
}
