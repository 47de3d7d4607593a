/** All planners. */
import type { Planner, PlannerEnvironment } from '../planner.ts'
import { ipAddressPlanner } from './ip-address.ts'
import { createServicePlanner } from './service.ts'

export const createPlanners = (environment: PlannerEnvironment): readonly Planner[] => [
  ipAddressPlanner,
  createServicePlanner(environment),
]
