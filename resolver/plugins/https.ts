/** https: how many clients the block's listeners of `https://` serve at one time, and how many requests of each. */
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
  max_streams: {
    kind: 'number',
    syntax: 'NUMBER',
    default: undefined,
    minimum: 0,
    maximum: 1_000_000,
    unit: 'streams',
    doc: 'requests at one time on a connection of HTTP/2; 0, or as it is: what `--tcp-max-in-flight` says',
  },
} as const satisfies PropertyTable

export const httpsPlugin: PluginModule = {
  name: 'https',
  options,
  setup(directive) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(0)
    const { max_connections: connections, max_streams: streams } = reader.properties(options)
    const timeouts = {
      ...(connections !== undefined && { maxHttpsConnections: connections || Number.POSITIVE_INFINITY }),
      ...(streams && { maxHttpsStreams: streams }),
    }
    return reader.finish((): Plugin => ({ name: 'https', timeouts }))
  },
}
