/**
 * ready: `/ready` says 200 once every plugin of the configuration that has something to wait for (the kubernetes
 * plugin's first sync) can do its work, else 503 and their names.
 */
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import { chooseAddress } from '../corefile/endpoint-address.ts'
import type { HttpEndpoint, HttpReply } from '../listener.ts'
import type { Plugin, PluginModule } from '../plugin.ts'

const options = {
  monitor: {
    kind: 'choice',
    syntax: 'until-ready|continuously',
    choices: ['until-ready', 'continuously'],
    default: 'until-ready',
    doc: 'whether a plugin that was ready once is asked again',
  },
} as const satisfies PropertyTable

type Monitor = (typeof options.monitor.choices)[number]

export const readyPlugin: PluginModule = {
  name: 'ready',
  options,
  setup(directive, _block, { overrides, plugins }) {
    const reader = new DirectiveReader(directive)
    const { monitor } = reader.properties(options)
    const override = overrides['ready-address']
    const address = chooseAddress({ reader, directive, override, otherwise: ':8181' })
    return reader.finish((): Plugin => {
      const readiness = new Readiness(monitor, plugins)
      const endpoint: HttpEndpoint = { address, path: '/ready', reply: () => readiness.reply() }
      return { name: 'ready', endpoints: [endpoint], drain: async () => readiness.stop() }
    })
  },
}

class Readiness {
  readonly #monitor: Monitor
  readonly #plugins: () => readonly Plugin[]
  readonly #onceReady = new WeakSet<Plugin>()
  #stopping = false

  constructor(monitor: Monitor, plugins: () => readonly Plugin[]) {
    this.#monitor = monitor
    this.#plugins = plugins
  }

  /** A server that is about to end takes no new clients. */
  stop(): void {
    this.#stopping = true
  }

  reply(): HttpReply {
    const waiting = this.#stopping ? ['stopping'] : this.#waiting()
    return waiting.length === 0
      ? { status: 200, contentType: 'text/plain; charset=utf-8', body: 'OK' }
      : { status: 503, contentType: 'text/plain; charset=utf-8', body: waiting.join(',') }
  }

  #waiting(): string[] {
    const names = new Set<string>()
    for (const plugin of this.#plugins()) {
      if (!plugin.ready || (this.#monitor === 'until-ready' && this.#onceReady.has(plugin))) continue
      if (plugin.ready()) this.#onceReady.add(plugin)
      else names.add(plugin.name)
    }
    return [...names].sort()
  }
}
