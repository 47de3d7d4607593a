/**
 * An address that a Service holds is not to be deleted under it: another Service could take it. (Kubernetes lets it go
 * and a repair loop makes it again, some time later.) Addresses that nothing holds any more may be deleted.
 */

import { ipAddressKind } from '#cluster/api/kinds/ip-address.ts'
import { serviceKind } from '#cluster/api/kinds/service.ts'
import { forbidden } from '#cluster/api/status.ts'
import { accepted, refused } from '#lib/result.ts'
import { canonicalAddress } from '../allocation/address-range.ts'
import { addressesOf, parentService } from '../allocation/cluster-ips.ts'
import { serviceSpec } from '../allocation/service.ts'
import type { Planner } from '../planner.ts'

export const ipAddressPlanner: Planner = {
  kind: ipAddressKind,
  plan(context) {
    const parent = context.verb === 'delete' ? parentService(context.object) : undefined
    const service = parent && context.get(serviceKind, parent.namespace, parent.name)
    if (!parent || !service) return accepted(undefined)
    const { name = '' } = context.object.metadata
    if (!addressesOf(serviceSpec(service)).some(address => canonicalAddress(address) === name))
      return accepted(undefined)
    const detail = `the Service ${parent.namespace}/${parent.name} holds this address; delete the Service`
    return refused(forbidden({ ...ipAddressKind, name }, detail))
  },
}
