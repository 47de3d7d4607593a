/**
 * prometheus: `/metrics`, and what is counted of every reply. Names, labels and buckets are CoreDNS's, so that its
 * dashboards and alerts work unchanged; labels come from closed lists, so that no client can make new series.
 */
import { type CounterSeries, exponentialBuckets, type Gauge, type HistogramSeries } from '#lib/metrics.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import { chooseAddress } from '../corefile/endpoint-address.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import type { BlockContext, Plugin, PluginModule, Reply } from '../plugin.ts'
import { protocolOf, type Query } from '../query.ts'
import { rcodeName, recordTypes, typeName } from '../wire/codes.ts'
import { isSubdomain } from '../wire/name.ts'

const options = {
  runtime_metrics: {
    kind: 'flag',
    doc: 'also tell of Node itself: collections of garbage, spaces of the heap, how busy the event loop is; on for the whole program until it ends',
  },
} as const satisfies PropertyTable

const sizeBuckets = [0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3]

const metrics = {
  buildInfo: {
    kind: 'gauge',
    name: 'coredns_build_info',
    help: 'Always 1; the labels say which build answers. `goversion` holds the version of Node.',
    labels: ['version', 'revision', 'goversion'],
  },
  pluginEnabled: {
    kind: 'gauge',
    name: 'coredns_plugin_enabled',
    help: 'Always 1, for each plugin of each server block.',
    labels: ['server', 'zone', 'view', 'name'],
  },
  requests: {
    kind: 'counter',
    name: 'coredns_dns_requests_total',
    help: 'Queries by protocol, address family (1: IPv4, 2: IPv6) and type; unusual types are `other`.',
    labels: ['server', 'zone', 'view', 'proto', 'family', 'type'],
  },
  dnssecRequests: {
    kind: 'counter',
    name: 'coredns_dns_do_requests_total',
    help: 'Queries with the DO bit.',
    labels: ['server', 'zone', 'view'],
  },
  responses: {
    kind: 'counter',
    name: 'coredns_dns_responses_total',
    help: 'Replies by rcode and by the plugin that answered.',
    labels: ['server', 'zone', 'view', 'rcode', 'plugin'],
  },
  duration: {
    kind: 'histogram',
    name: 'coredns_dns_request_duration_seconds',
    help: 'From the arrival of a query to its reply.',
    labels: ['server', 'zone', 'view'],
    buckets: exponentialBuckets(0.00025, 2, 16),
  },
  requestSize: {
    kind: 'histogram',
    name: 'coredns_dns_request_size_bytes',
    help: 'Size of queries.',
    labels: ['server', 'zone', 'view', 'proto'],
    buckets: sizeBuckets,
  },
  responseSize: {
    kind: 'histogram',
    name: 'coredns_dns_response_size_bytes',
    help: 'Size of replies.',
    labels: ['server', 'zone', 'view', 'proto'],
    buckets: sizeBuckets,
  },
} as const satisfies MetricTable

/** Types that get a label of their own; CoreDNS's list. */
const labelledTypes: ReadonlySet<number> = new Set([
  recordTypes.A,
  recordTypes.AAAA,
  recordTypes.CNAME,
  recordTypes.DNSKEY,
  recordTypes.DS,
  recordTypes.HTTPS,
  recordTypes.MX,
  recordTypes.NS,
  recordTypes.NSEC,
  recordTypes.NSEC3,
  recordTypes.PTR,
  recordTypes.RRSIG,
  recordTypes.SOA,
  recordTypes.SRV,
  recordTypes.TXT,
  recordTypes.IXFR,
  recordTypes.AXFR,
  recordTypes.ANY,
])

/** The zone label of questions that no server block is for. */
const DROPPED = 'dropped'

export const prometheusPlugin: PluginModule = {
  name: 'prometheus',
  options,
  metrics,
  setup(directive, block, { registry, overrides, version }) {
    const reader = new DirectiveReader(directive)
    const { runtime_metrics: tellsOfRuntime } = reader.properties(options)
    const override = overrides['metrics-address']
    const address = chooseAddress({ reader, directive, override, otherwise: 'localhost:9153' })
    const reply = async () => ({ status: 200, contentType: registry.contentType, body: await registry.metrics() })
    return reader.finish((): Plugin => {
      const counted = registerMetrics(registry, metrics)
      const counters = new QueryCounters(block, counted)
      return {
        name: 'prometheus',
        endpoints: [{ address, path: '/metrics', reply }],
        report: (query, answer) => counters.count(query, answer, 1),
        reportHits: (query, answer, hits) => counters.count(query, answer, hits),
        start: async () => {
          if (tellsOfRuntime) (await import('#lib/runtime-metrics.ts')).collectRuntimeMetrics(registry)
          counted.buildInfo.set({ version, revision: '', goversion: process.version }, 1)
          tellEnabled(counted.pluginEnabled, block)
        },
        close: async () => tellDisabled(counted.pluginEnabled, block),
      }
    })
  },
}

/** Blocks that have a plugin, by its labels: on a reload the new one starts before the old one, often the same, closes. */
const owners = new WeakMap<Gauge, Map<string, Set<BlockContext>>>()

