/**
 * health: `/health` says 200 as long as the process turns its event loop. `lameduck` lets the server go on answering for
 * a while after it was told to stop, so that load balancers can take it out first. It asks for the page itself, as CoreDNS
 * does: how long that takes says how busy the process is.
 */
import type { SocketAddress } from '#lib/address.ts'
import { type Clock, type Milliseconds, sleep } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import { exponentialBuckets } from '#lib/metrics.ts'
import { get } from '#lib/node-http.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import { chooseAddress } from '../corefile/endpoint-address.ts'
import type { HttpEndpoint } from '../listener.ts'
import { type Metrics, type MetricTable, registerMetrics } from '../metrics.ts'
import type { Plugin, PluginModule, Traffic } from '../plugin.ts'

const options = {
  lameduck: {
    kind: 'duration',
    syntax: 'DURATION',
    default: 0,
    minimum: 0,
    maximum: 600_000,
    doc: 'how long to go on answering, healthy, after the program was told to stop; then until no query has come for 1s, at most 20s in all',
  },
} as const satisfies PropertyTable

const metrics = {
  duration: {
    kind: 'histogram',
    name: 'coredns_health_request_duration_seconds',
    help: 'How long the process took to answer its own health request, once a second.',
    labels: [],
    buckets: exponentialBuckets(0.00025, 10, 5),
  },
  failures: {
    kind: 'counter',
    name: 'coredns_health_request_failures_total',
    help: 'Health requests of the process to itself that got no answer.',
    labels: [],
  },
} as const satisfies MetricTable

/** CoreDNS's: how long after one request the next one comes, and how long one may take. */
const INTERVAL: Milliseconds = 1_000
const TIMEOUT: Milliseconds = 3_000

/** Whom no query has reached for so long is known to be leaving. */
const QUIET: Milliseconds = 1_000
/** How long after the program was told to stop a short lameduck goes on while queries still come; a pod has 30 s. */
const LAMEDUCK_LIMIT: Milliseconds = 20_000

export const healthPlugin: PluginModule = {
  name: 'health',
  options,
  metrics,
  setup(directive, _block, { clock, logger, registry, overrides }) {
    const reader = new DirectiveReader(directive)
    const { lameduck } = reader.properties(options)
    const override = overrides['health-address']
    const address = chooseAddress({ reader, directive, override, otherwise: ':8080' })
    const reply = () => ({ status: 200, contentType: 'text/plain; charset=utf-8', body: 'OK' })
    return reader.finish((): Plugin => {
      const counted = registerMetrics(registry, metrics)
      return new Health({ endpoint: { address, path: '/health', reply }, lameduck, clock, logger, counted })
    })
  },
}

interface HealthOptions {
  readonly endpoint: HttpEndpoint
  readonly lameduck: Milliseconds
  readonly clock: Clock
  readonly logger: Logger
  readonly counted: Metrics<typeof metrics>
}

class Health implements Plugin {
  readonly name = 'health'
  readonly endpoints: readonly HttpEndpoint[]
  readonly #options: HealthOptions
  readonly #closing = new AbortController()
  #asking: Promise<void> | undefined

  constructor(options: HealthOptions) {
    this.endpoints = [options.endpoint]
    this.#options = options
  }

  async start(): Promise<void> {
    // Which port the system chose, the plugin is not told.
    if (this.#options.endpoint.address.port !== 0) this.#asking = this.#ask(this.#closing.signal)
  }

  /** Where clients need longer to hear of it, longer. */
  async drain({ quietFor }: Traffic): Promise<void> {
    const { lameduck, clock } = this.#options
    if (lameduck === 0) return
    const end = clock.monotonic() + Math.max(lameduck, LAMEDUCK_LIMIT)
    await sleep(clock, lameduck)
    for (let left = end - clock.monotonic(); left > 0; left = end - clock.monotonic()) {
      const noise = QUIET - quietFor()
      if (noise <= 0) return
      await sleep(clock, Math.min(noise, left))
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#asking
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const { endpoint, clock, logger, counted } = this.#options
    const { address, path } = endpoint
    while (!signal.aborted) {
      await sleep(clock, INTERVAL, signal)
      if (signal.aborted) return
      const began = clock.monotonic()
      const problem = await request(address, path, clock, signal)
      if (signal.aborted) return
      const duration = clock.monotonic() - began
      counted.duration.observe(duration / 1000)
      if (problem !== undefined) {
        counted.failures.inc()
        logger.warn({ problem }, 'the health request to this process itself failed')
      } else if (duration > INTERVAL) logger.warn({ duration }, 'the health request to this process itself was slow')
    }
  }
}

/** Resolves with what went wrong; undefined: an answer came, whatever it says. */
const request = (
  { host, port }: SocketAddress,
  path: string,
  clock: Clock,
  signal: AbortSignal,
): Promise<string | undefined> =>
  new Promise(resolve => {
    const limit = new AbortController()
    const stop = () => limit.abort()
    const end = (problem?: string) => {
      timer.cancel()
      signal.removeEventListener('abort', stop)
      resolve(problem)
    }
    const timer = clock.after(TIMEOUT, stop)
    signal.addEventListener('abort', stop, { once: true })
    // Every address: then this one is among them.
    const asked = get({ host: host === '' ? '127.0.0.1' : host, port, path, agent: false, signal: limit.signal })
    asked.once('response', response => {
      response.resume()
      end()
    })
    asked.on('error', error => end(limit.signal.aborted ? `no answer within ${TIMEOUT / 1000} s` : error.message))
  })
