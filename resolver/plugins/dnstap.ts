/**
 * dnstap: tells of every message of clients, and of those to and from upstreams, in dnstap's format over Frame Streams.
 * Nobody waits for the reader: what it does not take in time is dropped and counted.
 */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Milliseconds } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import { type DnstapSettings, dnstapOptions, readDnstap } from '../dnstap/directive.ts'
import { encodeFrame, type MessageType, type TapMessage } from '../dnstap/message.ts'
import { openReaders, type Readers } from '../dnstap/readers.ts'
import { type MetricTable, registerMetrics } from '../metrics.ts'
import type { Environment, Plugin, PluginModule, Reply, UpstreamExchange } from '../plugin.ts'
import type { Query } from '../query.ts'
import { renderReply } from '../reply-template.ts'

const NAME = 'dnstap'

const metrics = {
  dropped: {
    kind: 'counter',
    name: 'seamark_dnstap_dropped_total',
    help: 'Messages that were not told because their reader was away or too slow.',
    labels: [],
  },
} as const satisfies MetricTable

/** Between two log lines about drops. */
const TELL_AGAIN: Milliseconds = 60_000

export const dnstapPlugin: PluginModule = {
  name: NAME,
  repeatable: true,
  options: dnstapOptions,
  metrics,
  setup(directive, _block, environment) {
    const reader = new DirectiveReader(directive)
    const resolvePath = (path: string) => resolve(environment.folder, path)
    const read = (path: string) => readFileSync(resolvePath(path))
    const settings = readDnstap(reader, directive, { resolvePath, read })
    return reader.finish((): Plugin => new Dnstap(settings, environment))
  },
}

class Dnstap implements Plugin {
  readonly name = NAME
  readonly #settings: DnstapSettings
  readonly #environment: Environment
  readonly #logger: Logger
  #readers: Readers
  #isAdopted = false
  #isGivenAway = false
  /** Since it was last told. */
  #dropped = 0
  #told = Number.NEGATIVE_INFINITY

  constructor(settings: DnstapSettings, environment: Environment) {
    this.#settings = settings
    this.#environment = environment
    const { clock, random, registry } = environment
    this.#logger = environment.logger.child({ room: 'resolver', plugin: NAME, endpoint: settings.endpoint })
    const { dropped } = registerMetrics(registry, metrics)
    this.#readers = openReaders({
      settings,
      clock,
      random,
      onDrop: () => {
        dropped.inc()
        this.#tellDrop()
      },
      onConnect: () => this.#logger.info('dnstap reader is there'),
      onDisconnect: reason => this.#logger.warn({ reason }, 'no dnstap reader'),
    })
  }

  adopt(previous: Plugin): void {
    if (!(previous instanceof Dnstap)) return
    this.#readers = previous.#readers
    this.#isAdopted = true
    previous.#isGivenAway = true
  }

  async start(): Promise<void> {
    if (!this.#isAdopted) await this.#readers.start()
  }

  async close(): Promise<void> {
    if (!this.#isGivenAway) await this.#readers.close()
  }

  report(query: Query, reply: Reply): void {
    const { transport, client: from, local: to, packet } = query
    const { clock } = this.#environment
    const queried = clock.now() - (clock.monotonic() - query.received)
    const ends = { transport, from, to, queried }
    const { extra } = this.#settings
    const more = extra.length === 0 ? '' : renderReply(extra, query, reply)
    this.#tell('CLIENT_QUERY', { ...ends, query: packet }, more)
    if (reply.packet)
      this.#tell('CLIENT_RESPONSE', { ...ends, responded: queried + reply.duration, response: reply.packet }, more)
  }

  reportExchange(exchange: UpstreamExchange): void {
    const { transport, address, port, query, response, sent, received } = exchange
    const { clock } = this.#environment
    const wall = clock.now() - clock.monotonic()
    const ends = { transport, from: undefined, to: { address, port }, queried: wall + sent }
    this.#tell('FORWARDER_QUERY', { ...ends, query }, '')
    if (response && received !== undefined)
      this.#tell('FORWARDER_RESPONSE', { ...ends, responded: wall + received, response }, '')
  }

  #tell(type: MessageType, message: Omit<TapMessage, 'type'>, extra: string): void {
    const { types, full, identity, version } = this.#settings
    if (!types.has(type)) return
    const { query, response, ...rest } = message
    const bytes = full ? { ...(query && { query }), ...(response && { response }) } : {}
    const { hostname, version: own } = this.#environment
    this.#readers.write(
      encodeFrame({
        identity: identity ?? hostname,
        version: version ?? `Seamark-${own}`,
        extra,
        message: { type, ...rest, ...bytes },
      }),
    )
  }

  #tellDrop(): void {
    this.#dropped++
    const now = this.#environment.clock.monotonic()
    if (now - this.#told < TELL_AGAIN) return
    this.#logger.warn({ dropped: this.#dropped }, 'dnstap messages dropped')
    this.#told = now
    this.#dropped = 0
  }
}
