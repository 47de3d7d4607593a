/**
 * health: `/health` says 200 as long as the process turns its event loop. `lameduck` lets the server go on answering for
 * a while after it was told to stop, so that load balancers can take it out first.
 */
import { type Clock, type Milliseconds, sleep } from '#lib/clock.ts'
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import { chooseAddress } from '../corefile/endpoint-address.ts'
import type { HttpEndpoint } from '../listener.ts'
import type { Plugin, PluginModule } from '../plugin.ts'

const options = {
  lameduck: {
    kind: 'duration',
    syntax: 'DURATION',
    default: 0,
    minimum: 0,
    maximum: 600_000,
    doc: 'how long to go on answering, healthy, after the program was told to stop',
  },
} as const satisfies PropertyTable

export const healthPlugin: PluginModule = {
  name: 'health',
  options,
  setup(directive, _block, { clock, overrides }) {
    const reader = new DirectiveReader(directive)
    const { lameduck } = reader.properties(options)
    const override = overrides['health-address']
    const address = chooseAddress({ reader, directive, override, otherwise: ':8080' })
    const reply = () => ({ status: 200, contentType: 'text/plain; charset=utf-8', body: 'OK' })
    return reader.finish((): Plugin => new Health({ address, path: '/health', reply }, lameduck, clock))
  },
}

class Health implements Plugin {
  readonly name = 'health'
  readonly endpoints: readonly HttpEndpoint[]
  readonly #lameduck: Milliseconds
  readonly #clock: Clock

  constructor(endpoint: HttpEndpoint, lameduck: Milliseconds, clock: Clock) {
    this.endpoints = [endpoint]
    this.#lameduck = lameduck
    this.#clock = clock
  }

  drain(): Promise<void> {
    return this.#lameduck > 0 ? sleep(this.#clock, this.#lameduck) : Promise.resolve()
  }
}
