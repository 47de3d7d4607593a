/**
 * The ports that Services take on every node: one number for one Service, whatever the protocol; within one Service
 * TCP and UDP may share it. Chosen ones come from above the low band, which is for ports that people choose
 * (KEP-3668), as long as there are any.
 */

import { fieldInvalid } from '#cluster/api/field-error.ts'
import { serviceKind } from '#cluster/api/kinds/service.ts'
import type { ServiceSpec } from '#cluster/api/service/service.ts'
import { internalError, invalid, type Status } from '#cluster/api/status.ts'
import type { Random } from '#lib/random.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import type { PlanContext } from '../planner.ts'
import { holdsNodePort, nodePortObject, nodePortRecord } from './node-port-record.ts'
import { mayHoldNodePorts, needsHealthCheckPort } from './service.ts'

export interface PortRange {
  /** Both included. */
  readonly first: number
  readonly last: number
}

const portsOf = (spec: ServiceSpec | undefined): Set<number> => {
  const ports = spec && mayHoldNodePorts(spec) ? (spec.ports ?? []).map(({ nodePort }) => nodePort) : []
  if (spec && needsHealthCheckPort(spec)) ports.push(spec.healthCheckNodePort)
  return new Set(ports.filter(port => port !== undefined && port !== 0) as number[])
}

/** KEP-3668: a thirty-second of the range, at least 16, at most 128; none where the range has 16 ports or fewer. */
const lowBand = (size: number): number => (size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / 32)), 128))

/** One write's way to ports: what the Service held, what it has now, what others hold. */
class PortAllocation {
  readonly #context: PlanContext
  readonly #range: PortRange
  readonly #random: Random
  readonly #held: ReadonlySet<number>
  readonly #had = new Set<number>()

  constructor(context: PlanContext, { range, random }: PortWork, held: ReadonlySet<number>) {
    this.#context = context
    this.#range = range
    this.#random = random
    this.#held = held
  }

  #taken(port: number): boolean {
    return this.#context.get(nodePortRecord, undefined, String(port)) !== undefined
  }

  #take(port: number): void {
    this.#had.add(port)
    if (!this.#held.has(port)) this.#context.create(nodePortRecord, nodePortObject(port, this.#context.object))
  }

  /** Why `port` cannot be had, in Kubernetes's words; undefined when it is taken now. */
  request(port: number): string | undefined {
    if (this.#had.has(port)) return undefined
    if (!this.#held.has(port)) {
      const { first, last } = this.#range
      if (port < first || port > last)
        return `provided port is not in the valid range. The range of valid ports is ${first}-${last}`
      if (this.#taken(port)) return 'provided port is already allocated'
    }
    this.#take(port)
    return undefined
  }

  /** A port that nobody holds, taken; undefined when there is none. `reserved` are asked for further on. */
  choose(reserved: ReadonlySet<number>): number | undefined {
    const { first, last } = this.#range
    const dynamic = first + lowBand(last - first + 1)
    for (const [from, to] of [[dynamic, last] as const, [first, dynamic - 1] as const]) {
      const size = to - from + 1
      const start = size > 0 ? this.#random.integer(size) : 0
      for (let step = 0; step < size; step++) {
        const port = from + ((start + step) % size)
        if (reserved.has(port) || this.#had.has(port) || this.#held.has(port) || this.#taken(port)) continue
        this.#take(port)
        return port
      }
    }
    return undefined
  }
}

const planPorts = (allocation: PortAllocation, spec: ServiceSpec, name: string): Result<void, Status> => {
  const ports = spec.ports ?? []
  const reserved = portsOf(spec)
  for (const [index, port] of ports.entries()) {
    if (!port.nodePort) continue
    const problem = allocation.request(port.nodePort)
    if (problem === undefined) continue
    const error = fieldInvalid(`spec.ports[${index}].nodePort`, port.nodePort, problem)
    return refused(invalid({ ...serviceKind, name }, [error]))
  }
  if (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts === false) return accepted(undefined)
  for (const port of ports) {
    if (port.nodePort) continue
    // The same port by another protocol shares the number: 53/UDP and 53/TCP are one on the node too.
    const twin = ports.find(other => other.port === port.port && other.nodePort)
    const chosen = twin?.nodePort ?? allocation.choose(reserved)
    if (chosen === undefined) return refused(internalError('failed to allocate a nodePort: range is full'))
    port.nodePort = chosen
  }
  return accepted(undefined)
}

const planHealthCheckPort = (allocation: PortAllocation, spec: ServiceSpec): Result<void, Status> => {
  const asked = spec.healthCheckNodePort
  if (asked) {
    const problem = allocation.request(asked)
    if (problem === undefined) return accepted(undefined)
    return refused(internalError(`failed to allocate requested HealthCheck NodePort ${asked}: ${problem}`))
  }
  const chosen = allocation.choose(portsOf(spec))
  if (chosen === undefined) return refused(internalError('failed to allocate a HealthCheck NodePort: range is full'))
  spec.healthCheckNodePort = chosen
  return accepted(undefined)
}

export interface PortWork {
  readonly range: PortRange
  readonly random: Random
}

/** Gives `next` the node ports that its type asks for, takes back those of `previous` that it has no more. */
export const planNodePorts = (
  context: PlanContext,
  work: PortWork,
  next: ServiceSpec,
  previous: ServiceSpec | undefined,
): Result<void, Status> => {
  const held = portsOf(previous)
  const allocation = new PortAllocation(context, work, held)
  if (mayHoldNodePorts(next)) {
    const planned = planPorts(allocation, next, context.object.metadata.name ?? '')
    if (!planned.ok) return planned
  }
  if (needsHealthCheckPort(next)) {
    const planned = planHealthCheckPort(allocation, next)
    if (!planned.ok) return planned
  }
  const kept = portsOf(next)
  for (const port of held) if (!kept.has(port)) releasePort(context, port)
  return accepted(undefined)
}

const releasePort = (context: PlanContext, port: number): void => {
  const record = context.get(nodePortRecord, undefined, String(port))
  if (record && holdsNodePort(record, context.object)) context.remove(nodePortRecord, record)
}

export const releaseNodePorts = (context: PlanContext, spec: ServiceSpec): void => {
  for (const port of portsOf(spec)) releasePort(context, port)
}
