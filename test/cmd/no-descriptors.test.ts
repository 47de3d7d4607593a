import { execFile } from 'node:child_process'
import { platform } from 'node:os'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'

const onLinux = platform() === 'linux' ? test : test.skip

onLinux('out of descriptors, a program does not end by looking at its memory, and tells its metrics', async t => {
  const program = fileURLToPath(new URL('./no-descriptors.process.ts', import.meta.url))
  const words = ['-c', 'ulimit -n 100 && exec "$0" "$1"', process.execPath, program]
  const { stdout } = await promisify(execFile)('sh', words, { timeout: 60_000 })
  t.deepEqual(JSON.parse(stdout), { before: true, resident: 'unknown', told: true })
})
