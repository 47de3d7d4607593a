/**
 * ratelimit: so many questions a second for each client (or namespace), and so many denials: one that floods costs the
 * others nothing but what it takes to say no.
 *
 * Only UDP: there a client that was cut off comes again over TCP (TC), which shows that its address is its own and which
 * the server bounds by itself.
 */
import { type MaybePromise, whenKnown } from '#lib/maybe-promise.ts'
import { DirectiveReader, type PropertyTable, type PropertyValues } from '../corefile/directive-reader.ts'
import type { Property } from '../corefile/syntax.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import { NetworkList } from '../network-list.ts'
import type { Next } from '../next.ts'
import type { BlockContext, Environment, Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { Budgets, type Rate } from '../ratelimit/budgets.ts'
import { answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { rcodes } from '../wire/codes.ts'
import { isSubdomain } from '../wire/name.ts'
import type { DnsName } from '../wire/record.ts'
import { clientNamespace } from '../zone/client-namespace.ts'

const NAME = 'ratelimit'

const rate = { kind: 'words', syntax: 'RATE [BURST]', minimum: 1, maximum: 2, absent: 'no limit' } as const

const options = {
  queries: { ...rate, doc: 'questions a second of one client; BURST (default: RATE) may come at once' },
  nxdomain: { ...rate, doc: 'NXDOMAIN answers a second for one client' },
  by: {
    kind: 'choice',
    syntax: 'address|namespace',
    choices: ['address', 'namespace'],
    default: 'address',
    doc: 'who shares a budget: an address, or all pods of a namespace (clients that are no pod: their address)',
  },
  slip: {
    kind: 'number',
    syntax: 'N',
    default: 2,
    minimum: 0,
    maximum: 10,
    unit: 'questions',
    doc: 'of the questions over the limit every Nth is answered with TC, the others not at all; 1: all are, 0: none is',
  },
  exempt: {
    kind: 'words',
    syntax: 'SOURCE…',
    minimum: 1,
    maximum: Number.POSITIVE_INFINITY,
    repeatable: true,
    absent: 'nobody',
    doc: 'addresses and networks without limits: nodes, other DNS servers',
  },
  clients: {
    kind: 'number',
    syntax: 'N',
    default: 10_000,
    minimum: 100,
    maximum: 1_000_000,
    unit: 'clients',
    doc: 'clients that are kept in mind, some 200 bytes each; of more, those that asked longest ago start anew',
  },
  audit: { kind: 'flag', doc: 'count and log what is over the limit, and answer it all the same' },
} as const satisfies PropertyTable

const metrics = {
  limited: {
    kind: 'counter',
    name: 'seamark_ratelimit_limited_total',
    help: 'Questions over a limit, by the budget (queries, nxdomain) and by what became of them (dropped, truncated, answered).',
    labels: ['server', 'zone', 'view', 'budget', 'action'],
  },
} as const satisfies MetricTable

type Budget = 'queries' | 'nxdomain'

interface Limit extends Rate {
  readonly budget: Budget
}

interface Settings {
  readonly zones: readonly DnsName[]
  readonly limits: readonly Limit[]
  readonly exempt: NetworkList
  readonly values: PropertyValues<typeof options>
}

const RATE_BOUNDS = { minimum: 1, maximum: 1_000_000, unit: 'a second' } as const

/** One line a second says enough of a flood from many addresses. Milliseconds. */
const LOG_PAUSE = 1000

export const ratelimitPlugin: PluginModule = {
  name: NAME,
  repeatable: true,
  options,
  metrics,
  setup(directive, block, environment) {
    const reader = new DirectiveReader(directive)
    const values = reader.properties(options)
    const limits = [
      ...readLimits(reader, 'queries', values.queries),
      ...readLimits(reader, 'nxdomain', values.nxdomain),
    ]
    if (limits.length === 0) reader.refuse(directive.name, 'needs "queries" or "nxdomain"')
    const isClusterBlock = block.directives.some(({ name }) => name.text === 'kubernetes')
    if (values.by === 'namespace' && !isClusterBlock)
      reader.refuse(directive.name, '"by namespace" needs "kubernetes" in this server block: it knows the pods')
    const exempt = NetworkList.read(
      reader,
      values.exempt.flatMap(line => line.arguments),
    )
    const zones = reader.zones(directive.arguments, block.zones)
    return reader.finish((): Plugin => new RateLimit({ zones, limits, exempt, values }, block, environment))
  },
}

const readLimits = (reader: DirectiveReader, budget: Budget, [line]: readonly Property[]): readonly Limit[] => {
  const [tokens, burst] = (line?.arguments ?? []).map(word => reader.number(word, RATE_BOUNDS))
  return tokens === undefined ? [] : [{ budget, tokens, burst: burst ?? tokens }]
}

class RateLimit implements Plugin {
  readonly name = NAME
  readonly allClasses = true
  readonly #settings: Settings
  readonly #block: BlockContext
  readonly #environment: Environment
  readonly #metrics: Metrics<typeof metrics>
  #budgets: Budgets
  #lastLine = Number.NEGATIVE_INFINITY
  /** Over the limit since the last line in the log. */
  #unsaid = 0

  constructor(settings: Settings, block: BlockContext, environment: Environment) {
    this.#settings = settings
    this.#block = block
    this.#environment = environment
    this.#metrics = registerMetrics(environment.registry, metrics)
    this.#budgets = new Budgets(settings.limits, settings.values.clients)
  }

  adopt(previous: Plugin): void {
    if (previous instanceof RateLimit) this.#budgets = previous.#budgets
  }

  statistics(): Readonly<Record<string, unknown>> {
    return { clients: this.#budgets.size, room: this.#settings.values.clients }
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const zone = this.#zoneOf(query)
    if (zone === undefined) return next(query)
    const charge = { query, zone, key: this.#keyOf(query) }
    const limited = this.#charge(charge, 'queries')
    if (limited) return limited
    return whenKnown(next(query), verdict => this.#afterwards(charge, verdict))
  }

  /** Undefined: there is no limit for the question. What this server asks itself a client has been charged for. */
  #zoneOf({ question, client, transport, depth }: Query): DnsName | undefined {
    if (transport !== 'udp' || depth !== undefined || this.#settings.exempt.has(client.address)) return undefined
    return this.#settings.zones.find(zone => isSubdomain(question.canonicalName, zone))
  }

  #keyOf({ client: { address } }: Query): string {
    if (this.#settings.values.by === 'address') return address
    const zones = this.#block
      .plugins()
      .find(plugin => plugin.cluster)
      ?.cluster?.()
    // No namespace has a name with a dot or a colon, and every address one.
    return (zones && clientNamespace(zones.options.index, address)) ?? address
  }

  #afterwards(charge: Charge, verdict: Verdict): Verdict {
    if (verdict.verdict !== 'answered' || verdict.answer.rcode !== rcodes.NXDOMAIN) return verdict
    return this.#charge(charge, 'nxdomain') ?? verdict
  }

  /** Undefined: the budget allows it. */
  #charge({ query, zone, key }: Charge, budget: Budget): Verdict | undefined {
    const { limits, values } = this.#settings
    const index = limits.findIndex(limit => limit.budget === budget)
    if (index === -1) return undefined
    const overdraft = this.#budgets.overdraft(key, index, query.received)
    if (overdraft === 0) return undefined
    const action = values.audit ? 'answered' : overdraft % values.slip === 0 ? 'truncated' : 'dropped'
    query.trace?.add(NAME, 'over the limit', { budget, client: key, action })
    this.#metrics.limited.inc({ server: query.server, zone, view: this.#block.view, budget, action })
    this.#log(query, { client: key, budget, action })
    return verdicts[action]
  }

  #log({ received, question }: Query, fields: Readonly<Record<string, string>>): void {
    this.#unsaid++
    if (received - this.#lastLine < LOG_PAUSE) return
    const { logger } = this.#environment
    logger.warn({ plugin: NAME, ...fields, name: question.name, since: this.#unsaid }, 'a client is over its limit')
    this.#lastLine = received
    this.#unsaid = 0
  }
}

interface Charge {
  readonly query: Query
  readonly zone: DnsName
  readonly key: string
}

const verdicts = {
  // RFC 2181 §9: who gets TC asks again over TCP.
  truncated: answered(NAME, emptyAnswer(rcodes.NOERROR, { truncated: true })),
  dropped: { verdict: 'dropped', by: NAME },
  answered: undefined,
} as const satisfies Record<string, Verdict | undefined>
