/**
 * reload: looks at the Corefile and what it imports from time to time, and asks for it to be taken over when it changed.
 * How that is done, and that a bad file changes nothing, is `resolver/reload.ts`'s business.
 */
import { createHash } from 'node:crypto'
import type { Milliseconds, Timer } from '#lib/clock.ts'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import { registerMetrics, reloadMetrics } from '../metrics.ts'
import type { Environment, Plugin, PluginModule } from '../plugin.ts'

/** CoreDNS's. */
const DEFAULT_INTERVAL: Milliseconds = 30_000
const DEFAULT_JITTER: Milliseconds = 15_000
const intervalBounds = { minimum: 2000, maximum: 86_400_000 }
const jitterBounds = { minimum: 0, maximum: 86_400_000 }
/** CoreDNS's least jitter; it takes less, and has this. */
const SMALLEST_JITTER: Milliseconds = 1000

export const reloadPlugin: PluginModule = {
  name: 'reload',
  metrics: reloadMetrics,
  setup(directive, _block, environment) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(2)
    reader.noProperties()
    const [intervalWord, jitterWord] = directive.arguments
    const interval = intervalWord ? reader.duration(intervalWord, intervalBounds) : DEFAULT_INTERVAL
    const jitter = jitterWord ? Math.max(SMALLEST_JITTER, reader.duration(jitterWord, jitterBounds)) : DEFAULT_JITTER
    return reader.finish((): Plugin => new Reload(interval, Math.min(jitter, interval / 2), environment))
  },
}

class Reload implements Plugin {
  readonly name = 'reload'
  readonly #interval: Milliseconds
  readonly #jitter: Milliseconds
  readonly #environment: Environment
  #hash = ''
  /** Whether the file was another when it was last looked at. */
  #differed = false
  #timer: Timer | undefined
  #closed = false

  constructor(interval: Milliseconds, jitter: Milliseconds, environment: Environment) {
    this.#interval = interval
    this.#jitter = jitter
    this.#environment = environment
  }

  async start(): Promise<void> {
    this.#hash = await this.#read()
    const { version } = registerMetrics(this.#environment.registry, reloadMetrics)
    version.reset()
    version.set({ hash: 'sha512', value: this.#hash }, 1)
    this.#lookLater()
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
  }

  /** Replicas that were started together do not reload together. */
  #lookLater(): void {
    if (this.#closed) return
    const delay = this.#interval + (this.#environment.random.unit() * 2 - 1) * this.#jitter
    this.#timer = this.#environment.clock.after(delay, () => void this.#look())
  }

  /**
   * A file that was refused is tried again each time: what it lacks may come without it changing. One whose change was taken
   * back is taken over once more, so that nobody is told any longer that there is a mistake.
   */
  async #look(): Promise<void> {
    const hash = await this.#read()
    if (this.#closed) return
    const differs = hash !== this.#hash
    if (differs || this.#differed) this.#environment.requestReload()
    this.#differed = differs
    this.#lookLater()
  }

  async #read(): Promise<string> {
    return createHash('sha512')
      .update(await this.#environment.readCorefile())
      .digest('hex')
  }
}
