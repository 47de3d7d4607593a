/**
 * DNS over UDP on node:dgram, the way that works everywhere.
 *
 * Promised: a reply leaves from the address that was asked. node:dgram does not tell the destination of a datagram
 * (no IP_PKTINFO), so all addresses of a family are served by one socket for each address of the machine, which the
 * kernel prefers to the socket on the wildcard. That one stays as the net for addresses that appear: what it receives
 * makes the addresses be read again at once, and is answered from the address that the kernel chooses (which may be
 * another one for this one reply). Not promised: addresses that are local only by a route (127.0.0.2, AnyIP) are always
 * answered that way, and so are addresses beyond `udpMaxAddresses`; name them with `bind`.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import type { Clock, Milliseconds, Timer } from '#lib/clock.ts'
import type { Logger } from '#lib/log.ts'
import type { Endpoint } from '#resolver/query.ts'
import { Arrivals } from '../arrivals.ts'
import { type BindAddress, isWildcard, localAddresses } from '../bind-address.ts'
import type { Dispatcher } from '../dispatcher.ts'
import { InFlight } from '../in-flight.ts'
import type { MainMemo } from '../main-memo.ts'
import type { ServerMetrics } from '../metrics.ts'
import type { ServerOptions } from '../options.ts'
import { PortGroup } from '../port-group.ts'
import { portsCanBeShared } from '../socket-options.ts'
import { checkReceiveBuffer } from './receive-buffer.ts'
import { RetryDetector } from './retries.ts'
import type { WorkerPool } from './worker-pool.ts'

/** Datagrams to the wildcard do not have the addresses read more often than this. Milliseconds. */
const SCAN_PAUSE = 100

/** The wildcard and the addresses under it share a port. Another program finds it taken on TCP. */
const sharedPort = portsCanBeShared ? { reusePort: true } : { reuseAddr: true }

export interface UdpEnvironment {
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: ServerMetrics
  readonly dispatcher: Dispatcher
  readonly options: ServerOptions
  /** Serves UDP in batches; absent: node:dgram does. */
  readonly pool?: WorkerPool | undefined
  /** Finished replies; absent: none are kept. */
  readonly memo?: MainMemo | undefined
  /** The `server` of the listener at this moment. */
  readonly server: () => string
}

/** A socket and how many queries have come to it. */
interface Bound {
  readonly socket: Socket
  readonly group: PortGroup
  arrivals: number
}

interface Datagram {
  readonly bound: Bound
  readonly packet: Buffer
  readonly client: RemoteInfo
  /** Where it was sent to. */
  readonly local: Endpoint
  /** The listener's at that moment. */
  readonly server: string
}

export class UdpListener {
  readonly #environment: UdpEnvironment
  readonly #bind: BindAddress
  readonly #inFlight = new InFlight()
  readonly #retries = new RetryDetector()
  /** By the address that each is bound to. */
  readonly #sockets = new Map<string, Bound>()
  readonly #arrivals = new Arrivals<Datagram>(batch => this.#answer(batch))
  #port = 0
  #joins = false
  #scan: Timer | undefined
  #scanning = false
  #lastScan = Number.NEGATIVE_INFINITY
  #closing: Promise<void> | undefined

  constructor(bind: BindAddress, environment: UdpEnvironment) {
    this.#bind = bind
    this.#environment = environment
  }

