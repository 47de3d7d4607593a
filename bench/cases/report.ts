/** What it costs to count, watch and log one query, in microseconds: the reports of plugins, called one after the other. */

import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { systemRandom } from '#lib/random.ts'
import { loadConfiguration } from '#resolver/configuration.ts'
import { Observer } from '#resolver/insight/observer.ts'
import type { Plugin, Reply } from '#resolver/plugin.ts'
import type { Query } from '#resolver/query.ts'
import { emptyAnswer } from '#resolver/verdict.ts'
import { recordTypes } from '#resolver/wire/codes.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import { decodeQuery } from '#resolver/wire/message.ts'

const WARM_UP = 20_000
const ROUNDS = 200_000

/** What `. { LINE }` sets up, without opening anything. */
const pluginOf = async (line: string): Promise<Plugin> => {
  const loaded = await loadConfiguration(
    { text: `. {\n ${line}\n}`, name: 'Corefile', folder: '/' },
    {
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
      registry: createRegistry({ maxSeries: 2000 }),
      version: '0',
      hostname: 'bench',
      localAddresses: () => [],
      overrides: {},
      variables: {},
      print: () => {},
    },
  )
  if (!loaded.ok) throw new Error(loaded.problem.map(({ message }) => message).join('; '))
  return loaded.value.plugins[0]!
}

const queries: readonly Query[] = Array.from({ length: 64 }, (_, index) => {
  const name = `service-${index}.my-namespace.svc.cluster.local.`
  const type = index % 2 === 0 ? recordTypes.A : recordTypes.AAAA
  const packet = encodeQuery({ id: index, name, type, recursionDesired: true, edns: undefined })
  const decoded = decodeQuery(
    packet,
    {
      transport: 'udp',
      client: { address: `10.244.0.${index}`, port: 40_000 },
      local: { address: '10.96.0.10', port: 53 },
      server: 'dns://:53',
    },
    0,
  )
  if (decoded.verdict !== 'query') throw new Error('not a query')
  return decoded.query
})

const reply: Reply = {
  answer: emptyAnswer(0, { authoritative: true }),
  by: 'kubernetes',
  packet: Buffer.alloc(120),
  duration: 0.05,
}

/** Microseconds a query. */
const measure = (report: NonNullable<Plugin['report']>): number => {
  for (let round = 0; round < WARM_UP; round++) report(queries[round % queries.length]!, reply)
  const start = performance.now()
  for (let round = 0; round < ROUNDS; round++) report(queries[round % queries.length]!, reply)
  return ((performance.now() - start) / ROUNDS) * 1000
}

const measurePlugin = async (line: string): Promise<number> => {
  const plugin = await pluginOf(line)
  return measure((query, told) => plugin.report!(query, told))
}

const measureObserver = (): number => {
  const observer = new Observer(systemClock, createRegistry())
  return measure((query, reply) => observer.observe(query, reply))
}

export default {
  name: 'report',
  async run(): Promise<Record<string, number>> {
    return {
      'prometheus, µs': await measurePlugin('prometheus'),
      'log, µs': await measurePlugin('log'),
      'watch for /top and /failures, µs': measureObserver(),
    }
  },
}
