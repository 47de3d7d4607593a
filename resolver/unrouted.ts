/**
 * Messages that are answered before a server block is chosen: they ask for no name, or are no queries. No plugin is told of
 * them, so they are counted here. How many are answered is bounded here as well, because neither acl nor ratelimit sees
 * them.
 */
import type { Milliseconds } from '#lib/clock.ts'
import type { CounterSeries, Registry } from '#lib/metrics.ts'
import { type Metrics, type MetricTable, registerMetrics } from './metrics.ts'
import type { Transport } from './query.ts'
import { Budgets } from './ratelimit/budgets.ts'
import { rcodeName } from './wire/codes.ts'

export const unroutedMetrics = {
  messages: {
    kind: 'counter',
    name: 'seamark_dns_unrouted_total',
    help: 'Messages that no server block saw, by what they were (cookie: a query for a DNS cookie alone; notify; other: no query that can be read) and by the rcode of the reply; none: there was none, since it was a response, or there were too many in this second.',
    labels: ['server', 'kind', 'rcode'],
  },
} as const satisfies MetricTable

export type UnroutedKind = 'cookie' | 'notify' | 'other'

/**
 * Cookies alone that are given over UDP in a second, to all clients together: addresses over UDP can be made up. Hardly a
 * client asks so: a cookie comes with every answer too.
 */
const COOKIES_A_SECOND = 1000
/**
 * The same of refusals of what is no query that can be read. A reply of a header is no longer than what it answers, but
 * goes to whoever is named as the sender; a client whose queries are malformed hears of it by the first.
 */
const REFUSALS_A_SECOND = 1000

export class UnroutedMessages {
  readonly #metrics: Metrics<typeof unroutedMetrics>
  readonly #series = new Map<string, CounterSeries>()
  readonly #cookies = new Budgets([{ tokens: COOKIES_A_SECOND, burst: COOKIES_A_SECOND }], 1)
  readonly #refusals = new Budgets([{ tokens: REFUSALS_A_SECOND, burst: REFUSALS_A_SECOND }], 1)

  constructor(registry: Registry) {
    this.#metrics = registerMetrics(registry, unroutedMetrics)
  }

  /** Whether one more query for a cookie alone is to be answered. `now`: on a monotonic scale. */
  mayHaveCookie(transport: Transport, now: Milliseconds): boolean {
    return transport !== 'udp' || this.#cookies.overdraft('', 0, now) === 0
  }

  /** Whether one more message that is no query is to be told so. */
  mayBeRefused(transport: Transport, now: Milliseconds): boolean {
    return transport !== 'udp' || this.#refusals.overdraft('', 0, now) === 0
  }

  /** `rcode`: of the reply; undefined: there was none. */
  count(server: string, kind: UnroutedKind, rcode: number | undefined): void {
    const key = `${kind} ${rcode} ${server}`
    const known = this.#series.get(key)
    const series =
      known ?? this.#metrics.messages.child({ server, kind, rcode: rcode === undefined ? 'none' : rcodeName(rcode) })
    if (!known) this.#series.set(key, series)
    series.inc()
  }
}
