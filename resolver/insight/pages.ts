/**
 * The pages that say what the server does and why: /config, /explain, /top, /failures, /cache, /statistics. Each as text
 * for people and as JSON for programs. They tell what clients ask for, so they belong on loopback.
 */
import { createHash } from 'node:crypto'
import type { SocketAddress } from '#lib/address.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { MaybePromise } from '#lib/maybe-promise.ts'
import type { Configuration } from '../configuration.ts'
import { formatProblem } from '../corefile/syntax.ts'
import type { HttpEndpoint, HttpReply } from '../listener.ts'
import type { CacheDumpEntry } from '../plugin.ts'
import type { LiveState } from '../reload.ts'
import { parseType, rcodeName, recordTypes, typeName } from '../wire/codes.ts'
import { parseName } from '../wire/name.ts'
import { clientAddress, explain } from './explain.ts'
import type { Incident, Observer } from './observer.ts'
import { reportText, roughDuration, table } from './text.ts'
import { topClients, topNames, topNamespaces, topRcodes } from './top.ts'

export interface PagesOptions {
  /** The configuration that answers, and how it came to be. */
  readonly state: () => LiveState
  readonly observer: Observer
  readonly clock: Clock
}

/** A page in both its forms. */
interface Page {
  readonly json: unknown
  readonly text: () => string
}

/** What is wrong with the parameters. */
interface Refusal {
  readonly problem: string
}

type Render = (parameters: URLSearchParams, configuration: Configuration) => MaybePromise<Page | Refusal>

const TEXT = 'text/plain; charset=utf-8'
const MAXIMUM_ROWS = 10_000

/** RFC 9110 §12.5.1, as far as two forms need it: JSON for who names it. */
const wantsJson = (parameters: URLSearchParams, accept: string): boolean =>
  (parameters.get('format') ?? '') === 'json' || /\bapplication\/json\b/i.test(accept)

export const adminPages = (address: SocketAddress, options: PagesOptions): readonly HttpEndpoint[] => {
  const pages: Readonly<Record<string, Render>> = {
    '/config': () => configPage(options),
    '/explain': (parameters, configuration) => explainPage(parameters, configuration, options.clock),
    '/top': (parameters, configuration) => topPage(parameters, configuration, options),
    '/failures': parameters => failuresPage(parameters, options.observer),
    '/cache': (parameters, configuration) => cachePage(parameters, configuration),
    '/statistics': (_, configuration) => statisticsPage(configuration),
  }
  const index = `${Object.keys(pages).join('\n')}\n`
  return [
    { address, path: '/', reply: () => ({ status: 200, contentType: TEXT, body: index }) },
    ...Object.entries(pages).map(
      ([path, render]): HttpEndpoint => ({ address, path, reply: replyOf(render, options) }),
    ),
  ]
}

const replyOf =
  (render: Render, { state }: PagesOptions) =>
  async (parameters: URLSearchParams, accept = ''): Promise<HttpReply> => {
    const { configuration } = state()
    if (!configuration) return { status: 503, contentType: TEXT, body: 'no configuration is served yet\n' }
    const page = await render(parameters, configuration)
    if ('problem' in page) return { status: 400, contentType: TEXT, body: `${page.problem}\n` }
    if (!wantsJson(parameters, accept)) return { status: 200, contentType: TEXT, body: page.text() }
    return { status: 200, contentType: 'application/json', body: `${JSON.stringify(page.json, null, 2)}\n` }
  }

/** A number of rows. */
const limitOf = (parameters: URLSearchParams, otherwise: number): number | Refusal => {
  const text = parameters.get('limit')
  if (text === null) return otherwise
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAXIMUM_ROWS) return limit
  return { problem: `limit: "${text}" is not a number from 1 to ${MAXIMUM_ROWS}` }
}

const formatTime = (time: Milliseconds): string => new Date(time).toISOString()

const configPage = ({ state, clock }: PagesOptions): Page => {
  const { configuration, taken, refused } = state()
  const text = configuration?.text ?? ''
  const hash = createHash('sha512').update(text).digest('hex')
  const problems = refused?.problems.map(formatProblem)
  const json = {
    hash,
    taken: formatTime(taken),
    refused: refused ? { at: formatTime(refused.at), problems } : null,
    corefile: text,
  }
  return {
    json,
    text: () =>
      [
        `# SHA-512 ${hash}`,
        `# served since ${formatTime(taken)} (${roughDuration(clock.now() - taken)})`,
        ...(refused ? [`# refused ${formatTime(refused.at)}:`, ...problems!.map(problem => `#   ${problem}`)] : []),
        '',
        text,
      ].join('\n'),
  }
}

