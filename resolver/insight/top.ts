/** The heavy hitters with what plugins know of them: pods and namespaces, shares of what was asked in vain. */
import type { Clock } from '#lib/clock.ts'
import type { Configuration } from '../configuration.ts'
import { rcodeName, typeName } from '../wire/codes.ts'
import { identityOf, makeQuery } from './explain.ts'
import type { Observer } from './observer.ts'

/** Rows of the page, keyed by the names of their columns. */
interface TopClient {
  readonly queries: number
  /** By how much `queries` may be too high. */
  readonly error: number
  /** Share of queries that found nothing, in percent. */
  readonly 'wasted %': number
  readonly failed: number
  readonly client: string
  /** `''`: not known. */
  readonly namespace: string
  readonly pod: string
}

interface TopNamespace {
  readonly queries: number
  readonly 'wasted %': number
  readonly failed: number
  readonly clients: number
  readonly namespace: string
}

interface TopName {
  readonly queries: number
  readonly error: number
  readonly rcode: string
  readonly type: string
  readonly name: string
}

interface TopRcode {
  readonly queries: number
  readonly rcode: string
}

const percent = (part: number, whole: number): number => Math.round((part / whole) * 1000) / 10

const SILENCE = 'no reply'

export const topClients = (observer: Observer, configuration: Configuration, clock: Clock): readonly TopClient[] =>
  observer.clients.top().map(({ key, count, error, wasted, failed }) => {
    const query = makeQuery(configuration, clock, { name: '.', type: 1, client: key })
    const { namespace, pod } = identityOf(configuration, query)
    return {
      queries: count,
      error,
      'wasted %': percent(wasted, count - error),
      failed,
      client: key,
      namespace,
      pod,
    }
  })

/** Sums of the clients that are among the heavy hitters and whose namespace is known. */
export const topNamespaces = (clients: readonly TopClient[]): readonly TopNamespace[] => {
  const known = Map.groupBy(
    clients.filter(({ namespace }) => namespace !== ''),
    ({ namespace }) => namespace,
  )
  const rows = [...known].map(([namespace, group]) => {
    const sum = (value: (client: TopClient) => number) => group.reduce((total, client) => total + value(client), 0)
    const queries = sum(client => client.queries)
    return {
      queries,
      'wasted %': percent(
        sum(client => (client['wasted %'] / 100) * client.queries),
        queries,
      ),
      failed: sum(client => client.failed),
      clients: group.length,
      namespace,
    }
  })
  return rows.sort((one, other) => other.queries - one.queries)
}

export const topNames = ({ names }: Observer, limit: number): readonly TopName[] =>
  names.top(limit).map(({ key, count, error }) => {
    const [rcode = '', type = '', ...name] = key.split(' ')
    return {
      queries: count,
      error,
      rcode: rcode === '' ? SILENCE : rcodeName(Number(rcode)),
      type: typeName(Number(type)),
      name: name.join(' '),
    }
  })

export const topRcodes = ({ rcodes }: Observer): readonly TopRcode[] =>
  [...rcodes]
    .map(([rcode, queries]) => ({ queries, rcode: rcode === undefined ? SILENCE : rcodeName(rcode) }))
    .sort((one, other) => other.queries - one.queries)
