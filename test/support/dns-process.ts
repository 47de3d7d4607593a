/** `seamark dns` as people start it, for tests that need a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
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

/** Below those that the system gives to sockets that ask for any (ip_local_port_range). */
const firstPort = 12_000
const lastPort = 32_000

/** Ports that nobody has at this moment, nor soon by chance: for programs that must agree on one. */
export const freePorts = async (count: number): Promise<readonly number[]> => {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort))
    if (await isFree(port)) ports.add(port)
  }
  return [...ports]
}

const isFree = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, () => server.close(() => resolve(true)))
  })
