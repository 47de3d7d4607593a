/** Kubernetes' own API machinery (test/clients/oracle) to compare with. SEAMARK_ORACLE=1 builds it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ExecutionContext } from 'ava'
import { goProgram } from './go-program.ts'
import { temporaryFolder } from './temporary-folder.ts'

const FLAGS = ['-ldflags', '-X k8s.io/component-base/version.gitVersion=v1.35.4']

export interface Oracle {
  /** `https://127.0.0.1:PORT` */
  readonly url: string
  /** Path of the PEM file that its certificate is verified by. */
  readonly authority: string
  /** Makes etcd forget everything before `revision`. */
  readonly compact: (revision: string) => Promise<void>
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
  const program = await goProgram({ module: 'oracle', folder: '.', flags: FLAGS, variable: 'SEAMARK_ORACLE' })
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
