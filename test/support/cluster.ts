/** A whole cluster for a test: `seamark up` as people start it, on free ports and a fresh directory. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { temporaryFolder } from './temporary-folder.ts'

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url))
export const seamark = join(projectRoot, 'bin', 'seamark')

/** No forwarding: a test's question must not leave the machine. Lameduck is short: a test's Ctrl-C is awaited. */
export const TEST_COREFILE = `. {
    errors
    health
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods insecure
    }
    prometheus
    cache 30
    reload 2s 1s
    loadbalance
}
`

const ANY_PORT = ['apiserver', 'dns', 'metrics', 'health', 'ready', 'admin'].flatMap(part => [
  `--${part}-address`,
  '127.0.0.1:0',
])

export interface Outcome {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class Cluster {
  readonly folder: string
  readonly child: ChildProcess
  /** All that it printed so far. */
  output = ''
  readonly exited: Promise<Outcome>

  constructor(folder: string, args: readonly string[], { command = seamark, ownGroup = false } = {}) {
    this.folder = folder
    this.child = spawn(command, ['up', '--data-dir', folder, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: ownGroup,
      env: { ...process.env, NODE_OPTIONS: '' },
    })
    this.child.stdout?.on('data', chunk => (this.output += chunk))
    this.child.stderr?.on('data', chunk => (this.output += chunk))
    this.exited = new Promise(resolve => this.child.once('exit', (code, signal) => resolve({ code, signal })))
  }

  /** Resolves when the page stands; rejects with what was printed when the program ends before that. */
  async whenUp(): Promise<void> {
    const ended = this.exited.then(outcome => {
      throw new Error(`seamark up ended (${JSON.stringify(outcome)}):\n${this.output}`)
    })
    const page = new Promise<void>(resolve => {
      const look = () => this.output.includes('Ctrl-C stops everything') && resolve()
      this.child.stdout?.on('data', look)
      look()
    })
    await Promise.race([page, ended])
  }

  get addresses(): Readonly<Record<string, string>> {
    return JSON.parse(readFileSync(join(this.folder, 'cluster.json'), 'utf8')).addresses
  }

  get dnsPort(): number {
    return Number(this.addresses.dns?.split(':').at(-1))
  }

  get kubeconfig(): string {
    return join(this.folder, 'admin.kubeconfig')
  }

  log(part: 'control-plane' | 'dns'): string {
    return readFileSync(join(this.folder, 'logs', `${part}.log`), 'utf8')
  }

  /** Ctrl-C at a terminal: the whole process group gets it. Only with `ownGroup`. */
  interruptGroup(): Promise<Outcome> {
    process.kill(-(this.child.pid as number), 'SIGINT')
    return this.exited
  }

  /** An interrupt of `seamark up` alone, awaited. */
  stop(): Promise<Outcome> {
    this.child.kill('SIGINT')
    return this.exited
  }
}

/** Starts a cluster and waits until it is up; it ends with the test. */
export const startCluster = async (
  t: ExecutionContext,
  {
    folder = join(temporaryFolder(t), 'data'),
    corefile = TEST_COREFILE,
    args = [] as readonly string[],
    ownGroup = false,
  } = {},
): Promise<Cluster> => {
  const cluster = spawnCluster(t, { folder, corefile, args, ownGroup })
  await cluster.whenUp()
  return cluster
}

/** The same without waiting: for starts that are meant to fail. */
export const spawnCluster = (
  t: ExecutionContext,
  {
    folder = join(temporaryFolder(t), 'data'),
    corefile = TEST_COREFILE,
    args = [] as readonly string[],
    ownGroup = false,
  } = {},
): Cluster => {
  const conf = join(temporaryFolder(t), 'Corefile')
  writeFileSync(conf, corefile)
  const cluster = new Cluster(folder, [...ANY_PORT, '--conf', conf, ...args], { ownGroup })
  t.teardown(async () => {
    await cluster.stop()
  })
  return cluster
}
