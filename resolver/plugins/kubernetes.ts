/**
 * kubernetes: answers for the cluster's names and addresses from a watch on its apiserver (Kubernetes DNS specification
 * 1.1). The zone itself is `resolver/zone/`; here are the directive, the life of the watch and what is passed on.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import { exponentialBuckets } from '#lib/metrics.ts'
import type { EndpointSliceView } from '#watcher/views/endpoint-slice.ts'
import type { Directive, Property } from '../corefile/syntax.ts'
import { withTerms } from '../memo.ts'
import type { MemoTerms } from '../memo-terms.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import type { Next } from '../next.ts'
import type { BlockContext, Environment, Plugin, PluginModule, ZoneCopy } from '../plugin.ts'
import type { Query } from '../query.ts'
import { answered, type Verdict } from '../verdict.ts'
import { rcodeName } from '../wire/codes.ts'
import { isSubdomain } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'
import { CatchUp } from '../zone/catch-up.ts'
import { clientNamespace } from '../zone/client-namespace.ts'
import { ClusterIndex } from '../zone/cluster-index.ts'
import type { Cluster } from '../zone/cluster-source.ts'
import { ClusterZones, STALE } from '../zone/cluster-zones.ts'
import { dataAgeMetric, listForAge } from '../zone/data-age.ts'
import { type KubernetesSettings, kubernetesOptions, readKubernetes } from '../zone/directive.ts'
import { facts } from '../zone/facts.ts'
import { zoneTerms } from '../zone/memo-terms.ts'
import { setMetadata } from '../zone/metadata.ts'
import { notReady } from '../zone/negative.ts'
import { findZone, type Zone } from '../zone/settings.ts'
import { watchCluster } from '../zone/watch-cluster.ts'
import type { ZoneAnswer } from '../zone/zone-answer.ts'
import { copyZone } from '../zone/zone-copy.ts'

const metrics = {
  dataAge: dataAgeMetric,
  programming: {
    kind: 'histogram',
    name: 'coredns_kubernetes_dns_programming_duration_seconds',
    help: 'From the change of a pod or service to the answer that shows it, for headless services with a selector.',
    labels: ['service_kind'],
    // From 1 ms to 524 s: the service level indicator of Kubernetes' SIG scalability.
    buckets: exponentialBuckets(0.001, 2, 20),
  },
  catchUp: {
    kind: 'counter',
    name: 'seamark_kubernetes_out_of_touch_total',
    help: 'Queries for unknown names while a watch was down or began anew, by what came of asking the apiserver (caught-up, away: denied, unknown: SERVFAIL).',
    labels: ['outcome'],
  },
} as const satisfies MetricTable

const NAME = 'kubernetes'

export const kubernetesPlugin: PluginModule = {
  name: NAME,
  options: kubernetesOptions,
  metrics,
  setup(directive, block, environment) {
    const settings = readKubernetes(directive, block)
    if (!settings.ok) return settings
    return { ok: true, value: new Kubernetes(settings.value, environment, wantsMetadata(block)) }
  },
}

/** Metadata costs a map for each query, so it is only made where a line of the block can show it; `metadata` asks by itself. */
const wantsMetadata = ({ directives }: BlockContext): boolean =>
  directives.every(({ name }) => name.text !== 'metadata') &&
  directives.some(({ name, ...rest }) => name.text === 'log' && mentionsMetadata(rest))

const mentionsMetadata = (part: Pick<Directive, 'arguments'> & { properties?: readonly Property[] }): boolean =>
  part.arguments.some(({ text }) => text.includes('{/')) ||
  (part.properties ?? []).some(property => mentionsMetadata({ ...property, properties: property.body }))

/** A watch and what was made of it; shared by an instance and the one that adopts it on a reload. */
interface Shared {
  readonly cluster: Cluster
  readonly index: ClusterIndex
  readonly catchUp: CatchUp
  /** Instances that use it; the last one to close ends it. */
  users: number
}

