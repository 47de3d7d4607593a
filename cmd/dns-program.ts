/** The DNS server as one component: what the Corefile says, behind the server's sockets. */
import { formatAddress } from '#lib/address.ts'
import { ChangeBoard } from '#lib/change-board.ts'
import { type Milliseconds, sleep, systemClock } from '#lib/clock.ts'
import { InputLedger } from '#lib/input-ledger.ts'
import type { Component } from '#lib/lifecycle.ts'
import type { Logger } from '#lib/log.ts'
import { MemoryKeeper } from '#lib/memory-keeper.ts'
import { memoryLimit } from '#lib/memory-limit.ts'
import type { Registry } from '#lib/metrics.ts'
import { systemRandom } from '#lib/random.ts'
import type { DnsListener } from '#resolver/listener.ts'
import { EVERYTHING } from '#resolver/memo.ts'
import type { Plugin } from '#resolver/plugin.ts'
import { LiveConfiguration, type LiveState, type ReloadOutcome } from '#resolver/reload.ts'
import { newCookieSecret, ServerCookies } from '#resolver/wire/cookie.ts'
import { connectedDatagrams } from '#server/connected-datagrams.ts'
import type { SharedState } from '#server/environment.ts'
import type { ServerOptions } from '#server/options.ts'
import { isListenedOn } from '#server/port-group.ts'
import { Server } from '#server/server.ts'
import type { EarlyThreads } from '#server/udp/early-threads.ts'
import { badCorefile, type CorefileWorld, readCorefile } from './corefile.ts'
import { boundHeapGrowth, processMemory } from './process-memory.ts'
import { reachableAddress } from './reachable-address.ts'

/** CoreDNS's startup_timeout: so long the start waits for the cluster's first list. */
const READY_DEADLINE: Milliseconds = 5000
/** So long those who asked in vain before the sockets were open have, to ask again and be answered, before the apiserver is asked. */
const HEAD_START: Milliseconds = 50
/** How often one that is not ready looks whether another one still answers. */
const ELDER_POLL: Milliseconds = 100
/** How often plugins are asked whether they are ready. */
const READY_POLL: Milliseconds = 10

export interface DnsProgramOptions {
  readonly corefile: string
  readonly overrides: Readonly<Record<string, string | undefined>>
  readonly stateFolder: string | undefined
  readonly server: ServerOptions
  /** Threads of UDP workers that were started already. */
  readonly early: EarlyThreads
  readonly logger: Logger
  readonly registry: Registry
  /** Takes a line for standard output. */
  readonly print: NonNullable<CorefileWorld['print']>
  /** Told of every reply. */
  readonly observer: NonNullable<CorefileWorld['observer']>
}

export class DnsProgram implements Component {
  readonly name = 'dns'
  readonly #server: Server
  readonly #live: LiveConfiguration
  readonly #memory: MemoryKeeper
  /** Told to stop. */
  readonly #stop = new AbortController()

  constructor(options: DnsProgramOptions) {
    const { corefile, overrides, stateFolder, server, early, logger, registry, observer, print } = options
    const cookies = new ServerCookies({ clock: systemClock, secret: newCookieSecret(systemRandom) })
    const answering = Promise.withResolvers<void>()
    // One that hands over to this one answers meanwhile, until all is known here.
    if (server.reusePort) answering.resolve()
    const shared: SharedState = { board: new ChangeBoard(), inputs: new InputLedger(), cookies }
    this.#live = new LiveConfiguration({
      load: requestReload =>
        readCorefile(corefile, {
          ...shared,
          ...{ logger, registry, overrides, stateFolder, observer, print, requestReload },
          answering: answering.promise,
          datagrams: server.udp === 'dgram' ? undefined : connectedDatagrams,
        }),
      converge: async (listeners, endpoints, plugins) => {
        if (server.reusePort && !this.#live.configuration) {
          await this.#server.converge([], endpoints)
          await this.#awaitTurn(listeners, plugins)
        }
        if (!this.#stop.signal.aborted) await this.#server.converge(listeners, endpoints)
        systemClock.after(HEAD_START, answering.resolve)
      },
      switched: () => {
        shared.board.changed(EVERYTHING)
        this.#server.ownZones = this.#live.configuration!.ownZones
      },
      departed: () => this.#server.departed(),
      clock: systemClock,
      logger: logger.child({ room: 'resolver' }),
      registry,
    })
    const limit = memoryLimit()
    this.#server = new Server(this.#live.respond, {
      clock: systemClock,
      logger: logger.child({ room: 'server' }),
      registry,
      options: server,
      shared,
      early,
      memoryLimit: limit,
    })
    this.#memory = new MemoryKeeper({ clock: systemClock, registry, memory: processMemory(), limit })
  }

  async start(): Promise<void> {
    boundHeapGrowth()
    this.#server.prepare()
    const outcome = await this.#live.start()
    if (outcome.outcome === 'refused') throw badCorefile(outcome.problems)
    if (outcome.outcome === 'failed') throw outcome.error
    this.#memory.begin()
  }

  /**
   * Resolves when every plugin can do its work (the first list of the cluster is in), or after five seconds: DNS is served
   * since `start`, whatever the apiserver does; this is for those who announce it.
   */
  async whenReady(signal: AbortSignal): Promise<void> {
    await untilReady(this.#live.configuration?.plugins ?? [], signal)
  }

  /** Clients are not taken from one who answers before all is known here, however long that takes. */
  async #awaitTurn(listeners: readonly DnsListener[], plugins: readonly Plugin[]): Promise<void> {
    const { signal } = this.#stop
    await untilReady(plugins, signal)
    const isServed = () => listeners.some(({ address }) => isListenedOn(address.port))
    while (!areReady(plugins) && !signal.aborted && isServed()) await sleep(systemClock, ELDER_POLL, signal)
  }

  /** Reads the Corefile again; what is wrong with it is logged, and the old one stays. */
  reload(): Promise<ReloadOutcome> {
    return this.#live.reload()
  }

  /** What answers now, and how it came to be. */
  get state(): LiveState {
    return this.#live.state
  }

  /** What is bound, by the part that it serves. */
  addresses(): Readonly<Record<string, string>> {
    const { dns, http } = this.#server.addresses()
    const bound: Record<string, string> = {}
    for (const [key, socket] of dns) {
      const [scheme] = /^[a-z]+(?=:\/\/)/.exec(key) ?? ['dns']
      bound[scheme] ??= formatAddress(reachableAddress(socket))
    }
    for (const { address, path } of this.#live.configuration?.endpoints ?? []) {
      const socket = http.get(formatAddress(address))
      if (socket) bound[path.slice(1)] = formatAddress(reachableAddress(socket))
    }
    return bound
  }

  /** Lame duck first: health still answers, and so does DNS, while clients go elsewhere. */
  async close(): Promise<void> {
    this.#stop.abort()
    this.#memory.end()
    this.#server.retire()
    await this.#live.drain(this.#server)
    await this.#server.close()
    await this.#live.close()
  }
}

const areReady = (plugins: readonly Plugin[]): boolean => plugins.every(plugin => plugin.ready?.() ?? true)

const untilReady = async (plugins: readonly Plugin[], signal: AbortSignal): Promise<void> => {
  const end = systemClock.monotonic() + READY_DEADLINE
  while (!areReady(plugins) && !signal.aborted && systemClock.monotonic() < end)
    await sleep(systemClock, READY_POLL, signal)
}
