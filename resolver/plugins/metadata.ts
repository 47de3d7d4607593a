/**
 * metadata: asks the block's plugins what they know of each question before any of them handles it, for those that show it
 * or decide by it (`log`, `template`, `view`).
 */
import { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Plugin, PluginModule } from '../plugin.ts'
import { isSubdomain } from '../wire/name.ts'

export const metadataPlugin: PluginModule = {
  name: 'metadata',
  setup(directive, block) {
    const reader = new DirectiveReader(directive)
    reader.noProperties()
    const zones = reader.zones(directive.arguments, block.zones)
    return reader.finish((): Plugin => {
      let providers: readonly Plugin[] = []
      return {
        name: 'metadata',
        async start() {
          providers = block.plugins().filter(plugin => plugin.provideMetadata)
        },
        handle(query, next) {
          if (zones.some(zone => isSubdomain(query.question.canonicalName, zone))) {
            query.metadata ??= new Map()
            for (const plugin of providers) plugin.provideMetadata!(query, query.metadata)
          }
          return next(query)
        },
      }
    })
  },
}