class Kubernetes implements Plugin {
  readonly name = NAME
  readonly steady = true
  readonly #settings: KubernetesSettings
  readonly #environment: Environment
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #wantsMetadata: boolean
  readonly #metrics: Metrics<typeof metrics>
  readonly #unlist: () => void
  #shared: Shared | undefined
  #zones: ClusterZones | undefined
  #late: Timer | undefined

  get ownZones(): readonly DnsName[] {
    const { fallthrough, zone: own } = this.#settings
    const zones = own.zones.map(({ name }) => name)
    return zones.filter(zone => !fallthrough.some(other => isSubdomain(zone, other) || isSubdomain(other, zone)))
  }

  constructor(settings: KubernetesSettings, environment: Environment, wantsMetadata: boolean) {
    this.#settings = settings
    this.#environment = environment
    this.#wantsMetadata = wantsMetadata
    this.#clock = environment.clock
    this.#logger = environment.logger.child({ room: 'resolver', plugin: NAME })
    this.#unlist = listForAge(environment.registry, this)
    this.#metrics = registerMetrics(environment.registry, metrics)
  }

  adopt(previous: Plugin): void {
    if (!(previous instanceof Kubernetes) || !previous.#shared) return
    // What is watched also follows from other directives of the block.
    if (!isDeepStrictEqual(previous.#settings.needs, this.#settings.needs)) return
    this.#use(previous.#shared)
  }

  async start(): Promise<void> {
    if (this.#shared) return
    const { cluster: source = watchCluster(this.#settings.connection, this.#environment) } = this.#environment
    const cluster = await source(this.#settings.needs)
    const index = new ClusterIndex(cluster, {
      clock: this.#clock,
      board: this.#environment.board,
      settings: this.#settings.zone,
      programmed: slice => this.#observeProgramming(slice),
    })
    const catchUp = new CatchUp({
      lists: index.following,
      clock: this.#clock,
      onChange: () => this.#environment.board.changed(facts.absence),
      onOutcome: outcome => this.#metrics.catchUp.inc({ outcome }),
    })
    this.#use({ cluster, index, catchUp, users: 0 })
    await cluster.start()
    this.#late = this.#clock.after(this.#settings.startupTimeout, () => this.#warnWhenLate())
  }

  cluster(): ClusterZones | undefined {
    return this.#zones
  }

  copyZone(name: DnsName): ZoneCopy | undefined {
    if (this.#zones) return copyZone(this.#zones, name)
    const isOwn = this.#settings.zone.zones.some(zone => zone.name === name)
    return isOwn ? { soa: undefined, records: [] } : undefined
  }

  /** What the kubelet writes into the resolv.conf of a pod with ClusterFirst. */
  searchList({ question, client }: Query): readonly DnsName[] | undefined {
    const zone = findZone(this.#settings.zone.zones, question.canonicalName)
    if (zone?.kind !== 'cluster') return undefined
    const namespace = this.#shared && clientNamespace(this.#shared.index, client.address)
    return namespace === undefined ? undefined : [`${namespace}.svc.${zone.name}`, `svc.${zone.name}`, zone.name]
  }

  dataAge(): Milliseconds | undefined {
    return this.#shared?.cluster.age()
  }

  /** Seconds, and how far each list has followed the apiserver: to tell which of two servers is behind. */
  chaosText(name: DnsName): readonly string[] | undefined {
    const age = this.dataAge()
    if (name === 'sync.age.') return [age === undefined ? 'unknown' : (age / 1000).toFixed(1)]
    if (name !== 'sync.revision.') return undefined
    const revisions = Object.entries(this.#shared?.cluster.revisions() ?? {})
    return revisions.map(([list, revision]) => `${list}=${revision}`)
  }

  ready(): boolean {
    return this.#shared?.index.synced ?? false
  }

  async close(): Promise<void> {
    this.#late?.cancel()
    this.#unlist()
    const shared = this.#shared
    this.#shared = undefined
    if (!shared || --shared.users > 0) return
    shared.catchUp.close()
    shared.index.close()
    await shared.cluster.close()
  }

  provideMetadata(query: Query, metadata: Map<string, string>): void {
    const zone = findZone(this.#settings.zone.zones, query.question.canonicalName)
    setMetadata(metadata, query, zone, this.#shared?.index)
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const { canonicalName } = query.question
    const zone = findZone(this.#settings.zone.zones, canonicalName)
    if (!zone) return next(query)
    if (this.#wantsMetadata) this.provideMetadata(query, (query.metadata ??= new Map()))
    if (!this.#zones) return answered(NAME, notReady())
    return whenKnown(this.#zones.answer(query, zone), result => this.#conclude(result, zone, query, next))
  }

  #conclude(
    { outcome, answer, own, absence }: ZoneAnswer,
    zone: Zone,
    query: Query,
    next: Next,
  ): MaybePromise<Verdict> {
    query.trace?.add(NAME, outcome === 'missing' ? 'no such name' : 'name found', { rcode: rcodeName(answer.rcode) })
    const verdict = answered(
      NAME,
      answer,
      own ? () => this.#memoTerms(query, zone, { isDenial: outcome === 'missing' || absence === true }) : undefined,
    )
    if (outcome !== 'missing' || !this.#fallsThrough(query.question.canonicalName)) return verdict
    query.trace?.add(NAME, 'falls through to the next plugin')
    return whenKnown(next(query), other => orElse(other, verdict))
  }

  #memoTerms(
    { question, edns }: Query,
    zone: Zone,
    { isDenial }: { readonly isDenial: boolean },
  ): MemoTerms | undefined {
    const { fallthrough, zone: own } = this.#settings
    const context = { fallthrough, zones: own.zones, isDenial }
    const terms = this.#shared && zoneTerms(question.canonicalName, zone, this.#shared.index, context)
    if (!terms) return undefined
    const restsOnWatches = terms.facts.includes(facts.absence)
    const holds = restsOnWatches ? this.#shared?.catchUp.denialsHoldUntil : Number.POSITIVE_INFINITY
    if (holds === undefined) return undefined
    const age = edns && this.dataAge()
    // From then on the answer says that it may be stale, to those who can be told.
    const fresh = age === undefined ? Number.POSITIVE_INFINITY : this.#clock.monotonic() + STALE - age
    const until = Math.min(holds, fresh)
    return until === Number.POSITIVE_INFINITY ? terms : { ...terms, until }
  }

  #fallsThrough(canonicalName: string): boolean {
    return this.#settings.fallthrough.some(zone => isSubdomain(canonicalName, zone))
  }

  #use(shared: Shared): void {
    shared.users++
    this.#shared = shared
    this.#zones = new ClusterZones({
      index: shared.index,
      settings: this.#settings.zone,
      localAddresses: this.#environment.localAddresses,
      resolveInternally: this.#environment.resolveInternally,
      fallsThrough: canonicalName => this.#fallsThrough(canonicalName),
      catchUp: shared.catchUp,
      age: () => this.dataAge(),
    })
  }

  #warnWhenLate(): void {
    if (this.ready()) return
    const problem = this.#shared?.cluster.problem() ?? ''
    this.#logger.warn(
      { problem },
      'the lists of the cluster are not complete yet; unknown names are SERVFAIL until then',
    )
  }

  /** Only the endpoint slice controller writes the trigger time, so the service has a selector. */
  #observeProgramming({ lastChangeTriggerTime }: EndpointSliceView): void {
    const seconds = (this.#clock.now() - Date.parse(lastChangeTriggerTime)) / 1000
    if (seconds >= 0) this.#metrics.programming.observe({ service_kind: 'headless_with_selector' }, seconds)
  }
}

/** Where nobody further down has the name either, this plugin's NXDOMAIN is the answer: it is the zone's authority. */
const orElse = (verdict: Verdict, otherwise: Verdict): Verdict => {
  if (verdict.verdict === 'unhandled') return otherwise
  // That it is not here is what the other one's word rests on, too.
  return withTerms(verdict, terms => {
    const own = otherwise.verdict === 'answered' ? otherwise.memo?.() : undefined
    return own && { ...terms, facts: [...terms.facts, ...own.facts] }
  })
}
