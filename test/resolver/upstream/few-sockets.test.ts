import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { missingLibrary } from '#server/system-calls.ts'

const program = fileURLToPath(new URL('./few-sockets.process.ts', import.meta.url))

for (const [way, run] of [
  ['dgram', test],
  ['calls', missingLibrary() === undefined ? test : test.skip],
] as const) {
  run(`${way}: out of sockets, questions wait for those under way; without any, they fail at once`, async t => {
    const command = 'ulimit -n 100 && exec "$0" "$1" "$2"'
    const words = ['-c', command, process.execPath, program, way]
    const { stdout } = await promisify(execFile)('sh', words, { timeout: 60_000 })
    t.deepEqual(JSON.parse(stdout), { answered: 300, hoarded: true, withFree: 'answered', alone: 'local' })
  })
}
