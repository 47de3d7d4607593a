/**
 * A Service takes its addresses and node ports, and gives them back, in the transaction that writes it.
 *
 * It expects what the kind's `prepareForUpdate` promises: addresses and ports that the client left out are filled in
 * from what the Service was, and `clusterIP` equals `clusterIPs[0]`.
 */

import { endpointsKind } from '#cluster/api/kinds/endpoints.ts'
import { serviceKind } from '#cluster/api/kinds/service.ts'
import { invalid, type Status } from '#cluster/api/status.ts'
import { accepted, type Result, refused } from '#lib/result.ts'
import { planClusterIps, releaseClusterIps, serviceRanges } from '../allocation/cluster-ips.ts'
import { settleFamilies } from '../allocation/ip-families.ts'
import { nodePortRecord } from '../allocation/node-port-record.ts'
import { planNodePorts, releaseNodePorts } from '../allocation/node-ports.ts'
import { serviceSpec } from '../allocation/service.ts'
import type { PlanContext, Planner, PlannerEnvironment } from '../planner.ts'

const planDelete = (context: PlanContext): Result<void, Status> => {
  const spec = serviceSpec(context.object)
  releaseClusterIps(context, spec)
  releaseNodePorts(context, spec)
  // A new Service of this name must not start with the old one's endpoints. Slices have owners and labels of their own.
  const { namespace, name = '' } = context.object.metadata
  const legacy = context.get(endpointsKind, namespace, name)
  if (legacy) context.remove(endpointsKind, legacy)
  return accepted(undefined)
}

export const createServicePlanner = ({ random, nodePorts }: PlannerEnvironment): Planner => ({
  kind: serviceKind,
  records: [nodePortRecord],
  plan(context) {
    if (context.verb === 'delete') return planDelete(context)
    // What prepareForUpdate carried over may be part of memory, which nobody may change.
    const next = structuredClone(serviceSpec(context.object))
    context.object.spec = next
    const previous = context.current && serviceSpec(context.current)
    const { ready: ranges, families } = serviceRanges(context)
    const errors = settleFamilies(next, previous, families)
    if (errors.length > 0) return refused(invalid({ ...serviceKind, name: context.object.metadata.name ?? '' }, errors))
    const planned = planClusterIps(context, { ranges, random }, next, previous)
    return planned.ok ? planNodePorts(context, { range: nodePorts, random }, next, previous) : planned
  },
})
