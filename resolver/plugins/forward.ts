/**
 * forward: asks other servers, and gives on what they say. Identical questions under way are asked once; what cannot be
 * answered becomes SERVFAIL with the reason (RFC 8914).
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { SecureContextOptions } from 'node:tls'
import type { Milliseconds } from '#lib/clock.ts'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Directive } from '../corefile/syntax.ts'
import type { MaybePromise } from '../listener.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import type { Environment, Next, Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { respell } from '../respell.ts'
import { Destinations } from '../upstream/destinations.ts'
import { ExchangeError } from '../upstream/exchange-error.ts'
import { type ForwardSettings, forwardOptions, readForwardSettings } from '../upstream/forward-settings.ts'
import { readForwardTls } from '../upstream/forward-tls.ts'
import { type PoolReply, UpstreamPool } from '../upstream/pool.ts'
import { proxyMetrics } from '../upstream/proxy-metrics.ts'
import { type Destination, parseDestination } from '../upstream/target.ts'
import { type Channel, Upstream } from '../upstream/upstream.ts'
import { answered, emptyAnswer, type Verdict } from '../verdict.ts'
import { extendedErrorCodes, rcodes } from '../wire/codes.ts'
import { isSubdomain } from '../wire/name.ts'

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
} as const satisfies MetricTable

/** CoreDNS's: for one attempt, and for a question with all attempts. */
const READ_TIMEOUT: Milliseconds = 2000
const TOTAL_TIMEOUT: Milliseconds = 5000
/** What `max_concurrent 0` means: below the usual limit of open files, a socket each. */
const CONCURRENCY_CEILING = 10_000

export const forwardPlugin: PluginModule = {
  name: 'forward',
  repeatable: true,
  options: forwardOptions,
  metrics: forwardMetrics,
  setup(directive, _block, environment) {
    const reader = new DirectiveReader(directive)
    const values = reader.properties(forwardOptions)
    const settings = readForwardSettings(reader, directive, values)
    const tls = readForwardTls(reader, values, path => readFileSync(resolve(environment.folder, path)))
    return reader.finish((): Plugin => {
      const metrics = registerMetrics(environment.registry, forwardMetrics)
      const destinations = makeDestinations(reader, directive, { ...settings, tls, metrics, environment, values })
      return new Forward(settings, destinations, metrics, environment)
    })
  },
}

interface Making extends ForwardSettings {
  readonly tls: SecureContextOptions & { readonly servername?: string }
  readonly metrics: Metrics<typeof forwardMetrics>
  readonly environment: Environment
}

const makeDestinations = (reader: DirectiveReader, directive: Directive, making: Making): Destinations | undefined => {
  const { clock, random, logger, folder } = making.environment
  const { metrics, tls, health, values } = making
  const words = directive.arguments.slice(1)
  const destinations = words.flatMap((word): Destination[] => {
    const parsed = parseDestination(word.text)
    if (!parsed.ok) reader.refuse(word, parsed.problem)
    if (!parsed.ok) return []
    const { value } = parsed
    return value.kind === 'file' ? [{ kind: 'file', path: resolve(folder, value.path) }] : [value]
  })
  const made = Destinations.create({
    destinations,
    makeUpstream: target =>
      new Upstream({ target, clock, random, metrics, readTimeout: READ_TIMEOUT, expire: values.expire, health, tls }),
    clock,
    logger,
  })
  if (made.ok) return made.value
  reader.refuse(words[0]!, made.problem)
  return undefined
}

class Forward implements Plugin {
  readonly name = 'forward'
  readonly #settings: ForwardSettings
  readonly #destinations: Destinations | undefined
  readonly #pool: UpstreamPool
  readonly #metrics: Metrics<typeof forwardMetrics>
  readonly #limit: number
  #underWay = 0

