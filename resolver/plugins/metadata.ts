/**
 * metadata: asks the block's plugins what they know of each question before any of them handles it, for those that show it
 * or decide by it (`log`, `rewrite`, `template`, `view`).
 */
import { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Plugin, PluginModule } from '../plugin.ts'
import type { Query } from '../query.ts'
import { isSubdomain } from '../wire/name.ts'

export const metadataPlugin: PluginModule = {
  name: 'metadata',
  setup(directive, block) {
    const reader = new DirectiveReader(directive)
    reader.noProperties()
    const zones = reader.zones(directive.arguments, block.zones)
    return reader.finish((): Plugin => {
      let providers: readonly Plugin[] = []
      const collect = (query: Query, metadata: Map<string, string>): void => {
        if (!zones.some(zone => isSubdomain(query.question.canonicalName, zone))) return
        for (const plugin of providers) plugin.provideMetadata!(query, metadata)
      }
      return {
        name: 'metadata',
        async start() {
          providers = block.plugins().filter(plugin => plugin.provideMetadata)
        },
        collectMetadata: collect,
        handle(query, next) {
          query.metadata ??= new Map()
          collect(query, query.metadata)
          return next(query)
        },
      }
    })
  },
}
