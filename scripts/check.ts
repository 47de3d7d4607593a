/**
 * `npm run check`: format, lint, types, architecture, dead code. All run at once; each prints what it found, the last
 * line says how many hold. Meant to stay under 15 seconds.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const binary = (name: string) => join(root, 'node_modules', '.bin', name)

const CHECKS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  'format and lint': [binary('biome'), 'check', '--error-on-warnings', '.'],
  types: [process.execPath, binary('tsc'), '--noEmit'],
  architecture: [process.execPath, join(root, 'node_modules/ava/entrypoints/cli.mjs'), 'test/architecture.test.ts'],
  'dead code': [process.execPath, join(root, 'node_modules/knip/bin/knip.js'), '--no-progress'],
}

interface Outcome {
  readonly name: string
  readonly passed: boolean
  readonly output: string
  /** Seconds. */
  readonly duration: number
}

const run = (name: string, [command, ...args]: readonly [string, ...string[]]): Promise<Outcome> =>
  new Promise(resolve => {
    const began = performance.now()
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', chunk => (output += chunk))
    child.stderr.on('data', chunk => (output += chunk))
    const end = (passed: boolean) => resolve({ name, passed, output, duration: (performance.now() - began) / 1000 })
    child.on('error', error => {
      output += `${error.message}\n`
      end(false)
    })
    child.on('close', code => end(code === 0))
  })

const outcomes = await Promise.all(Object.entries(CHECKS).map(([name, command]) => run(name, command)))
for (const { name, passed, output, duration } of outcomes) {
  if (!passed) console.log(output.trimEnd())
  console.log(`${passed ? 'ok  ' : 'FAIL'} ${name} (${duration.toFixed(1)} s)`)
}
const failed = outcomes.filter(outcome => !outcome.passed).length
console.log(`${outcomes.length - failed} checks hold, ${failed} do not`)
process.exitCode = failed === 0 ? 0 : 1