  constructor(
    settings: ForwardSettings,
    destinations: Destinations | undefined,
    metrics: Metrics<typeof forwardMetrics>,
    { clock, random }: Environment,
  ) {
    const { values, failover } = settings
    this.#settings = settings
    this.#destinations = destinations
    this.#metrics = metrics
    this.#limit = values.max_concurrent || CONCURRENCY_CEILING
    this.#pool = new UpstreamPool({
      upstreams: () => destinations?.upstreams ?? [],
      policy: values.policy,
      totalTimeout: TOTAL_TIMEOUT,
      maximumAttempts: values.max_connect_attempts,
      failFast: values.failfast_all_unhealthy_upstreams,
      failover,
      clock,
      random,
      onAllDown: () => metrics.allDown.inc(),
    })
  }

  async start(): Promise<void> {
    await this.#destinations?.start()
  }

  async close(): Promise<void> {
    this.#destinations?.close()
  }

  handle(query: Query, next: Next): MaybePromise<Verdict> {
    const { canonicalName } = query.question
    const { from, except } = this.#settings
    const isOurs = from.some(zone => isSubdomain(canonicalName, zone))
    if (!isOurs || except.some(zone => isSubdomain(canonicalName, zone))) return next(query)
    if (query.kept?.question === query.question) return answered('cache', query.kept.answer)
    if (this.#underWay >= this.#limit) {
      this.#metrics.rejects.inc()
      query.trace?.add('forward', 'too many queries under way', { limit: this.#limit })
      return tooMany
    }
    return this.#ask(query, next)
  }

  async #ask(query: Query, next: Next): Promise<Verdict> {
    this.#underWay++
    try {
      const reply = await this.#exchange(query)
      query.trace?.add('forward', 'upstream answered', { upstream: reply.upstream, rcode: reply.response.rcode })
      const verdict = answered('forward', respell(answerOf(reply), query.question))
      if (!this.#asksNext(reply)) return verdict
      const other = await next(query)
      return other.verdict === 'unhandled' ? verdict : other
    } catch (error) {
      if (!(error instanceof ExchangeError)) throw error
      query.trace?.add('forward', 'no upstream answered', { reason: error.message })
      return answered('forward', emptyAnswer(rcodes.SERVFAIL, { extendedErrors: [causeOf(error)] }))
    } finally {
      this.#underWay--
    }
  }

  async #exchange({ question, edns, transport, ...query }: Query): Promise<PoolReply> {
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
    }
    const reply = await this.#pool.ask(asked, channel)
    // A client on UDP gets TC and comes again over TCP; one on TCP cannot be told to.
    const again = reply.response.truncated && channel === 'udp' && transport !== 'udp'
    return again ? this.#pool.ask(asked, 'tcp') : reply
  }

  #asksNext({ response }: PoolReply): boolean {
    const { next, values } = this.#settings
    const isNodata = response.rcode === rcodes.NOERROR && response.answers.length === 0
    return next.has(response.rcode) || (values.next_on_nodata && isNodata)
  }
}

const tooMany = answered(
  'forward',
  emptyAnswer(rcodes.REFUSED, {
    extendedErrors: [{ code: extendedErrorCodes.OTHER, text: 'too many queries are under way' }],
  }),
)

/** What of a response goes on: not its id, question and OPT, which are between it and us. */
const answerOf = ({ response }: PoolReply) => {
  const { rcode, authoritative, recursionAvailable, authenticData, truncated } = response
  const { answers, authority, additional, extendedErrors } = response
  const sections = { answers, authority, additional, ...(extendedErrors && { extendedErrors }) }
  return { rcode, authoritative, recursionAvailable, authenticData, truncated, ...sections }
}

const causeOf = (error: ExchangeError) => ({
  // RFC 8914 §4.23: no authority could be reached; §4.24: an error on the network.
  code: error.failure === 'timeout' ? extendedErrorCodes.NO_REACHABLE_AUTHORITY : extendedErrorCodes.NETWORK_ERROR,
  text: error.message,
})