const ownersOf = (gauge: Gauge, key: string): Set<BlockContext> => {
  const all = owners.get(gauge) ?? new Map<string, Set<BlockContext>>()
  owners.set(gauge, all)
  const some = all.get(key) ?? new Set()
  all.set(key, some)
  return some
}

const tellEnabled = (gauge: Gauge, block: BlockContext): void => {
  for (const labels of pluginLabels(block)) {
    ownersOf(gauge, JSON.stringify(labels)).add(block)
    gauge.set(labels, 1)
  }
}

const tellDisabled = (gauge: Gauge, block: BlockContext): void => {
  for (const labels of pluginLabels(block)) {
    const key = JSON.stringify(labels)
    const some = ownersOf(gauge, key)
    if (!some.delete(block) || some.size > 0) continue
    owners.get(gauge)?.delete(key)
    gauge.remove(labels)
  }
}

const pluginLabels = ({ servers, zones, view, directives }: BlockContext): Record<string, string>[] => {
  const names = new Set(directives.map(({ name }) => name.text))
  return servers.flatMap(server => zones.flatMap(zone => [...names].map(name => ({ server, zone, view, name }))))
}

class QueryCounters {
  readonly #zones: readonly string[]
  readonly #view: string
  readonly #metrics: Metrics<typeof metrics>
  /** By server, then by zone as in `#zones`; the last is for names of none. */
  readonly #counters = new Map<string, (ZoneCounters | undefined)[]>()

  constructor(block: BlockContext, counted: Metrics<typeof metrics>) {
    this.#zones = block.zones.toSorted((left, right) => right.length - left.length)
    this.#view = block.view
    this.#metrics = counted
  }

  count(query: Query, reply: Reply, times: number): void {
    const { server, question } = query
    let index = 0
    while (index < this.#zones.length && !isSubdomain(question.canonicalName, this.#zones[index]!)) index++
    let zones = this.#counters.get(server)
    if (!zones) this.#counters.set(server, (zones = []))
    const labels = () => ({ server, zone: this.#zones[index] ?? DROPPED, view: this.#view })
    const counters = (zones[index] ??= new ZoneCounters(this.#metrics, labels()))
    counters.count(query, reply, times)
  }
}

interface ZoneLabels {
  readonly server: string
  readonly zone: string
  readonly view: string
}

interface ProtocolCounters {
  readonly requestSize: HistogramSeries
  readonly responseSize: HistogramSeries
  /** By type; of IPv4, of IPv6. */
  readonly requests: readonly [Map<number, CounterSeries>, Map<number, CounterSeries>]
}

/** The series of one server and zone, held so that a query looks no labels up. Each is made when it is first needed. */
class ZoneCounters {
  readonly #metrics: Metrics<typeof metrics>
  readonly #labels: ZoneLabels
  readonly #duration: HistogramSeries
  #dnssecRequests: CounterSeries | undefined
  readonly #protocols: { udp: ProtocolCounters | undefined; tcp: ProtocolCounters | undefined } = {
    udp: undefined,
    tcp: undefined,
  }
  /** By plugin, then by rcode. */
  readonly #responses = new Map<string, Map<number, CounterSeries>>()

  constructor(counted: Metrics<typeof metrics>, labels: ZoneLabels) {
    this.#metrics = counted
    this.#labels = labels
    this.#duration = counted.duration.child({ ...labels })
  }

  /** `times` queries like this one. */
  count(query: Query, { answer, by, packet, duration }: Reply, times: number): void {
    const { question, transport, client, edns, packet: request } = query
    const proto = protocolOf(transport)
    const protocol = (this.#protocols[proto] ??= this.#protocol(proto))
    this.#request(protocol, proto, client.address.includes(':'), question.type).inc(times)
    if (edns?.dnssecOk) (this.#dnssecRequests ??= this.#metrics.dnssecRequests.child({ ...this.#labels })).inc(times)
    protocol.requestSize.observe(request.length, times)
    this.#duration.observe(duration / 1000, times)
    if (!answer || !packet) return
    protocol.responseSize.observe(packet.length, times)
    this.#response(by, answer.rcode).inc(times)
  }

  #protocol(proto: 'udp' | 'tcp'): ProtocolCounters {
    const labels = { ...this.#labels, proto }
    return {
      requestSize: this.#metrics.requestSize.child(labels),
      responseSize: this.#metrics.responseSize.child(labels),
      requests: [new Map(), new Map()],
    }
  }

  #request({ requests }: ProtocolCounters, proto: string, isIPv6: boolean, type: number): CounterSeries {
    const [ipv4, ipv6] = requests
    const counters = isIPv6 ? ipv6 : ipv4
    const known = counters.get(type)
    if (known) return known
    const isLabelled = labelledTypes.has(type)
    const labels = { ...this.#labels, proto, family: isIPv6 ? '2' : '1', type: isLabelled ? typeName(type) : 'other' }
    const made = this.#metrics.requests.child(labels)
    if (isLabelled) counters.set(type, made)
    return made
  }

  #response(by: string, rcode: number): CounterSeries {
    let counters = this.#responses.get(by)
    if (!counters) this.#responses.set(by, (counters = new Map()))
    const known = counters.get(rcode)
    if (known) return known
    const made = this.#metrics.responses.child({ ...this.#labels, rcode: rcodeName(rcode), plugin: by })
    counters.set(rcode, made)
    return made
  }
}