  /**
   * Resolves when every address is bound. `joins`: others may have the address already, from which it takes over. Rejects
   * with the system's error, with nothing left open.
   */
  async open(port: number, joins: boolean): Promise<void> {
    this.#port = port
    this.#joins = joins
    await this.#openSocket(this.#bind.address)
    if (isWildcard(this.#bind)) await this.#followAddresses()
  }

  /** Leaves what comes to others, answers what has come, then closes. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#drain()
    return this.#closing
  }

  async #drain(): Promise<void> {
    const { clock, options } = this.#environment
    this.#scan?.cancel()
    const all = [...this.#sockets.values()]
    await Promise.all(all.map(bound => bound.group.leave(() => bound.arrivals)))
    await this.#inFlight.drained(clock, options.drainTimeout)
    // Others may have gone meanwhile, and left something to this one.
    await Promise.all(all.map(bound => bound.group.empty(() => bound.arrivals)))
    await this.#inFlight.drained(clock, options.drainTimeout)
    for (const { socket } of this.#sockets.values()) socket.close()
    this.#sockets.clear()
  }

  #openSocket(address: string): Promise<void> {
    const { family } = this.#bind
    const socket = createSocket({
      type: `udp${family}`,
      ipv6Only: family === 6,
      ...((isWildcard(this.#bind) || portsCanBeShared) && sharedPort),
      // Replies go to addresses: nothing is to be looked up, and not one turn of the loop later.
      lookup: (host, _options, callback) => callback(null, host, family),
    })
    return new Promise((resolve, reject) => {
      socket.once('error', error => {
        socket.close()
        reject(error)
      })
      socket.bind({ address, port: this.#port, exclusive: true }, () => {
        socket.removeAllListeners('error')
        // Closed while the system was at it.
        if (this.#closing) {
          socket.close()
          resolve()
        } else resolve(this.#serve(socket, address))
      })
    })
  }

  async #serve(socket: Socket, address: string): Promise<void> {
    const { logger, server } = this.#environment
    const bound: Bound = { socket, group: new PortGroup(socket, this.#bind.family, this.#environment), arrivals: 0 }
    this.#sockets.set(address, bound)
    this.#sizeBuffer(socket)
    const local = { address, port: this.#port }
    const isNet = isWildcard({ ...this.#bind, address })
    socket.on('error', error => logger.warn({ error, address }, 'UDP socket failed'))
    socket.on('message', (packet, client) => {
      bound.arrivals++
      if (isNet) this.#scanSoon()
      this.#inFlight.add()
      this.#arrivals.add({ bound, packet, client, local, server: server() })
    })
    if (this.#joins) bound.group.join()
  }

  /** What the memo has a reply to is answered at once; the rest goes the way of all queries. */
  #answer(batch: readonly Datagram[]): void {
    const { clock, memo, metrics } = this.#environment
    const begun = clock.monotonic()
    let hits = 0
    this.#countRetries(batch, begun)
    for (const datagram of batch) {
      const { packet, client } = datagram
      // RFC 768: port 0 says that no reply is expected; none can be sent there.
      if (client.port === 0) {
        metrics.drop('udp-port')
        this.#inFlight.remove()
        continue
      }
      const reply = memo?.find(memo.spaceOf('udp', datagram.server, this.#bind.family), packet, client, begun)
      if (!reply) {
        this.#submit(datagram)
        continue
      }
      hits++
      this.#send(datagram, reply)
      this.#inFlight.remove()
    }
    if (hits > 0) memo?.answered(hits, clock.monotonic() - begun)
  }

  /** In a loop of its own, as the workers do. */
  #countRetries(batch: readonly Datagram[], now: Milliseconds): void {
    const weight = this.#retries.weightAfter(batch.length, now)
    let retries = 0
    for (const { packet, client } of batch) if (this.#retries.isRetry(packet, client, now)) retries += weight
    if (retries > 0) this.#environment.metrics.retries.inc(retries)
  }

  #submit(datagram: Datagram): void {
    const { packet, client, local, server } = datagram
    this.#environment.dispatcher.submit(packet, { transport: 'udp', client, local, server }, reply => {
      if (reply) this.#send(datagram, reply)
      this.#inFlight.remove()
    })
  }

  #send({ bound, client, local }: Datagram, reply: Buffer): void {
    // Its address may have gone.
    if (this.#sockets.get(local.address) === bound) bound.socket.send(reply, client.port, client.address, this.#sent)
  }

  readonly #sent = (error: Error | null): void => {
    if (error) this.#environment.metrics.drop('udp-send')
  }

  #sizeBuffer(socket: Socket): void {
    socket.setRecvBufferSize(this.#environment.options.udpReceiveBuffer)
    checkReceiveBuffer(this.#environment, socket.getRecvBufferSize())
  }

  /** Binds addresses that appeared and lets go of those that went; comes again after the interval. */
  async #followAddresses(): Promise<void> {
    const { clock, logger, options } = this.#environment
    if (this.#scanning || this.#closing) return
    this.#scanning = true
    this.#lastScan = clock.monotonic()
    this.#scan?.cancel()
    const present = localAddresses(this.#bind.family)
    for (const [address, { socket }] of this.#sockets) {
      if (present.has(address) || address === this.#bind.address) continue
      this.#sockets.delete(address)
      socket.close()
    }
    for (const address of present) if (!this.#sockets.has(address)) await this.#tryAddress(address)
    if (present.size > options.udpMaxAddresses) {
      logger.debug({ addresses: present.size }, 'more addresses than UDP sockets; the wildcard serves the rest')
    }
    this.#scanning = false
    if (!this.#closing) this.#scan = clock.after(options.addressScanInterval, () => void this.#followAddresses())
  }

  async #tryAddress(address: string): Promise<void> {
    if (this.#sockets.size > this.#environment.options.udpMaxAddresses) return
    try {
      await this.#openSocket(address)
    } catch (error) {
      // Tentative (IPv6 DAD) or already gone; the wildcard answers until the next scan.
      this.#environment.logger.debug({ error, address }, 'address cannot be bound yet')
    }
  }

  #scanSoon(): void {
    if (this.#environment.clock.monotonic() - this.#lastScan >= SCAN_PAUSE) void this.#followAddresses()
  }
}
