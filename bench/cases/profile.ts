/**
 * Where the processor time of a hit goes: shares of perf's samples of the server by the file that the code is in, and the
 * system calls that a query needs (strace).
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from '../../test/support/programs.ts'
import type { BenchCase, Figures } from '../bench-case.ts'
import { runLoad } from '../load-generator.ts'
import { seamark } from '../servers/seamark.ts'

/** Seconds. */
const DURATION = 1.5
/** Samples a second: no divisor of the timer's. */
const FREQUENCY = 1999
const WINDOW = 100

/** File of a sample → what the table calls it. */
const PARTS: readonly (readonly [RegExp, string])[] = [
  [/^\[kernel/, 'kernel'],
  [/^\[JIT\]/, 'compiled JavaScript'],
  [/koffi/, 'koffi'],
  [/^(libc|ld-linux|\[vdso)/, 'libc'],
  [/^node/, "Node and V8's builtins"],
]

/** `  51.87%  [vdso]` */
const SHARE = /^\s*([\d.]+)%\s+(.*?)\s*$/

const sharesOf = (report: string): Figures => {
  const shares: Record<string, number> = {}
  for (const line of report.split('\n')) {
    const [, percent, file = ''] = SHARE.exec(line) ?? []
    if (percent === undefined) continue
    const name = `${PARTS.find(([pattern]) => pattern.test(file))?.[1] ?? 'other'}, %`
    shares[name] = (shares[name] ?? 0) + Number(percent)
  }
  return shares
}

/** `  0.12  0.000012  3  4711  12 recvmmsg`, in strace's table: calls and name; there may be no errors. */
const CALLS = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$/gm

const callsOf = (table: string, queries: number): Figures =>
  Object.fromEntries(
    [...table.matchAll(CALLS)]
      .filter(([, count, name]) => name !== 'total' && Number(count) * 1000 >= queries)
      .map(([, count, name]) => [`${name} a query`, Number(count) / queries]),
  )

const programOf = (name: string): string => {
  const program = findProgram(name)
  if (!program) throw new Error(`there is no ${name}`)
  return program
}

const start = (name: string, args: readonly string[]): ChildProcess =>
  spawn(programOf(name), args, { stdio: ['ignore', 'ignore', 'pipe'] })

/** Until it ends by itself, or by SIGINT; resolves with what it said. */
const outputOf = async (child: ChildProcess, interrupt: boolean): Promise<string> => {
  let output = ''
  child.stderr?.on('data', chunk => (output += chunk))
  const ended = once(child, 'close')
  if (interrupt) child.kill('SIGINT')
  await ended
  return output
}

const run: BenchCase['run'] = async stage => {
  const server = await stage.server(seamark)
  if (!server) return {}
  const { pid, address, port } = server
  const questions = stage.questions('profile', services => services.map(({ name }) => ({ name, type: 'A' })))
  const load = () => runLoad({ address, port, questions, seconds: DURATION, pace: { window: WINDOW } })
  const folder = mkdtempSync(join(tmpdir(), 'seamark-bench-'))
  const samples = join(folder, 'perf.data')
  try {
    await load()
    const perf = start('perf', ['record', '-q', '-F', String(FREQUENCY), '-p', String(pid), '-o', samples])
    await load()
    await outputOf(perf, true)
    const report = ['report', '--stdio', '-q', '-i', samples, '--sort', 'dso', '-F', 'overhead,dso']
    const shares = sharesOf(
      execFileSync(programOf('perf'), report, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    )
    const strace = start('strace', ['-c', '-f', '-p', String(pid)])
    const { received } = await load()
    return { ...shares, ...callsOf(await outputOf(strace, true), received) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export default { name: 'profile', rounds: 3, run } satisfies BenchCase
