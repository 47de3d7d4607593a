/** All planners. */
import type { Random } from '#lib/random.ts'
import type { PortRange } from '../allocation/node-ports.ts'
import type { Planner } from '../planner.ts'
import { ipAddressPlanner } from './ip-address.ts'
import { createServicePlanner } from './service.ts'

export interface PlannerEnvironment {
  readonly random: Random
  /** Default in Kubernetes: 30000–32767. */
  readonly nodePorts: PortRange
}

export const createPlanners = (environment: PlannerEnvironment): readonly Planner[] => [
  ipAddressPlanner,
  createServicePlanner(environment),
]
