/**
 * topology: of the endpoints of a headless service a client gets those that are meant for it (their hints), or those of its
 * own topology zone, as long as there are enough of them; else all. The names stay as they are.
 */
import { whenKnown } from '#lib/maybe-promise.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import { NetworkList } from '../network-list.ts'
import type { BlockContext, Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { type ClientZones, clientZone } from '../topology/client-zone.ts'
import { type Answer, answered, type Verdict } from '../verdict.ts'
import { rcodes, recordTypes } from '../wire/codes.ts'
import { isSubdomain } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'
import { addressData } from '../zone/address.ts'
import type { ClusterZones } from '../zone/cluster-zones.ts'
import type { Endpoint, EndpointSet } from '../zone/endpoints.ts'
import { parseRequest } from '../zone/names.ts'

const NAME = 'topology'

const options = {
  clients: {
    kind: 'words',
    syntax: 'TOPOLOGY_ZONE NETWORK…',
    minimum: 2,
    maximum: Number.POSITIVE_INFINITY,
    repeatable: true,
    absent: 'none',
    doc: 'clients of these networks are in this topology zone',
  },
  local: {
    kind: 'words',
    syntax: 'TOPOLOGY_ZONE',
    minimum: 1,
    maximum: 1,
    absent: 'not known',
    doc: 'the topology zone of all other clients, for a server of one node or one zone',
  },
  node: {
    kind: 'words',
    syntax: 'NAME',
    minimum: 1,
    maximum: 1,
    absent: 'not known',
    doc: 'the node of all clients, for a server that has those of one node alone: hints for nodes are followed',
  },
  minimum: {
    kind: 'number',
    syntax: 'N',
    default: 2,
    minimum: 1,
    maximum: 1000,
    unit: 'endpoints',
    doc: 'the fewest ready endpoints of the client’s zone that it is left with; where there are fewer it gets all',
  },
} as const satisfies PropertyTable

const metrics = {
  answers: {
    kind: 'counter',
    name: 'seamark_topology_answers_total',
    help: 'Answers with endpoints of several zones, by what the client got: those that are meant for it (hinted), those of its zone (near), or all, because there were too few of them (few) or its zone is not known (unknown).',
    labels: ['server', 'view', 'outcome'],
  },
} as const satisfies MetricTable

interface Settings {
  readonly zones: readonly DnsName[]
  readonly clients: ClientZones
  /** Of all clients; undefined: they are of several. */
  readonly node: string | undefined
  readonly minimum: number
  readonly block: BlockContext
  readonly counters: Metrics<typeof metrics>
}

export const topologyPlugin: PluginModule = {
  name: NAME,
  options,
  metrics,
  setup(directive, block, { registry }) {
    const reader = new DirectiveReader(directive)
    const { clients: lines, local, node: nodes, minimum } = reader.properties(options)
    if (!block.directives.some(({ name }) => name.text === 'kubernetes'))
      reader.refuse(directive.name, 'needs "kubernetes" in this server block: it knows the endpoints')
    const networks = lines.map(({ arguments: [zone, ...words] }) => ({
      zone: zone?.text.toLowerCase() ?? '',
      list: NetworkList.read(reader, words),
    }))
    const clients = { networks, otherwise: local[0]?.arguments[0]?.text.toLowerCase() }
    const node = nodes[0]?.arguments[0]?.text
    const zones = reader.zones(directive.arguments, block.zones)
    return reader.finish((): Plugin => {
      const settings = { zones, clients, node, minimum, block, counters: registerMetrics(registry, metrics) }
      return {
        name: NAME,
        handle: (query, next) => whenKnown(next(query), verdict => preferNear(settings, query, verdict)),
      }
    })
  },
}

const preferNear = (settings: Settings, query: Query, verdict: Verdict): Verdict => {
  const { type, canonicalName } = query.question
  if (verdict.verdict !== 'answered' || verdict.answer.rcode !== rcodes.NOERROR) return verdict
  if (type !== recordTypes.A && type !== recordTypes.AAAA) return verdict
  if (verdict.answer.answers.length < 2 || !settings.zones.some(zone => isSubdomain(canonicalName, zone)))
    return verdict
  const cluster = settings.block
    .plugins()
    .find(plugin => plugin.cluster)
    ?.cluster?.()
  const endpoints = cluster && headlessEndpoints(cluster, canonicalName)
  return endpoints
    ? answered(verdict.by, nearOf(settings, query, { cluster, endpoints, answer: verdict.answer }))
    : verdict
}

/** Of the headless service whose name it is. */
const headlessEndpoints = (cluster: ClusterZones, name: DnsName): EndpointSet | undefined => {
  const { index } = cluster.options
  const zone = cluster.findZone(name)
  if (zone?.kind !== 'cluster') return undefined
  const request = parseRequest(name, zone)
  const entry = request.at === 'service' ? index.service(request.namespace, request.service) : undefined
  return entry?.service?.headless ? index.endpoints(entry) : undefined
}

interface Choice {
  readonly cluster: ClusterZones
  readonly endpoints: EndpointSet
  readonly answer: Answer
}

const nearOf = (settings: Settings, query: Query, { cluster, endpoints, answer }: Choice): Answer => {
  const known = byData(endpoints)
  const placed = answer.answers.map(record => ({ record, endpoint: known.get(record.data.toString('latin1')) }))
  const { clients, node, minimum, counters, block } = settings
  const own = clientZone(clients, cluster.options.index, query.client.address)
  const hinted = meantFor(placed, 'nodeHints', node) ?? meantFor(placed, 'zoneHints', own)
  if (!hinted && new Set(placed.map(({ endpoint }) => endpoint?.topologyZone)).size < 2) return answer
  const near = hinted ?? placed.filter(({ endpoint }) => own !== undefined && endpoint?.topologyZone === own)
  const outcome = hinted ? 'hinted' : own === undefined ? 'unknown' : near.length >= minimum ? 'near' : 'few'
  query.trace?.add(NAME, 'endpoints of several zones', { zone: own ?? '', near: String(near.length), outcome })
  counters.answers.inc({ server: query.server, view: block.view, outcome })
  const isLess = outcome === 'near' || outcome === 'hinted'
  return isLess ? { ...answer, answers: near.map(({ record }) => record) } : answer
}

interface Placed {
  readonly record: Answer['answers'][number]
  readonly endpoint: Endpoint | undefined
}

/**
 * As kube-proxy does (KEP-2433, KEP-3015): hints hold if all endpoints have them and some are for this client; else they
 * are being written still, or for clusters that look otherwise.
 */
const meantFor = (
  placed: readonly Placed[],
  kind: 'zoneHints' | 'nodeHints',
  own: string | undefined,
): readonly Placed[] | undefined => {
  if (own === undefined || !placed.every(({ endpoint }) => endpoint && endpoint[kind] !== '')) return undefined
  const found = placed.filter(({ endpoint }) => endpoint![kind].split(' ').includes(own))
  return found.length > 0 && found.length < placed.length ? found : undefined
}

/** An EndpointSet is of one moment: what is made of it holds as long as it is there. */
const placedSets = new WeakMap<EndpointSet, ReadonlyMap<string, Endpoint>>()

/** RDATA, byte for byte as latin1 → the endpoint. */
const byData = (endpoints: EndpointSet): ReadonlyMap<string, Endpoint> => {
  const found = placedSets.get(endpoints)
  if (found) return found
  const made = new Map(endpoints.all.map(endpoint => [addressData(endpoint.key).toString('latin1'), endpoint] as const))
  placedSets.set(endpoints, made)
  return made
}
