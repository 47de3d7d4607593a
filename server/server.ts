/**
 * The DNS server's sockets: opened, kept and closed as the configuration says. Knows nothing of what is answered.
 *
 *     client → udp/, tcp (tls, https/) → dispatcher (check phase) → responder → the same socket → client
 *
 * Promised: `converge` either reaches the wanted state or leaves the old one; an address that stays keeps its sockets,
 * so nothing is lost on a reload. No failure of a client or of the resolver ends the server.
 */
import { formatAddress, type SocketAddress } from '#lib/address.ts'
import type { Milliseconds } from '#lib/clock.ts'
import { listenError } from '#lib/errors.ts'
import { beforeReading } from '#lib/metrics.ts'
import type { DnsListener, HttpEndpoint, Responder } from '#resolver/listener.ts'
import type { ZoneOwnership } from '#resolver/own-zones.ts'
import { nameData } from '#resolver/wire/rdata.ts'
import { Dispatcher } from './dispatcher.ts'
import { DnsSockets } from './dns-sockets.ts'
import type { ServerEnvironment } from './environment.ts'
import { HttpSockets } from './http-sockets.ts'
import { MainMemo } from './main-memo.ts'
import { memoBudget } from './memo-budget.ts'
import { ServerMetrics } from './metrics.ts'
import { OwnZones } from './own-zones.ts'
import { portsCanBeShared } from './socket-options.ts'
import { startWorkerPool } from './udp/start-worker-pool.ts'
import type { WorkerPool } from './udp/worker-pool.ts'

/** What is open, with the ports that the system chose for 0. */
export interface ServerAddresses {
  /** By the address that was asked for (`127.0.0.1:0`), with the scheme where it is not DNS in the clear (`tls://:853`). */
  readonly dns: ReadonlyMap<string, SocketAddress>
  readonly http: ReadonlyMap<string, SocketAddress>
}

