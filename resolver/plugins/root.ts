/** root: the folder that relative paths of the block start from. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { DirectiveReader } from '../corefile/directive-reader.ts'
import type { Plugin, PluginModule } from '../plugin.ts'

export const rootPlugin: PluginModule = {
  name: 'root',
  folder: ({ arguments: [path] }, folder) => resolve(folder, path?.text ?? ''),
  setup(directive, _block, { folder, logger }) {
    const reader = new DirectiveReader(directive)
    reader.limitArguments(1)
    reader.noProperties()
    if (directive.arguments.length === 0) reader.refuse(directive.name, 'needs a folder')
    return reader.finish(
      (): Plugin => ({
        name: 'root',
        async start() {
          // As CoreDNS: the files may come later, so a folder that is not there yet is no error.
          const found = await stat(folder).catch(() => undefined)
          if (!found?.isDirectory()) logger.warn({ folder }, 'root is not a folder')
        },
      }),
    )
  },
}
