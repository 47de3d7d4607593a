/** The upstreams of a `forward` directive, made from its words. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Milliseconds } from '#lib/clock.ts'
import type { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Directive } from '../corefile/syntax.ts'
import type { Metrics } from '../metrics.ts'
import type { Environment } from '../plugin.ts'
import { Destinations, resolvConfServers } from './destinations.ts'
import type { ExchangeTap } from './exchange-tap.ts'
import type { ForwardSettings } from './forward-settings.ts'
import { readForwardTls } from './forward-tls.ts'
import { HostAddresses } from './host-addresses.ts'
import { UpstreamPool } from './pool.ts'
import type { proxyMetrics } from './proxy-metrics.ts'
import { type Destination, parseDestination, type UpstreamTarget } from './target.ts'
import type { TransportSettings } from './transport.ts'
import { Upstream } from './upstream.ts'

/** Connections to one upstream, where `max_idle_conns` does not say: enough for 10,000 questions a second. */
const CONNECTIONS = 4
/** For a lookup of an upstream's own address. */
const LOOKUP_TIMEOUT: Milliseconds = 5000

export interface Making {
  readonly reader: DirectiveReader
  readonly directive: Directive
  readonly settings: ForwardSettings
  readonly metrics: Metrics<typeof proxyMetrics>
  readonly environment: Environment
  readonly tap: ExchangeTap
}

export const makeDestinations = (making: Making): Destinations | undefined => {
  const { reader, directive, environment } = making
  const words = directive.arguments.slice(1)
  const destinations = words.flatMap((word): Destination[] => {
    const parsed = parseDestination(word.text)
    if (!parsed.ok) reader.refuse(word, parsed.problem)
    if (!parsed.ok) return []
    const { value } = parsed
    return value.kind === 'file' ? [{ kind: 'file', path: resolve(environment.folder, value.path) }] : [value]
  })
  const makeUpstream = upstreamMaker(making, readTransport(making))
  const made = Destinations.create({
    ...environment,
    tap: making.tap,
    destinations,
    makeUpstream,
    watchHost: (host, onChange) => watchHost(making, makeUpstream, host, onChange),
  })
  if (made.ok) return made.value
  reader.refuse(words[0]!, made.problem)
  return undefined
}

const readTransport = ({ reader, settings, environment }: Making): TransportSettings => {
  const { values, sources } = settings
  return {
    expire: values.expire,
    maximumAge: values.max_age,
    maximumConnections: values.max_idle_conns || CONNECTIONS,
    dohMethod: values.doh_method,
    sources,
    tls: readForwardTls(reader, values, path => readFileSync(resolve(environment.folder, path))),
  }
}

const upstreamMaker =
  ({ settings, metrics, tap, environment: { clock, random, datagrams } }: Making, transport: TransportSettings) =>
  (target: UpstreamTarget): Upstream =>
    new Upstream({
      ...transport,
      target,
      clock,
      random,
      datagrams,
      metrics,
      readTimeout: settings.values.read_timeout,
      health: settings.health,
      probeChannel: settings.values.force_tcp ? 'tcp' : 'udp',
      tap,
    })

const watchHost = (
  { settings, environment }: Making,
  makeUpstream: (target: UpstreamTarget) => Upstream,
  host: string,
  onChange: () => void,
): HostAddresses => {
  const { clock, random, logger } = environment
  // The system's servers are read when they are first needed: a check of the Corefile opens nothing.
  let resolvers: readonly Upstream[] | undefined
  const pool = new UpstreamPool({
    upstreams: () => (resolvers ??= resolverTargets(settings, environment).map(makeUpstream)),
    known: async () => {},
    policy: 'fastest',
    totalTimeout: LOOKUP_TIMEOUT,
    maximumAttempts: 0,
    failFast: false,
    failover: new Set(),
    clock,
    random,
    events: { allDown: () => {}, joined: () => {}, hedged: () => {} },
  })
  const close = () => {
    for (const upstream of resolvers ?? []) upstream.close()
  }
  return new HostAddresses({ host, pool, clock, random, logger, onChange, onClose: close })
}

const resolverTargets = ({ resolvers }: ForwardSettings, { resolvConf }: Environment): readonly UpstreamTarget[] => {
  if (resolvers.length > 0) return resolvers
  try {
    return resolvConfServers(readFileSync(resolvConf ?? '/etc/resolv.conf', 'utf8'))
  } catch {
    // As if there were no servers in it: the lookup fails, and says so.
    return []
  }
}
