import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'

test('out of sockets, questions wait for those that are under way; without any, they fail at once', async t => {
  const program = fileURLToPath(new URL('./few-sockets.process.ts', import.meta.url))
  const command = 'ulimit -n 100 && exec "$0" "$1"'
  const { stdout } = await promisify(execFile)('sh', ['-c', command, process.execPath, program], { timeout: 60_000 })
  t.deepEqual(JSON.parse(stdout), { answered: 300, hoarded: true, withFree: 'answered', alone: 'local' })
})
