/** timeouts: how long the listeners of the block wait for clients over TCP, TLS and HTTPS. */
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { Plugin, PluginModule } from '../plugin.ts'

/** CoreDNS: a second at least; `10` is `10s`. */
const bounds = { minimum: 1000, maximum: 24 * 3_600_000, plainSeconds: true }

const options = {
  read: {
    kind: 'duration',
    syntax: 'DURATION',
    default: undefined,
    ...bounds,
    doc: 'from connecting to the first whole query, and for each query to arrive whole; as it is: 3s',
  },
  write: {
    kind: 'duration',
    syntax: 'DURATION',
    default: undefined,
    ...bounds,
    doc: 'for a client to take its answers; as it is: 5s',
  },
  idle: {
    kind: 'duration',
    syntax: 'DURATION',
    default: undefined,
    ...bounds,
    doc: 'without a query, until the connection closes; as it is: 10s',
  },
  maxtcpqueries: {
    kind: 'words',
    syntax: 'MAXIMUM',
    minimum: 1,
    maximum: 1,
    absent: 'none',
    doc: 'queries on one connection of TCP or TLS, which then closes, so that clients spread over replicas anew; -1: any number; as it is: about 10000',
  },
} as const satisfies PropertyTable

const amounts = { minimum: 1, maximum: 1_000_000_000, unit: 'queries' }

export const timeoutsPlugin: PluginModule = {
  name: 'timeouts',
  options,
  setup(directive) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(0)
    const { read, write, idle, maxtcpqueries } = reader.properties(options)
    if (directive.properties.length === 0) reader.refuse(directive.name, 'needs a line (like "idle 30s")')
    const [word] = maxtcpqueries[0]?.arguments ?? []
    const maxQueries = word?.text === '-1' ? Number.POSITIVE_INFINITY : word && reader.number(word, amounts)
    const timeouts = {
      ...(read !== undefined && { read }),
      ...(write !== undefined && { write }),
      ...(idle !== undefined && { idle }),
      ...(maxQueries !== undefined && { maxQueries }),
    }
    return reader.finish((): Plugin => ({ name: 'timeouts', timeouts }))
  },
}
