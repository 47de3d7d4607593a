/**
 * One configuration that answers, and how another takes its place while questions keep coming:
 *
 *   load (parse, set up) → adopt (caches, watches) → start → open its listeners and pages → answer by it → let go of the old
 *
 * Promised: whatever fails on the way, the old configuration goes on wholly: DNS, health, metrics. Questions that it has
 * in hand are answered by it before it is closed. Reloads that are asked for while one runs become one more after it.
 */
import { type Clock, type Milliseconds, sleep } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import type { Registry } from '#lib/metrics.ts'
import type { Result } from '#lib/result.ts'
import type { Configuration } from './configuration.ts'
import { type CorefileProblem, formatProblem } from './corefile/syntax.ts'
import type { DnsListener, HttpEndpoint, Responder } from './listener.ts'
import { type Metrics, registerMetrics, reloadMetrics } from './metrics.ts'
import type { Plugin, Traffic } from './plugin.ts'

export interface LiveOptions {
  /** Reads the Corefile as it is now. `requestReload` is for its plugins. */
  readonly load: (requestReload: () => void) => Promise<Result<Configuration, readonly CorefileProblem[]>>
  /**
   * Opens what is new, keeps what stays, closes what went; rejects and changes nothing when something cannot be opened.
   * `plugins`: all of the configuration, started.
   */
  readonly converge: (
    listeners: readonly DnsListener[],
    endpoints: readonly HttpEndpoint[],
    plugins: readonly Plugin[],
  ) => Promise<void>
  /** Resolves when what `converge` let go takes no more questions; absent: it takes none at once. */
  readonly departed?: () => Promise<void>
  /** Another configuration answers from now on. */
  readonly switched?: () => void
  readonly clock: Clock
  readonly logger: Logger
  readonly registry: Registry
}

export type ReloadOutcome =
  | { readonly outcome: 'reloaded' }
  /** The Corefile is wrong; nothing changed. */
  | { readonly outcome: 'refused'; readonly problems: readonly CorefileProblem[] }
  /** A plugin or a listener could not be started; nothing changed. */
  | { readonly outcome: 'failed'; readonly error: unknown }
  | { readonly outcome: 'closed' }

/** What answers, and how it came to be. Times since the Unix epoch. */
export interface LiveState {
  /** Undefined: nothing has been taken yet. */
  readonly configuration: Configuration | undefined
  /** When it was taken. */
  readonly taken: Milliseconds
  /** The last Corefile that was not taken because something is wrong with it; undefined: a later one was. */
  readonly refused: { readonly at: Milliseconds; readonly problems: readonly CorefileProblem[] } | undefined
}

/** The longest that a replaced configuration may still work on questions: above forward's five seconds. */
const LEAVE_DEADLINE: Milliseconds = 6000

/** A configuration with the number of questions that it has in hand. */
class Generation {
  readonly configuration: Configuration
  readonly servers: ReadonlySet<string>
  #inHand = 0
  #onIdle: (() => void) | undefined

  constructor(configuration: Configuration) {
    this.configuration = configuration
    this.servers = new Set(configuration.listeners.map(({ server }) => server))
  }

