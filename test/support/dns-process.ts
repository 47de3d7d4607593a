/** `seamark dns` as people start it, for tests that need a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { ExecutionContext } from 'ava'
import { seamark } from './cluster.ts'

export class DnsProcess {
  readonly child: ChildProcess
  /** All that it printed so far. */
  output = ''
  readonly exited: Promise<number | null>

  /** `environment`: beyond this process's own. `command`: an installed one, for the checkout's. */
  constructor(
    t: ExecutionContext,
    corefile: string,
    args: readonly string[] = [],
    environment: NodeJS.ProcessEnv = {},
    command: string = seamark,
  ) {
    this.child = spawn(command, ['dns', '--conf', corefile, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', ...environment },
    })
    this.child.stdout?.on('data', chunk => (this.output += chunk))
    this.child.stderr?.on('data', chunk => (this.output += chunk))
    this.exited = new Promise(resolve => this.child.once('exit', code => resolve(code)))
    t.teardown(async () => {
      this.child.kill('SIGKILL')
      await this.exited
    })
  }

  /** Resolves when it says that it is ready; rejects with what was printed when it ends before that. */
  whenReady(): Promise<void> {
    return this.whenSays(' ready')
  }

  whenSays(text: string): Promise<void> {
    const ended = this.exited.then(code => {
      throw new Error(`seamark dns ended (${code}):\n${this.output}`)
    })
    const said = new Promise<void>(resolve => {
      const look = () => this.output.includes(text) && resolve()
      for (const stream of [this.child.stdout, this.child.stderr]) stream?.on('data', look)
      look()
    })
    return Promise.race([said, ended])
  }

  /** Asks it to end, and waits for that. Its exit code. */
  stop(): Promise<number | null> {
    this.child.kill('SIGTERM')
    return this.exited
  }
}