const explainPage = async (
  parameters: URLSearchParams,
  configuration: Configuration,
  clock: Clock,
): Promise<Page | Refusal> => {
  const { name = '', type: typeText = 'A', client = '127.0.0.1', namespace, server } = Object.fromEntries(parameters)
  const parsed = parseName(name)
  if (name === '' || !parsed.ok)
    return { problem: `name: "${name}" is not a domain name (/explain?name=NAME&type=A&client=IP|NAMESPACE/POD)` }
  const type = parseType(typeText)
  if (type === undefined || type === recordTypes.AXFR || type === recordTypes.IXFR)
    return { problem: `type: "${typeText}" is not a record type that can be asked for` }
  const address = clientAddress(configuration, client)
  if (!address.ok) return { problem: `client: ${address.problem}` }
  if (server !== undefined && configuration.listeners.every(listener => listener.server !== server))
    return { problem: `server: there is ${configuration.listeners.map(listener => listener.server).join(', ')}` }
  const report = await explain(configuration, clock, {
    name,
    type,
    client: address.value,
    ...(namespace !== undefined && { namespace }),
    ...(server !== undefined && { server }),
  })
  return { json: report, text: () => reportText(report) }
}

const topKinds = ['client', 'name', 'namespace', 'rcode'] as const

const topPage = (
  parameters: URLSearchParams,
  configuration: Configuration,
  { observer, clock }: PagesOptions,
): Page | Refusal => {
  const limit = limitOf(parameters, 20)
  if (typeof limit !== 'number') return limit
  const by = parameters.get('by')
  if (by !== null && !topKinds.some(kind => kind === by)) return { problem: `by: one of ${topKinds.join(', ')}` }
  const clients = topClients(observer, configuration, clock)
  const all = {
    client: clients.slice(0, limit),
    name: topNames(observer, limit),
    namespace: topNamespaces(clients).slice(0, limit),
    rcode: topRcodes(observer),
  }
  const kinds = topKinds.filter(kind => by === null || kind === by)
  return {
    json: Object.fromEntries(kinds.map(kind => [kind, all[kind]])),
    text: () =>
      kinds
        .map(kind => {
          const rows: readonly object[] = all[kind]
          const [first] = rows
          return `by ${kind}\n${
            first
              ? table(
                  Object.keys(first),
                  rows.map(row => Object.values(row)),
                )
              : 'none\n'
          }`
        })
        .join('\n'),
  }
}

const incidentOf = ({ time, client, server, name, type, rcode, by, causes, duration }: Incident) => ({
  time: formatTime(time),
  client,
  server,
  name,
  type: typeName(type),
  rcode: rcode === undefined ? 'no reply' : rcodeName(rcode),
  by,
  causes,
  milliseconds: Number(duration.toFixed(3)),
})

const failuresPage = (parameters: URLSearchParams, { failures, negatives }: Observer): Page | Refusal => {
  const limit = limitOf(parameters, 50)
  if (typeof limit !== 'number') return limit
  const kind = parameters.get('kind') ?? 'failed'
  if (kind !== 'failed' && kind !== 'negative') return { problem: 'kind: failed or negative' }
  const wanted = parameters.get('name')?.toLowerCase() ?? ''
  const incidents = [...(kind === 'failed' ? failures : negatives)]
    .filter(({ name }) => name.toLowerCase().includes(wanted))
    .slice(0, limit)
    .map(incidentOf)
  return {
    json: incidents,
    text: () =>
      table(
        ['time', 'client', 'rcode', 'by', 'type', 'name', 'why'],
        incidents.map(({ time, client, rcode, by, type, name, causes }) => [
          time,
          client,
          rcode,
          by,
          type,
          name,
          causes.map(({ code, text }) => text || `EDE ${code}`).join('; '),
        ]),
      ),
  }
}

const cachePage = (parameters: URLSearchParams, { plugins }: Configuration): Page | Refusal => {
  const limit = limitOf(parameters, 1000)
  if (typeof limit !== 'number') return limit
  const wanted = parameters.get('name')?.toLowerCase() ?? ''
  const entries: CacheDumpEntry[] = []
  for (const plugin of plugins) {
    for (const entry of plugin.cacheDump?.() ?? []) {
      if (entries.length >= limit) break
      if (entry.name.toLowerCase().includes(wanted)) entries.push(entry)
    }
  }
  return {
    json: entries,
    text: () =>
      table(
        ['left', 'type', 'rcode', 'bytes', 'name', 'records'],
        entries.map(({ name, type, rcode, remaining, bytes, records }) => [
          remaining < 0 ? `stale ${roughDuration(-remaining)}` : roughDuration(remaining),
          type,
          rcode,
          bytes,
          name,
          records.join(' | '),
        ]),
      ),
  }
}

const statisticsPage = ({ instances }: Configuration): Page => {
  const all = instances.flatMap(({ plugin, block }) =>
    plugin.statistics ? [{ plugin: plugin.name, zones: block.zones, statistics: plugin.statistics() }] : [],
  )
  return {
    json: all,
    text: () =>
      all
        .map(({ plugin, zones, statistics }) => {
          const rows = Object.entries(statistics).map(([name, value]) => [
            `  ${name}`,
            typeof value === 'object' ? JSON.stringify(value) : String(value),
          ])
          return `${plugin} of ${zones.join(' ')}\n${rows.map(([name, value]) => `${name}  ${value}\n`).join('')}`
        })
        .join('\n'),
  }
}
