/**
 * Kubernetes' own API machinery (test/clients/oracle, a Go program) to compare with. Building it takes minutes, so it is
 * built where Go is present and SEAMARK_ORACLE=1 asks for it, and kept in node_modules/.cache; a cached one is always
 * used.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'
import { findProgram } from './programs.ts'
import { temporaryFolder } from './temporary-folder.ts'

const SOURCE = fileURLToPath(new URL('../clients/oracle', import.meta.url))
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/seamark', import.meta.url))
const VERSION = 'v1.35.4'

export interface Oracle {
  /** `https://127.0.0.1:PORT` */
  readonly url: string
  /** Path of the PEM file that its certificate is verified by. */
  readonly authority: string
  /** Makes etcd forget everything before `revision`. */
  readonly compact: (revision: string) => Promise<void>
}

/** The program's path, or why there is none. */
const oracleProgram = async (): Promise<{ readonly path: string } | { readonly reason: string }> => {
  const sources = ['go.mod', 'go.sum', 'main.go'].map(name => readFileSync(join(SOURCE, name)))
  const hash = createHash('sha256').update(Buffer.concat(sources)).digest('hex').slice(0, 16)
  const path = join(CACHE, `oracle-${hash}`)
  if (existsSync(path)) return { path }
  if (process.env.SEAMARK_ORACLE !== '1') return { reason: 'the oracle is not built; SEAMARK_ORACLE=1 builds it' }
  const go = findProgram('go')
  if (!go) return { reason: 'there is no Go to build the oracle with' }
  mkdirSync(CACHE, { recursive: true })
  const unfinished = `${path}.${process.pid}`
  const flags = ['-ldflags', `-X k8s.io/component-base/version.gitVersion=${VERSION}`]
  await promisify(execFile)(go, ['build', ...flags, '-o', unfinished, '.'], { cwd: SOURCE })
  renameSync(unfinished, path)
  return { path }
}

/** The lines that it prints, one a call; fails when it ends instead. */
const linesOf = (child: ChildProcess): (() => Promise<string>) => {
  let complaints = ''
  child.stderr?.on('data', text => (complaints = (complaints + text).slice(-2_000)))
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  return async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`the oracle ended: ${complaints}`)
    return value
  }
}

/** Ends with the test. Undefined where there is no oracle: the reason is printed and the test passes. */
export const startOracle = async (t: ExecutionContext): Promise<Oracle | undefined> => {
  const program = await oracleProgram()
  if ('reason' in program) {
    t.log(`NOT COMPARED WITH KUBERNETES: ${program.reason}`)
    t.pass()
    return undefined
  }
  const folder = temporaryFolder(t)
  const child = spawn(program.path, [folder], { stdio: ['pipe', 'pipe', 'pipe'] })
  const exited = new Promise(resolve => child.once('exit', resolve))
  t.teardown(async () => {
    child.stdin.end()
    setTimeout(() => child.kill('SIGKILL'), 3_000).unref()
    await exited
  })
  const nextLine = linesOf(child)
  const url = await nextLine()
  return {
    url,
    authority: join(folder, 'certificates', 'apiserver.crt'),
    async compact(revision) {
      child.stdin.write(`${revision}\n`)
      t.is(await nextLine(), revision)
    },
  }
}
