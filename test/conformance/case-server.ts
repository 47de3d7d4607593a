/**
 * Servers for cases: a case's Corefile, the real plugin chain and real sockets on loopback. Only the cluster (views in
 * memory) and the upstream (a table on a loopback port) stand in for the world, and a client's address where the case
 * names one: loopback has no pods.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { readOptions } from '#lib/options.ts'
import type { Configuration } from '#resolver/configuration.ts'
import type { DnsListener, RequestContext, ServedScheme, TlsIdentity } from '#resolver/listener.ts'
import type { Memo } from '#resolver/memo.ts'
import { Answers } from '#server/answers.hot.ts'
import { serverOptions } from '#server/options.ts'
import { Server } from '#server/server.ts'
import { configure, type TestWorld, testWorld } from '../support/dns-environment.ts'
import { PATIENCE } from '../support/dns-server.ts'
import { staticSource } from '../support/static-cluster.ts'
import { type CaseConfig, type ConformanceCase, configOf, objectsOf } from './cases.ts'
import { corefileOf } from './corefile.ts'
import { startUpstream, type UpstreamStub } from './upstream-stub.ts'

/** RFC 5737: nobody's address. */
const STRANGER = '198.51.100.9'

export class CaseServer {
  readonly configuration: Configuration
  /** On 127.0.0.1; `dns` is UDP and TCP. */
  readonly ports: Readonly<Record<ServedScheme, number>>
  readonly #server: Server
  readonly #answers: Answers
  readonly #clock: Clock

  constructor(configuration: Configuration, server: Server, world: TestWorld) {
    this.configuration = configuration
    this.#server = server
    this.#clock = world.clock
    this.#answers = new Answers(world.board.shared, 1024 * 1024)
    const bound = server.addresses().dns
    const portOf = (scheme: string) => bound.get(`${scheme}127.0.0.1:0`)!.port
    this.ports = { dns: portOf(''), tls: portOf('tls://'), https: portOf('https://') }
  }

  /** What a UDP worker says by itself, after it has seen the reply to the same packet; undefined: it asks again. */
  async askMemo(packet: Buffer, context: RequestContext): Promise<Buffer | undefined> {
    const memos: Memo[] = []
    const reply = await this.configuration.responder(packet, { ...context, memoise: memo => memos.push(memo) })
    const [memo] = memos
    if (reply && memo) this.#answers.keep(0, packet, { ...memo, reply, profile: 0 })
    const output = Buffer.alloc(4096)
    const length = this.#answers.find(0, packet, 0, packet.length, output, 0, this.#clock.monotonic())
    return length === 0 ? undefined : output.subarray(0, length)
  }

  /** What the server tells the resolver of a request of the case. */
  context({ config, client, transport }: CaseContext): RequestContext {
    const { server } = this.configuration.listeners[0]!
    const local = { address: config.localIPs[0] ?? '192.0.2.53', port: 53 }
    return { transport, client: { address: client, port: 40_000 }, local, server }
  }

  async close(): Promise<void> {
    await this.#server.close()
    await this.configuration.close()
  }
}

interface CaseContext {
  readonly config: CaseConfig
  readonly client: string
  readonly transport: RequestContext['transport']
}

export const clientOf = ({ from_pod_ip }: ConformanceCase): string => from_pod_ip ?? STRANGER

/** Cases with the same settings, objects and client share a server. */
export class CaseServers {
  readonly #servers = new Map<string, Promise<CaseServer>>()
  /** By what they answer. */
  readonly #upstreams = new Map<string, Promise<UpstreamStub>>()
  readonly #folder = mkdtempSync(join(tmpdir(), 'seamark-test-'))
  readonly #identity: TlsIdentity

  /** `identity`: of the listeners of DNS over TLS and over HTTPS. */
  constructor(identity: TlsIdentity) {
    this.#identity = identity
  }

  of(conformanceCase: ConformanceCase): Promise<CaseServer> {
    const key = JSON.stringify([configOf(conformanceCase), conformanceCase.objects, clientOf(conformanceCase)])
    let server = this.#servers.get(key)
    if (!server) this.#servers.set(key, (server = this.#start(conformanceCase)))
    return server
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#servers.values()].map(async server => (await server).close()))
    await Promise.allSettled([...this.#upstreams.values()].map(async upstream => (await upstream).close()))
    rmSync(this.#folder, { recursive: true })
  }

  async #start(conformanceCase: ConformanceCase): Promise<CaseServer> {
    const config = configOf(conformanceCase)
    const upstream = await this.#upstream(config)
    const world = testWorld({
      cluster: staticSource(objectsOf(conformanceCase), config.synced),
      localAddresses: () => config.localIPs,
      resolvConf: this.#resolvConf(config),
      overrides: { 'dns-address': '127.0.0.1:0' },
      ...(config.chaos && { hostname: config.chaos.hostname }),
    })
    const configuration = configure(corefileOf(config, upstream?.address ?? ''), world)
    await configuration.start(AbortSignal.timeout(60_000))
    const { responder, listeners } = configuration
    const client = { address: clientOf(conformanceCase), port: 40_000 }
    const options = readOptions(serverOptions, PATIENCE)
    if (!options.ok) throw new Error(options.problem)
    const server = new Server((packet, context) => responder(packet, { ...context, client }), {
      clock: systemClock,
      logger: silentLogger,
      registry: createRegistry(),
      options: options.value,
    })
    await server.converge(this.#onAllTransports(listeners[0]!), [])
    return new CaseServer(configuration, server, world)
  }

  /** The same blocks answer, whatever is spoken. */
  #onAllTransports(listener: DnsListener): DnsListener[] {
    const schemes = ['dns', 'tls', 'https'] as const
    return schemes.map(scheme => ({ ...listener, scheme, ...(scheme !== 'dns' && { identity: this.#identity }) }))
  }

  #upstream({ upstream }: CaseConfig): Promise<UpstreamStub> | undefined {
    if (!upstream) return undefined
    const key = JSON.stringify(upstream)
    let stub = this.#upstreams.get(key)
    if (!stub) this.#upstreams.set(key, (stub = startUpstream(upstream)))
    return stub
  }

  /** The node's resolv.conf, as far as cases name it. */
  #resolvConf({ hostSearch }: CaseConfig): string {
    const path = join(this.#folder, hostSearch.join('-') || 'none')
    writeFileSync(path, hostSearch.length > 0 ? `search ${hostSearch.join(' ')}\n` : '')
    return path
  }
}
