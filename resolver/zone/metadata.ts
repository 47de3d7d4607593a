/** What a question is about, for other plugins: CoreDNS's `kubernetes/…` metadata keys. */
import type { Query } from '../query.ts'
import { addressKey } from './address.ts'
import type { ClusterIndex } from './cluster-index.ts'
import { type NamedRequest, parseRequest } from './names.ts'
import type { Zone } from './settings.ts'

/** `zone`: the zone of ours that the name lies in, if it does; who asks is told for every name. */
export const setMetadata = (
  metadata: Map<string, string>,
  query: Query,
  zone: Zone | undefined,
  index: ClusterIndex | undefined,
): void => {
  if (zone) {
    for (const [key, value] of entriesOf(parseRequest(query.question.canonicalName, zone))) {
      metadata.set(`kubernetes/${key}`, value)
    }
  }
  const client = addressKey(query.client.address)
  const pods = client === undefined ? [] : (index?.pods(client) ?? [])
  const [pod] = pods
  // On a host's network the address is that of several pods and of the node's own programs: it tells none from another.
  if (!pod || pods.some(({ hostNetwork }) => hostNetwork)) return
  metadata.set('kubernetes/client-namespace', pod.namespace)
  metadata.set('kubernetes/client-pod-name', pod.name)
  for (const [at, key] of index!.podLabelKeys.entries()) {
    const value = pod.labels[at]
    if (value !== undefined) metadata.set(`kubernetes/client-label/${key}`, value)
  }
}

const entriesOf = (request: NamedRequest): (readonly [string, string])[] => {
  switch (request.at) {
    case 'nowhere':
      return [['parse-error', 'the name has no form of the Kubernetes DNS specification']]
    case 'namespace':
      return [
        ['kind', request.tree],
        ['namespace', request.namespace],
      ]
    case 'pod':
      return [
        ['kind', 'pod'],
        ['namespace', request.namespace],
        ['endpoint', request.label],
      ]
    default:
      return 'service' in request ? serviceEntries(request) : []
  }
}

const serviceEntries = (request: Extract<NamedRequest, { service: string }>): (readonly [string, string])[] => {
  const entries: (readonly [string, string])[] = [
    ['kind', 'svc'],
    ['namespace', request.namespace],
    ['service', request.service],
  ]
  if ('port' in request) entries.push(['port-name', request.port])
  if ('protocol' in request) entries.push(['protocol', request.protocol])
  if ('endpoint' in request) entries.push(['endpoint', request.endpoint])
  if ('cluster' in request) entries.push(['cluster', request.cluster])
  if ('zone' in request) entries.push(['zone', request.zone])
  return entries
}
