/** What cases with servers share: the data set, its apiserver, the upstream, and the servers, each started once. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunningApiserver } from '../test/support/apiserver.ts'
import { servicesOf, startCluster } from './cluster.ts'
import type { Contender, ServiceEntry } from './contender.ts'
import { type LoadQuestion, writeQuestions } from './load-generator.ts'
import { RunningServer } from './running-server.ts'
import { UpstreamStub } from './upstream.ts'

export class Stage {
  readonly services: readonly ServiceEntry[]
  readonly upstream = new UpstreamStub()
  readonly #warn: (text: string) => void
  readonly #folder = mkdtempSync(join(tmpdir(), 'seamark-bench-'))
  readonly #servers = new Map<string, Promise<RunningServer | undefined>>()
  readonly #questions = new Map<string, string>()
  #apiserver: Promise<RunningApiserver> | undefined

  /** `services`: how many there are. `warn` is told what cannot run here, once each. */
  constructor({ services, warn }: { readonly services: number; readonly warn: (text: string) => void }) {
    this.services = servicesOf(services)
    this.#warn = warn
  }

  /** The apiserver with the data set. */
  cluster(): Promise<RunningApiserver> {
    this.#apiserver ??= this.upstream.open().then(() => startCluster(this.services.length))
    return this.#apiserver
  }

  /** The server, started before its first measurement; undefined: it cannot run here. */
  server(contender: Contender): Promise<RunningServer | undefined> {
    const known = this.#servers.get(contender.name)
    if (known) return known
    const started = this.#start(contender)
    this.#servers.set(contender.name, started)
    return started
  }

  /** The file of these questions, written once by its name. */
  questions(name: string, make: (services: readonly ServiceEntry[]) => readonly LoadQuestion[]): string {
    const path = this.#questions.get(name) ?? join(this.#folder, name)
    if (!this.#questions.has(name)) writeQuestions(path, make(this.services))
    this.#questions.set(name, path)
    return path
  }

  async close(): Promise<void> {
    for (const server of await Promise.all(this.#servers.values())) await server?.close()
    const apiserver = await this.#apiserver
    if (apiserver) this.upstream.close()
    await apiserver?.close()
    rmSync(this.#folder, { recursive: true })
  }

  async #start(contender: Contender): Promise<RunningServer | undefined> {
    const { kubeconfig } = await this.cluster()
    const started = await RunningServer.start(contender, {
      services: this.services,
      kubeconfig,
      upstream: this.upstream.address,
    })
    if (started.ok) return started.value
    this.#warn(`${contender.name} is left out: ${started.problem}`)
    return undefined
  }
}