interface Sockets {
  readonly bound: SocketAddress
  open(joins: boolean, predecessors?: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** What one address is wanted for. */
interface Wanted<Part extends Sockets> {
  readonly address: SocketAddress
  readonly flag: string
  readonly make: () => Part
  /** Brings sockets, new or kept, to what the configuration says now. */
  readonly apply: (part: Part) => void
}

type WantedMap<Part extends Sockets> = ReadonlyMap<string, Wanted<Part>>

/** What has to be opened anew when it changes. */
const keyOf = ({ address, scheme = 'dns', identity }: DnsListener): string => {
  if (scheme === 'dns') return formatAddress(address)
  return `${scheme === 'https' && !identity ? 'http' : scheme}://${formatAddress(address)}`
}

const flagOfPath = (path: string | undefined): string => `--${path?.slice(1) ?? 'dns'}-address`

export class Server {
  readonly #environment: ServerEnvironment
  readonly #metrics: ServerMetrics
  readonly #dispatcher: Dispatcher
  readonly #pool: WorkerPool | undefined
  /** Absent: nobody says what ends a reply. */
  readonly #memo: MainMemo | undefined
  #dns = new Map<string, DnsSockets>()
  #http = new Map<string, HttpSockets>()
  /** Sockets that still answer what they have in hand. */
  readonly #leaving = new Map<Promise<void>, SocketAddress>()
  #retiring = false
  /** One change at a time. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(responder: Responder, environment: ServerEnvironment) {
    const { clock, logger, memoryLimit, options, registry } = environment
    this.#environment = environment
    this.#metrics = new ServerMetrics(registry)
    this.#pool = startWorkerPool(environment, this.#metrics)
    const { shared } = environment
    const { main: budget } = memoBudget(options.memo, this.#pool?.size ?? 0, memoryLimit)
    this.#memo = shared && new MainMemo({ ...shared, clock, metrics: this.#metrics, budget })
    if (this.#memo) beforeReading(registry, this.#memo.settleHits)
    this.#dispatcher = new Dispatcher(this.#memoised(responder), {
      clock,
      logger,
      metrics: this.#metrics,
      maxInFlight: options.maxInFlight,
    })
  }

  /** Starts what takes its time, before it is known what is to be opened. Close it, whatever comes. */
  prepare(): void {
    this.#pool?.begin()
  }

  /** Answers from now on; queries that the old one has in hand are still answered by it. */
  set responder(responder: Responder) {
    this.#dispatcher.responder = this.#memoised(responder)
  }

  #memoised(responder: Responder): Responder {
    return this.#memo?.before(responder) ?? responder
  }

  /** Under overload, questions for names in these are taken first. */
  set ownZones(zones: ZoneOwnership) {
    const wire = [...zones].map(([zone, isOwn]) => [nameData.encode(zone).toString('latin1'), isOwn] as const)
    this.#dispatcher.ownZones = new OwnZones(wire)
    if (this.#pool) this.#pool.ownZones = wire
  }

  /**
   * Opens what is new, keeps what stays, closes what went (in the background: queries in hand are answered). Rejects
   * with a SeamarkError that names the address and its flag; then everything is as it was before.
   */
  converge(listeners: readonly DnsListener[], endpoints: readonly HttpEndpoint[]): Promise<void> {
    return this.#inTurn(async () => {
      const dns = this.#wantedDns(listeners)
      const http = this.#wantedHttp(endpoints)
      const newDns = await this.#openNew(dns, this.#dns)
      const newHttp = await this.#openNew(http, this.#http).catch(async error => {
        await newDns.undo()
        throw error
      })
      this.#dns = this.#replace(this.#dns, newDns.opened, dns)
      this.#http = this.#replace(this.#http, newHttp.opened, http)
    })
  }

  /** Resolves when all sockets that were let go are closed. */
  async departed(): Promise<void> {
    await Promise.all(this.#leaving.keys())
  }

  /** How long no query has come, by whatever listener. Milliseconds. */
  readonly quietFor = (): Milliseconds =>
    Math.min(...[this.#dispatcher, this.#pool, this.#memo].map(one => one?.quietFor() ?? Infinity))

  addresses(): ServerAddresses {
    const bound = (all: ReadonlyMap<string, Sockets>) => new Map([...all].map(([key, { bound }]) => [key, bound]))
    return { dns: bound(this.#dns), http: bound(this.#http) }
  }

  /** Goes on as before, but tells clients on connections that these are not to stay (RFC 7828 §3.3.2). */
  retire(): void {
    this.#retiring = true
  }

  /** Accepts no more, answers what is in hand for at most the drain time, closes everything. Idempotent. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      for (const sockets of [...this.#dns.values(), ...this.#http.values()]) this.#letGo(sockets)
      this.#dns = new Map()
      this.#http = new Map()
      await this.departed()
      await this.#pool?.close()
      this.#memo?.settleHits()
    })
  }

  #inTurn<Value>(task: () => Promise<Value>): Promise<Value> {
    const done = this.#turn.then(task)
    this.#turn = done.catch(() => {})
    return done
  }

  #wantedDns(listeners: readonly DnsListener[]): WantedMap<DnsSockets> {
    const { flagOf = flagOfPath, ...environment } = this.#environment
    const isRetiring = () => this.#retiring
    const parts = {
      ...environment,
      metrics: this.#metrics,
      dispatcher: this.#dispatcher,
      isRetiring,
      pool: this.#pool,
      memo: this.#memo,
    }
    return new Map(
      listeners.map(listener => [
        keyOf(listener),
        {
          address: listener.address,
          flag: (listener.scheme ?? 'dns') === 'dns' ? flagOf(undefined) : `${listener.scheme}:// in the Corefile`,
          make: () => new DnsSockets(listener, parts),
          apply: sockets => {
            sockets.listener = listener
          },
        },
      ]),
    )
  }

  #wantedHttp(endpoints: readonly HttpEndpoint[]): WantedMap<HttpSockets> {
    const { flagOf = flagOfPath } = this.#environment
    const byAddress = Map.groupBy(endpoints, ({ address }) => formatAddress(address))
    const wanted = new Map<string, Wanted<HttpSockets>>()
    for (const [key, group] of byAddress) {
      const { address, path } = group[0]!
      wanted.set(key, {
        address,
        flag: flagOf(path),
        make: () => new HttpSockets(address, this.#environment),
        apply: sockets => sockets.serve(group),
      })
    }
    return wanted
  }

  /**
   * Opens what `current` does not have. What goes and has the port of something new (`:53` → `127.0.0.1:53`) hands over
   * to it; where ports cannot be shared it is closed first, and opened again if the new cannot be had.
   */
  async #openNew<Part extends Sockets>(wanted: WantedMap<Part>, current: ReadonlyMap<string, Part>) {
    const missing = [...wanted].filter(([key]) => !current.has(key))
    const inTheWay = [...current]
      .filter(([key, { bound }]) => !wanted.has(key) && missing.some(([, { address }]) => address.port === bound.port))
      .map(([, sockets]) => sockets)
    // Sockets of one port leave one after the other, and before they are opened anew.
    const isLeaving = [...this.#leaving.values()].some(({ port }) =>
      missing.some(([, { address }]) => address.port === port),
    )
    if (inTheWay.length > 0 || isLeaving) await this.departed()
    const predecessors = Map.groupBy(portsCanBeShared ? inTheWay : [], ({ bound }) => bound.port)
    const toReopen = portsCanBeShared ? [] : inTheWay
    await Promise.all(toReopen.map(sockets => sockets.close()))
    const opened = new Map<string, Part>()
    const undo = async () => {
      await Promise.all([...opened.values()].map(sockets => sockets.close()))
      await Promise.all(toReopen.map(sockets => sockets.open(false)))
    }
    for (const [key, { address, flag, make, apply }] of missing) {
      const sockets = make()
      apply(sockets)
      try {
        const before = predecessors.get(address.port)?.map(({ bound }) => bound.host)
        await sockets.open(this.#environment.options.reusePort || before !== undefined, before)
      } catch (error) {
        await undo()
        throw listenError(error, formatAddress(address), flag)
      }
      opened.set(key, sockets)
    }
    return { opened, undo }
  }

  #replace<Part extends Sockets>(
    current: ReadonlyMap<string, Part>,
    opened: ReadonlyMap<string, Part>,
    wanted: WantedMap<Part>,
  ): Map<string, Part> {
    const next = new Map<string, Part>()
    for (const [key, { apply }] of wanted) {
      const sockets = (current.get(key) ?? opened.get(key))!
      apply(sockets)
      next.set(key, sockets)
    }
    for (const [key, sockets] of current) if (!wanted.has(key)) this.#letGo(sockets)
    return next
  }

  #letGo(sockets: Sockets): void {
    const leaving = sockets.close().finally(() => this.#leaving.delete(leaving))
    this.#leaving.set(leaving, sockets.bound)
  }
}
