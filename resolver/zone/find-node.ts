/** From a name to its node: the zone's tree, read top-down. */
import { apexNode, nameServerNode, versionNode } from './apex.ts'
import { type NamedRequest, parseRequest } from './names.ts'
import { EMPTY_NODE, impossible, type Lookup, missing, type Node, noForm } from './node.ts'
import { findPod } from './pods.ts'
import { findAddress, findAddresses } from './reverse.ts'
import { findService } from './service.ts'

export const findNode = (lookup: Lookup, canonicalName: string): Node => {
  const request = parseRequest(canonicalName, lookup.zone)
  switch (request.at) {
    case 'apex':
      return apexNode(lookup)
    case 'name-server':
      return nameServerNode(lookup)
    case 'version':
      return versionNode(lookup)
    case 'dns':
    case 'services':
      return EMPTY_NODE
    case 'pods':
      return lookup.zone.kind === 'cluster' ? EMPTY_NODE : impossible(noForm)
    case 'namespace':
      return findNamespace(lookup, request)
    case 'pod':
      return lookup.zone.kind === 'cluster' ? findPod(lookup, request) : impossible(noForm)
    case 'address':
      return findAddress(lookup, request.key)
    case 'addresses':
      return findAddresses(lookup, request.prefix)
    case 'nowhere':
      return impossible(noForm)
    default:
      return findService(lookup, request)
  }
}

const findNamespace = (lookup: Lookup, request: Extract<NamedRequest, { at: 'namespace' }>): Node => {
  const { index, settings, zone } = lookup
  if (request.tree === 'pod' && (settings.pods === 'disabled' || zone.kind !== 'cluster'))
    return impossible(() => 'there are no names of pods here')
  return index.hasNamespace(request.namespace)
    ? EMPTY_NODE
    : missing(() => `namespace "${request.namespace}" does not exist, or is not served`)
}
