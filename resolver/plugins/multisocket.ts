/**
 * multisocket: CoreDNS opens several sockets on one port, so that several cores read from them. Seamark's UDP
 * workers do so by themselves (`--workers`); the directive is taken, and said to be without effect.
 */
import { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Plugin, PluginModule } from '../plugin.ts'

const bounds = { minimum: 1, maximum: 1024, unit: 'sockets' }

export const multisocketPlugin: PluginModule = {
  name: 'multisocket',
  setup(directive, _block, { logger }) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(1)
    reader.noProperties()
    const [word] = directive.arguments
    if (word) reader.number(word, bounds)
    const start = async () =>
      logger.info('multisocket has no effect: --workers says how many sockets there are on a port')
    return reader.finish((): Plugin => ({ name: 'multisocket', start }))
  },
}
