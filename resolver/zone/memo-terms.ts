/** What an answer of the cluster's zones rests on. */
import type { MemoTerms } from '../memo-terms.ts'
import { isSubdomain, joinName, splitLabels } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'
import type { ClusterIndex } from './cluster-index.ts'
import { facts } from './facts.ts'
import { type NamedRequest, parseRequest } from './names.ts'
import { isReverseName, type Zone } from './settings.ts'

/** Names that are answered otherwise than by the zone of the answer. */
export interface OtherAnswers {
  /** All of the directive: one may lie below another. */
  readonly zones: readonly Zone[]
  /** Where names that do not exist are others' to answer. */
  readonly fallthrough: readonly DnsName[]
}

/**
 * Undefined: the answer must not be kept. Only for answers that were made of this name's own node, and after the first
 * lists. What says that something is missing (`isDenial`) rests on the watches, too.
 */
export const zoneTerms = (
  canonicalName: DnsName,
  zone: Zone,
  index: ClusterIndex,
  { isDenial, ...others }: OtherAnswers & { readonly isDenial: boolean },
): MemoTerms | undefined => {
  const request = parseRequest(canonicalName, zone)
  const own = index.synced ? factsOf(request, zone) : undefined
  if (!own) return undefined
  const needed = isDenial && own.length > 0 ? [...own, facts.absence] : own
  const below = missingBelow(canonicalName, zone, request, index)
  const isOfAll = below && isAllOf(below.name, others)
  return { facts: needed, serialCell: index.serialCell, echoesCase: true, ...(isOfAll && { below }) }
}

/** Whether all names below `name` are answered as one of them is: none falls through, none is in another zone. */
const isAllOf = (name: DnsName, { zones, fallthrough }: OtherAnswers): boolean =>
  ![...fallthrough, ...zones.map(zone => zone.name), ...REVERSE].some(other => isSubdomain(other, name)) &&
  !fallthrough.some(other => isSubdomain(name, other))

/** Of a name that does not exist: the name below which the same is so of all, but for the services that there are. */
const missingBelow = (
  canonicalName: DnsName,
  zone: Zone,
  request: NamedRequest,
  index: ClusterIndex,
): MemoTerms['below'] => {
  if (zone.kind === 'reverse' || isReverseName(canonicalName)) return undefined
  if (request.at === 'nowhere') {
    const label = splitLabels(canonicalName).at(-1 - splitLabels(zone.name).length)!
    return OWN_LABELS.has(label) ? undefined : { name: joinName([label], zone.name) }
  }
  if (!('service' in request)) return undefined
  const { namespace, service } = request
  const name = joinName([namespace, 'svc'], zone.name)
  if (!index.hasNamespace(namespace)) return { name }
  const isImport = zone.kind === 'clusterset'
  const entry = isImport ? index.importedService(namespace, service) : index.service(namespace, service)
  if (entry?.service) return undefined
  return { name, unless: isImport ? facts.imported(namespace, '') : facts.service(namespace, '') }
}

/** Of addresses, whatever zone they lie in. */
const REVERSE: readonly DnsName[] = ['in-addr.arpa.', 'ip6.arpa.']

/** Below these the zone has names of several forms. */
const OWN_LABELS: ReadonlySet<string> = new Set(['svc', 'pod', 'dns'])

const factsOf = (request: NamedRequest, zone: Zone): readonly string[] | undefined => {
  switch (request.at) {
    // NS and its glue are this machine's addresses, which nobody tells of when they change.
    case 'apex':
    case 'name-server':
      return undefined
    case 'version':
    case 'dns':
    case 'services':
    case 'pods':
    case 'nowhere':
      return []
    case 'namespace':
      return [facts.namespace(request.namespace)]
    case 'pod':
      return [facts.namespace(request.namespace), facts.pods]
    case 'address':
    case 'addresses':
      return [facts.reverse]
    default: {
      const { namespace, service } = request
      const own = zone.kind === 'clusterset' ? facts.imported : facts.service
      return [facts.namespace(namespace), own(namespace, service)]
    }
  }
}
