/**
 * Compiles the product to dist/ for the npm package (docs/decisions/0002-compiled-package.md) and copies what stands
 * beside the code and is no code (types.json).
 */
import { execFileSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const ROOMS = ['lib', 'watcher', 'resolver', 'server', 'cluster', 'cmd']

rmSync(join(root, 'dist'), { recursive: true, force: true })
execFileSync(process.execPath, [join(root, 'node_modules/.bin/tsc'), '-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
})
for (const room of ROOMS) {
  cpSync(join(root, room), join(root, 'dist', room), {
    recursive: true,
    filter: source => !source.endsWith('.ts') && !source.endsWith('.md'),
  })
}
