/** A large cluster of generated objects, and servers that watch it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Contender, ServiceEntry } from '../contender.ts'
import { RunningServer } from '../running-server.ts'
import { type ClusterSize, LARGE, serviceEntries } from './generated-objects.ts'

const program = fileURLToPath(new URL('./generated-apiserver.process.ts', import.meta.url))

/** Nobody is asked for names of the outside here. */
const NO_UPSTREAM = '127.0.0.1:9'

const kubeconfig = (port: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'generated', cluster: { server: `http://127.0.0.1:${port}` } }],
    users: [{ name: 'nobody', user: {} }],
    contexts: [{ name: 'generated', context: { cluster: 'generated', user: 'nobody' } }],
    'current-context': 'generated',
  })

export class GeneratedCluster {
  readonly services: readonly ServiceEntry[]
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  readonly #folder = mkdtempSync(join(tmpdir(), 'seamark-bench-'))

  static async start(size: Partial<ClusterSize> = {}): Promise<GeneratedCluster> {
    const cluster = new GeneratedCluster({ ...LARGE, ...size })
    writeFileSync(join(cluster.#folder, 'kubeconfig'), kubeconfig(await cluster.#line()))
    return cluster
  }

  private constructor(size: ClusterSize) {
    this.services = serviceEntries(size)
    this.#child = spawn(process.execPath, [program, JSON.stringify(size)], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]()
  }

  /** Resolves when it answers for the service that is listed last; undefined: it cannot run here. */
  async server(contender: Contender): Promise<RunningServer | undefined> {
    const started = await RunningServer.start(contender, {
      services: [this.services.at(-1)!],
      kubeconfig: join(this.#folder, 'kubeconfig'),
      upstream: NO_UPSTREAM,
    })
    return started.ok ? started.value : undefined
  }

  /** All who watch list anew. */
  relist(): void {
    this.#child.stdin!.write('relist\n')
  }

  /** From now on so many EndpointSlices change a second; resolves with how many have changed by now. */
  async churn(rate: number): Promise<number> {
    this.#child.stdin!.write(`churn ${rate}\n`)
    return Number(await this.#line())
  }

  close(): void {
    this.#child.kill('SIGKILL')
    rmSync(this.#folder, { recursive: true })
  }

  async #line(): Promise<string> {
    const { value } = await this.#lines.next()
    if (value === undefined) throw new Error('the generated apiserver has ended')
    return value
  }
}
