/** https: how many clients the block's listeners of `https://` serve at one time. */
import { DirectiveReader, type PropertyTable } from '../corefile/directive-reader.ts'
import type { Plugin, PluginModule } from '../plugin.ts'

const options = {
  max_connections: {
    kind: 'number',
    syntax: 'NUMBER',
    default: undefined,
    minimum: 0,
    maximum: 1_000_000,
    unit: 'connections',
    doc: 'at one time, of each listener; further ones are closed at once; 0: any number; as it is: what `--tcp-max-connections` says',
  },
} as const satisfies PropertyTable

export const httpsPlugin: PluginModule = {
  name: 'https',
  options,
  setup(directive) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(0)
    const { max_connections: given } = reader.properties(options)
    const maxHttpsConnections = given === 0 ? Number.POSITIVE_INFINITY : given
    const timeouts = maxHttpsConnections === undefined ? {} : { maxHttpsConnections }
    return reader.finish((): Plugin => ({ name: 'https', timeouts }))
  },
}
