/** What cases with servers share: the data set, its apiserver, the upstream, and the servers, each started once. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunningApiserver } from '../test/support/apiserver.ts'
import { makeAuthority, writeCertificate } from '../test/support/certificates.ts'
import { servicesOf, startCluster } from './cluster.ts'
import type { Contender, ServiceEntry } from './contender.ts'
import type { Transport } from './load.ts'
import { type LoadQuestion, writeQuestions } from './load-generator.ts'
import { RunningServer } from './running-server.ts'
import { UpstreamStub } from './upstream.ts'

export class Stage {
  readonly services: readonly ServiceEntry[]
  readonly upstream = new UpstreamStub()
  /** Told what cannot run here or has failed. */
  readonly warn: (text: string) => void
  readonly #folder = mkdtempSync(join(tmpdir(), 'seamark-bench-'))
  readonly #servers = new Map<string, Promise<RunningServer | undefined>>()
  readonly #questions = new Map<string, string>()
  readonly #kept = new Map<string, Promise<{ close(): Promise<void> }>>()
  readonly #sized = new Map<number, Stage>()
  #apiserver: Promise<RunningApiserver> | undefined
  #identity: Promise<{ readonly certificate: string; readonly key: string }> | undefined

  /** `services`: how many there are. `warn` is told what cannot run here, and what has failed. */
  constructor({ services, warn }: { readonly services: number; readonly warn: (text: string) => void }) {
    this.services = servicesOf(services)
    this.warn = warn
  }

  /** The apiserver with the data set. */
  cluster(): Promise<RunningApiserver> {
    this.#apiserver ??= this.upstream.open().then(() => startCluster(this.services.length))
    return this.#apiserver
  }

  /** The server, started before its first measurement; undefined: it cannot run here. `encrypted`: one more, with TLS. */
  server(contender: Contender, { encrypted = false } = {}): Promise<RunningServer | undefined> {
    const key = encrypted ? `${contender.name}, encrypted` : contender.name
    const known = this.#servers.get(key)
    if (known) return known
    const started = this.#start(contender, encrypted)
    this.#servers.set(key, started)
    return started
  }

  /** Another data set, with an apiserver, upstream and servers of its own, for as long as this one. */
  withServices(count: number): Stage {
    if (count === this.services.length) return this
    const stage = this.#sized.get(count) ?? new Stage({ services: count, warn: this.warn })
    this.#sized.set(count, stage)
    return stage
  }

  /** What a case needs in each round: made in the first, closed at the end. */
  keep<Kept extends { close(): Promise<void> }>(name: string, make: () => Promise<Kept>): Promise<Kept> {
    const kept = this.#kept.get(name) ?? make()
    this.#kept.set(name, kept)
    return kept as Promise<Kept>
  }

  /** The file of these questions, written once by its name. */
  questions(
    name: string,
    make: (services: readonly ServiceEntry[]) => readonly LoadQuestion[],
    transport: Transport = 'udp',
  ): string {
    const path = this.#questions.get(name) ?? join(this.#folder, name)
    if (!this.#questions.has(name)) writeQuestions(path, make(this.services), transport)
    this.#questions.set(name, path)
    return path
  }

  async close(): Promise<void> {
    for (const stage of this.#sized.values()) await stage.close()
    for (const started of await Promise.allSettled([...this.#servers.values(), ...this.#kept.values()]))
      if (started.status === 'fulfilled') await started.value?.close()
    const apiserver = await this.#apiserver
    if (apiserver) this.upstream.close()
    await apiserver?.close()
    rmSync(this.#folder, { recursive: true })
  }

  async #start(contender: Contender, encrypted: boolean): Promise<RunningServer | undefined> {
    const { kubeconfig } = await this.cluster()
    this.#identity ??= encrypted ? makeIdentity(this.#folder) : undefined
    const started = await RunningServer.start(contender, {
      services: this.services,
      kubeconfig,
      upstream: this.upstream.address,
      ...(encrypted && { identity: await this.#identity! }),
    })
    if (started.ok) return started.value
    this.warn(`${contender.name} is left out: ${started.problem}`)
    return undefined
  }
}

const makeIdentity = async (folder: string) => {
  const authority = await makeAuthority()
  writeCertificate(folder, await authority.server())
  return { certificate: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
}