  readonly respond: Responder = (packet, context) => {
    const reply = this.configuration.responder(packet, context)
    if (!(reply instanceof Promise)) return reply
    this.#inHand++
    return reply.finally(() => {
      if (--this.#inHand === 0) this.#onIdle?.()
    })
  }

  /** Resolves when nothing is in hand any more. */
  idle(): Promise<void> {
    if (this.#inHand === 0) return Promise.resolve()
    return new Promise(resolve => {
      this.#onIdle = resolve
    })
  }
}

export class LiveConfiguration {
  readonly #options: LiveOptions
  readonly #metrics: Metrics<typeof reloadMetrics>
  readonly #stop = new AbortController()
  readonly #leaving = new Set<Promise<void>>()
  /** Replaced; their listeners may still have questions. */
  readonly #departing = new Set<Generation>()
  #current: Generation | undefined
  #taken: Milliseconds = 0
  #refused: LiveState['refused']
  /** Between the opening of its listeners and its turn to answer. */
  #incoming: Generation | undefined
  #running: Promise<ReloadOutcome> | undefined
  #following: Promise<ReloadOutcome> | undefined
  #closing: Promise<void> | undefined

  constructor(options: LiveOptions) {
    this.#options = options
    this.#metrics = registerMetrics(options.registry, reloadMetrics)
  }

  get state(): LiveState {
    return { configuration: this.configuration, taken: this.#taken, refused: this.#refused }
  }

  /** What answers now. */
  get configuration(): Configuration | undefined {
    return this.#current?.configuration
  }

  /** Answers by the configuration of the moment; give it to the server once and for all. */
  readonly respond: Responder = (packet, context) => {
    const current = this.#current
    const answers = current?.servers.has(context.server) ? current : (this.#otherFor(context.server) ?? current)
    return answers?.respond(packet, context)
  }

  /** For listeners that are only just opened, or only just left. */
  #otherFor(server: string): Generation | undefined {
    const others = [...this.#departing, ...(this.#incoming ? [this.#incoming] : [])]
    return others.findLast(({ servers }) => servers.has(server))
  }

  /** The first configuration. Resolves when it serves; on failure nothing is left running. */
  async start(): Promise<ReloadOutcome> {
    return this.#take()
  }

  /** Reads the Corefile again. Never rejects; failures are logged and counted. */
  reload(): Promise<ReloadOutcome> {
    if (this.#running) {
      this.#following ??= this.#running.then(() => {
        this.#following = undefined
        return this.reload()
      })
      return this.#following
    }
    this.#running = this.#reload().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Told to stop, still serving: resolves when it may end. */
  async drain(traffic: Traffic): Promise<void> {
    await this.configuration?.drain(traffic)
  }

  /** Idempotent. The server's sockets must be closed before. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#stop.abort()
    await this.#running
    await Promise.all(this.#leaving)
    await this.configuration?.close()
  }

  async #reload(): Promise<ReloadOutcome> {
    const { logger } = this.#options
    const outcome = await this.#take()
    if (outcome.outcome === 'reloaded') logger.info('the Corefile was reloaded')
    if (outcome.outcome === 'refused' || outcome.outcome === 'failed') this.#metrics.failed.inc()
    if (outcome.outcome === 'refused') {
      const problems = outcome.problems.map(formatProblem)
      logger.error({ problems }, 'the Corefile was not reloaded; the old one stays')
    }
    if (outcome.outcome === 'failed')
      logger.error({ error: outcome.error }, 'the Corefile was not reloaded; the old one stays')
    return outcome
  }

  async #take(): Promise<ReloadOutcome> {
    if (this.#stop.signal.aborted) return { outcome: 'closed' }
    const loaded = await this.#options.load(() => void this.reload())
    if (this.#stop.signal.aborted) return { outcome: 'closed' }
    const now = this.#options.clock.now()
    if (!loaded.ok) {
      this.#refused = { at: now, problems: loaded.problem }
      return { outcome: 'refused', problems: loaded.problem }
    }
    const next = new Generation(loaded.value)
    const previous = this.#current
    try {
      if (previous) next.configuration.adopt(previous.configuration)
      await next.configuration.start(this.#stop.signal)
      this.#incoming = next
      const { listeners, endpoints, plugins } = next.configuration
      await this.#options.converge(listeners, endpoints, plugins)
      this.#current = next
      this.#options.switched?.()
      this.#taken = now
      this.#refused = undefined
    } catch (error) {
      await next.configuration.close()
      return { outcome: 'failed', error }
    } finally {
      this.#incoming = undefined
    }
    if (previous) this.#letGo(previous)
    return { outcome: 'reloaded' }
  }

  #letGo(previous: Generation): void {
    const { clock, departed, logger } = this.#options
    const late = new AbortController()
    this.#departing.add(previous)
    const done = Promise.resolve(departed?.()).then(() => previous.idle())
    const left = Promise.race([done, sleep(clock, LEAVE_DEADLINE, late.signal)])
      .finally(() => this.#departing.delete(previous))
      .then(() => previous.configuration.close())
      .catch(error => logger.error({ error }, 'the replaced configuration failed to close'))
      .finally(() => {
        late.abort()
        this.#leaving.delete(left)
      })
    this.#leaving.add(left)
  }
}
