/** bufsize: limits what the block takes and sends over UDP, below the server's own 1232 bytes. */
import { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Plugin, PluginModule } from '../plugin.ts'
import { OWN_UDP_SIZE } from '../wire/edns.ts'

const bounds = { minimum: 512, maximum: 4096, unit: 'bytes' }

export const bufsizePlugin: PluginModule = {
  name: 'bufsize',
  setup(directive, _block, { logger }) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(1)
    reader.noProperties()
    const [word] = directive.arguments
    const udpSize = word ? reader.number(word, bounds) : OWN_UDP_SIZE
    const start = async (): Promise<void> => {
      if (udpSize <= OWN_UDP_SIZE) return
      logger.info(
        { size: udpSize, limit: OWN_UDP_SIZE },
        'bufsize has no effect: over UDP nothing longer is sent or taken',
      )
    }
    return reader.finish((): Plugin => ({ name: 'bufsize', udpSize, start }))
  },
}
