/**
 * forward: asks other servers, and gives on what they say. Identical questions under way are asked once; what cannot be
 * answered becomes SERVFAIL with the reason (RFC 8914). Names that are nobody's on the Internet do not leave this site.
 */
import type { Milliseconds } from '#lib/clock.ts'
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import type { Next } from '../next.ts'
import type { BlockContext, Environment, Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { respell } from '../respell.ts'
import type { Destinations } from '../upstream/destinations.ts'
import { ExchangeError } from '../upstream/exchange-error.ts'
import { ExchangeTap } from '../upstream/exchange-tap.ts'
import { type ForwardSettings, forwardOptions, readForwardSettings } from '../upstream/forward-settings.ts'
import { makeDestinations } from '../upstream/make-destinations.ts'
import { UpstreamPool } from '../upstream/pool.ts'
import { proxyMetrics } from '../upstream/proxy-metrics.ts'
import {
  answerSpecialName,
  findSpecialZone,
  isSearchedClusterName,
  searchedClusterName,
} from '../upstream/special-names.ts'
import type { Channel } from '../upstream/transport.ts'
import type { UpstreamReply } from '../upstream/upstream.ts'
import { type Answer, answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { extendedErrorCodes, rcodeName, rcodes } from '../wire/codes.ts'
import { isInSome, isSubdomain, ROOT } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'

const NAME = 'forward'

const forwardMetrics = {
  allDown: {
    kind: 'counter',
    name: 'coredns_forward_healthcheck_broken_total',
    help: 'Questions that found all upstreams down.',
    labels: [],
  },
  rejects: {
    kind: 'counter',
    name: 'coredns_forward_max_concurrent_rejects_total',
    help: 'Queries that were REFUSED because too many were under way.',
    labels: [],
  },
  ...proxyMetrics,
  joined: {
    kind: 'counter',
    name: 'seamark_forward_joined_total',
    help: 'Questions that waited for the reply to an equal one under way.',
    labels: [],
  },
  hedges: {
    kind: 'counter',
    name: 'seamark_forward_hedges_total',
    help: 'Questions put to a second upstream because the first was late; `won`: it was the one that answered.',
    labels: ['won'],
  },
  specialNames: {
    kind: 'counter',
    name: 'seamark_forward_special_names_total',
    help: 'Questions for names that are nobody’s on the Internet: `answered` here or `asked` of upstreams all the same.',
    labels: ['reach', 'outcome'],
  },
  searchFailures: {
    kind: 'counter',
    name: 'seamark_forward_search_failures_total',
    help: 'Failures of upstreams in `search_domains` that became NXDOMAIN.',
    labels: [],
  },
} as const satisfies MetricTable

/** CoreDNS's: for a question with all attempts. */
const TOTAL_TIMEOUT: Milliseconds = 5000
/**
 * What `max_concurrent 0` means, for all `forward` lines together: below the usual limit of open files, a socket each, and
 * well below what the server takes at one time, so that other names are answered however slow all upstreams are.
 */
const CONCURRENCY_CEILING = 10_000

export const forwardPlugin: PluginModule = {
  name: NAME,
  repeatable: true,
  options: forwardOptions,
  metrics: forwardMetrics,
  setup(directive, block, environment) {
    const reader = new DirectiveReader(directive)
    const settings = readForwardSettings(reader, directive, reader.properties(forwardOptions))
    return reader.finish((): Plugin => {
      const metrics = registerMetrics(environment.registry, forwardMetrics)
      const destinations = makeDestinations({
        reader,
        directive,
        settings,
        metrics,
        environment,
        tap: new ExchangeTap(block),
      })
      return new Forward({ settings, destinations, metrics, block }, environment)
    })
  },
}

interface ForwardParts {
  readonly settings: ForwardSettings
  /** Undefined: the Corefile is wrong, and this instance never runs. */
  readonly destinations: Destinations | undefined
  readonly metrics: Metrics<typeof forwardMetrics>
  readonly block: BlockContext
}

/** Where a question may go, by its name alone. */
type Reach = 'anywhere' | 'site' | Answer

class Forward implements Plugin {
  readonly name = NAME
  readonly steady = true
  readonly #settings: ForwardSettings
  readonly #block: BlockContext
  readonly #metrics: Metrics<typeof forwardMetrics>
  readonly #environment: Environment
  #limit: number
  #destinations: Destinations | undefined
  #pool: UpstreamPool
  #isAdopted = false
  #underWay = 0
  /** Undefined: not known yet. */
  #clusterZones: readonly DnsName[] | undefined

  constructor({ settings, destinations, metrics, block }: ForwardParts, environment: Environment) {
    const { values, failover } = settings
    const { clock, random } = environment
    this.#environment = environment
    this.#settings = settings
    this.#destinations = destinations
    this.#metrics = metrics
    this.#block = block
    this.#limit = values.max_concurrent || CONCURRENCY_CEILING
    this.#pool = new UpstreamPool({
      upstreams: () => destinations?.upstreams ?? [],
      known: async () => destinations?.known(),
      policy: values.policy,
      totalTimeout: Math.max(TOTAL_TIMEOUT, values.read_timeout),
      maximumAttempts: values.max_connect_attempts,
      failFast: values.failfast_all_unhealthy_upstreams,
      failover,
      clock,
      random,
      events: {
        allDown: () => metrics.allDown.inc(),
        joined: () => metrics.joined.inc(),
        hedged: won => metrics.hedges.inc({ won: String(won) }),
      },
    })
  }

  readonly forwarding = {
    zone: () => this.#settings.from[0] ?? ROOT,
    servers: () => this.#destinations?.upstreams ?? [],
  }

  /** The directive did not change: open connections stay, and what is known of each upstream. */
  adopt(previous: Plugin): void {
    // Certificates may have changed in their files.
    if (!(previous instanceof Forward) || this.#settings.values.tls.length > 0) return
    this.#destinations?.close()
    this.#destinations = previous.#destinations
    this.#destinations?.tap.follow(this.#block)
    this.#pool = previous.#pool
    previous.#isAdopted = true
  }

  async start(): Promise<void> {
    const lines = this.#environment.plugins().filter(({ name }) => name === NAME).length
    this.#limit = this.#settings.values.max_concurrent || Math.ceil(CONCURRENCY_CEILING / Math.max(1, lines))
    await this.#destinations?.start()
  }

  async close(): Promise<void> {
    if (!this.#isAdopted) this.#destinations?.close()
  }

  /** dnsmasq's `servers.bind`: address, number of questions, number of failures. */
  chaosText(name: DnsName): readonly string[] | undefined {
    if (name !== 'servers.bind.') return undefined
    return this.#destinations?.upstreams.map(
      ({ target, counters }) => `${target.address}#${target.port} ${counters.queries} ${counters.errors}`,
    )
  }

  /** Zones that a server failed to answer for are no longer held against it; files of servers are read again. */
  async clear(): Promise<void> {
    for (const { failingZones } of this.#destinations?.upstreams ?? []) failingZones.clear()
    await this.#destinations?.readAgain()
  }

  statistics(): Readonly<Record<string, unknown>> {
    return {
      underWay: this.#underWay,
      upstreams: this.#destinations?.upstreams.map(({ label, health, isExcluded, latency, counters }) => ({
        label,
        ...counters,
        state: isExcluded ? 'loop' : health.isDown ? 'down' : 'up',
        underWay: latency.underWay,
        percentile95: latency.percentile95,
      })),
    }
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const { canonicalName } = query.question
    const { from, except } = this.#settings
    if (!isInSome(canonicalName, from) || isInSome(canonicalName, except)) return next(query)
    if (query.kept?.question === query.question) return answered('cache', query.kept.answer, query.kept.memo)
    const reach = this.#reachOf(query)
    if (typeof reach === 'object') return answered(NAME, respell(reach, query.question))
    if (this.#underWay >= this.#limit) {
      this.#metrics.rejects.inc()
      query.trace?.add(NAME, 'too many queries under way', { limit: this.#limit })
      return tooMany
    }
    return this.#ask(query, next, reach === 'site')
  }

  #ask(query: Query, next: Next, siteOnly: boolean): Promise<Verdict> {
    this.#underWay++
    return this.#exchange(query, siteOnly).then(
      reply => {
        this.#underWay--
        return this.#replied(query, next, reply)
      },
      error => {
        this.#underWay--
        if (!(error instanceof ExchangeError)) throw error
        query.trace?.add(NAME, 'no upstream answered', { reason: error.message })
        return answered(NAME, emptyAnswer(rcodes.SERVFAIL, { extendedErrors: [causeOf(error)] }))
      },
    )
  }

  #replied(query: Query, next: Next, reply: UpstreamReply): MaybePromise<Verdict> {
    const { label } = reply.upstream
    query.trace?.add(NAME, 'upstream answered', { upstream: label, rcode: reply.response.rcode })
    query.metadata?.set('forward/upstream', label)
    const verdict = answered(NAME, respell(this.#answerOf(reply, query), query.question))
    if (!this.#asksNext(reply)) return verdict
    return whenKnown(next(query), other => (other.verdict === 'unhandled' ? verdict : other))
  }

  #exchange(query: Query, siteOnly: boolean): Promise<UpstreamReply> {
    const { question, edns, transport } = query
    const { force_tcp: forced, prefer_udp: preferred } = this.#settings.values
    const channel: Channel = forced || (transport !== 'udp' && !preferred) ? 'tcp' : 'udp'
    const asked = {
      name: question.canonicalName,
      type: question.type,
      recursionDesired: query.recursionDesired,
      checkingDisabled: query.checkingDisabled,
      // RFC 6840 §5.7: says that AD is understood; whether this client gets it is decided when its reply is encoded.
      authenticData: true,
      dnssecOk: edns?.dnssecOk ?? false,
      siteOnly,
      ...(query.upstreamOptions && { options: query.upstreamOptions }),
    }
    const reply = this.#pool.ask(asked, channel)
    if (channel === 'tcp' || transport === 'udp') return reply
    // A client on UDP gets TC and comes again over TCP; one on TCP cannot be told to.
    return reply.then(first => (first.response.truncated ? this.#pool.ask(asked, 'tcp') : first))
  }

  /** Who has written a block or a stub zone for a special name wants it asked. */
  #reachOf({ question, trace }: Query): Reach {
    const { special_names: wanted } = this.#settings.values
    if (wanted === 'always') return 'anywhere'
    const { canonicalName } = question
    const special = findSpecialZone(question)
    const isSearched = isSearchedClusterName(canonicalName, this.#zonesOfCluster())
    if (!special && !isSearched) return 'anywhere'
    const ours = [...this.#settings.from, ...this.#block.zones].filter(zone => isSubdomain(canonicalName, zone))
    if (special ? ours.some(zone => isSubdomain(zone, special.zone)) : ours.some(zone => zone !== ROOT))
      return 'anywhere'
    const reach = special?.reach ?? 'searched'
    const upstreams = this.#destinations?.upstreams ?? []
    // Those that are given by name are not known at first.
    const hasSite = upstreams.length === 0 || upstreams.some(upstream => upstream.isOnSite)
    const asks = reach === 'site' && wanted === 'site' && hasSite
    this.#metrics.specialNames.inc({ reach, outcome: asks ? 'asked' : 'answered' })
    if (asks) return 'site'
    trace?.add(NAME, 'a special name is not asked upstream', { zone: special?.zone, reach })
    return special ? answerSpecialName(question, special) : searchedClusterName
  }

  #zonesOfCluster(): readonly DnsName[] {
    if (this.#clusterZones) return this.#clusterZones
    const plugin = this.#block.plugins().find(({ cluster }) => cluster)
    const started = plugin?.cluster?.()
    if (plugin && !started) return []
    const zones = started?.options.settings.zones ?? []
    return (this.#clusterZones = zones.filter(({ kind }) => kind === 'cluster').map(({ name }) => name))
  }

  /** What of a response goes on: not its id, question and OPT, which are between it and us. */
  #answerOf({ response, upstream }: UpstreamReply, { question }: Query): Answer {
    const { rcode, authoritative, recursionAvailable, authenticData, truncated } = response
    const { answers, authority, additional, extendedErrors = [] } = response
    const said = { rcode, authoritative, recursionAvailable, authenticData, truncated, answers, authority, additional }
    if (!isFailure(rcode)) return extendedErrors.length > 0 ? { ...said, extendedErrors } : said
    const text = `${upstream.label} answered ${rcodeName(rcode)}`
    // RFC 8914 §4.24: an error in the exchange with another server.
    const errors = [...extendedErrors, { code: extendedErrorCodes.NETWORK_ERROR, text }]
    const failure = { ...said, extendedErrors: errors }
    const { searchDomains } = this.#settings
    const inSearch = searchDomains.some(
      zone => question.canonicalName !== zone && isSubdomain(question.canonicalName, zone),
    )
    if (!inSearch || (rcode !== rcodes.REFUSED && rcode !== rcodes.SERVFAIL)) return failure
    this.#metrics.searchFailures.inc()
    return { ...failure, rcode: rcodes.NXDOMAIN }
  }

  #asksNext({ response }: UpstreamReply): boolean {
    const { next, values } = this.#settings
    const isNodata = response.rcode === rcodes.NOERROR && response.answers.length === 0
    return next.has(response.rcode) || (values.next_on_nodata && isNodata)
  }
}

const isFailure = (rcode: number): boolean => rcode !== rcodes.NOERROR && rcode !== rcodes.NXDOMAIN

const tooMany = answered(
  NAME,
  emptyAnswer(rcodes.REFUSED, {
    extendedErrors: [{ code: extendedErrorCodes.OTHER, text: 'too many queries are under way' }],
  }),
)

/** RFC 8914 §4.23: no authority could be reached; §4.24: an error on the network; §4.1: our own trouble. */
const causeCodes = {
  timeout: extendedErrorCodes.NO_REACHABLE_AUTHORITY,
  none: extendedErrorCodes.NO_REACHABLE_AUTHORITY,
  unreachable: extendedErrorCodes.NETWORK_ERROR,
  closed: extendedErrorCodes.NETWORK_ERROR,
  local: extendedErrorCodes.OTHER,
} as const

/** CoreDNS ends what it says of a timeout with these words: patterns of `errors` and alerts on logs know them. */
const TIMEOUT = 'i/o timeout'

const causeOf = ({ failure, message }: ExchangeError) => ({
  code: causeCodes[failure],
  text: failure === 'timeout' ? `${message}: ${TIMEOUT}` : message,
})
