/**
 * Servers for cases: a case's Corefile, the real plugin chain and real sockets on loopback. Only the cluster (views in
 * memory) and the upstream (a table on a loopback port) stand in for the world, and a client's address where the case
 * names one: loopback has no pods.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { readOptions } from '#lib/options.ts'
import type { Configuration } from '#resolver/configuration.ts'
import type { RequestContext } from '#resolver/listener.ts'
import { serverOptions } from '#server/options.ts'
import { Server } from '#server/server.ts'
import { configure, testWorld } from '../support/dns-environment.ts'
import { staticSource } from '../support/static-cluster.ts'
import { type CaseConfig, type ConformanceCase, configOf, objectsOf } from './cases.ts'
import { corefileOf } from './corefile.ts'
import { startUpstream, type UpstreamStub } from './upstream-stub.ts'

/** RFC 5737: nobody's address. */
const STRANGER = '198.51.100.9'

export class CaseServer {
  readonly configuration: Configuration
  /** UDP and TCP, on 127.0.0.1. */
  readonly port: number
  readonly #server: Server

  constructor(configuration: Configuration, server: Server) {
    this.configuration = configuration
    this.#server = server
    this.port = [...server.addresses().dns.values()][0]!.port
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
    await configuration.start(AbortSignal.timeout(10_000))
    const { responder, listeners } = configuration
    const client = { address: clientOf(conformanceCase), port: 40_000 }
    const options = readOptions(serverOptions)
    if (!options.ok) throw new Error(options.problem)
    const server = new Server((packet, context) => responder(packet, { ...context, client }), {
      clock: systemClock,
      logger: silentLogger,
      registry: createRegistry(),
      options: options.value,
    })
    await server.converge(listeners.slice(0, 1), [])
    return new CaseServer(configuration, server)
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
