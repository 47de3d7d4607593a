/**
 * DNS over UDP in batches, by worker threads with sockets of their own: what Linux is quickest at. The main thread opens
 * and closes the sockets, answers what the workers have no reply to, and tells them what they may keep.
 *
 * Promised: a reply leaves from the address that was asked (IP_PKTINFO on a wildcard). What waits at a socket when it is
 * closed is answered first.
 */
import type { RequestContext } from '#resolver/listener.ts'
import type { Memo } from '#resolver/memo.ts'
import { type BindAddress, isWildcard } from '../bind-address.ts'
import { InFlight } from '../in-flight.ts'
import { PortGroup } from '../port-group.ts'
import { type DatagramSocket, openDatagramSocket, systemCalls } from '../system-calls.ts'
import { NO_SPACE } from './control-block.ts'
import type { UdpEnvironment } from './dgram.ts'
import type { MissRecord } from './miss-records.ts'
import { checkReceiveBuffer } from './receive-buffer.ts'
import { ReplySender } from './reply-sender.ts'
import { datagramAddress, destinationOf, endpointOf } from './socket-name.ts'
import type { WorkerPool } from './worker-pool.ts'

interface OpenSocket extends DatagramSocket {
  /** In the pool. */
  readonly id: number
}

/** Milliseconds that a worker with this socket alone waits in one call, and does not look at its mail. */
const RECEIVE_TIMEOUT = 20

export class BatchListener {
  readonly #bind: BindAddress
  readonly #environment: UdpEnvironment
  readonly #pool: WorkerPool
  readonly #sender: ReplySender
  readonly #inFlight = new InFlight()
  /** One for each worker, in their order. */
  #sockets: OpenSocket[] = []
  #space = NO_SPACE
  #group: PortGroup | undefined
  #unleft = 0
  #whenLeft: (() => void) | undefined
  #closing: Promise<void> | undefined
  readonly #failed: () => void
  /** The descriptors are the system's again, which gives their numbers to whatever is opened next; so is the space the pool's. */
  #closed = false

  /** `failed` is called when it was open and no worker is left to serve it: then it is to be closed. */
  constructor(bind: BindAddress, environment: UdpEnvironment, pool: WorkerPool, failed: () => void) {
    this.#bind = bind
    this.#environment = environment
    this.#pool = pool
    this.#failed = failed
    this.#sender = new ReplySender(() => environment.metrics.drop('udp-send'))
  }

  /**
   * Resolves when it is bound. `joins`: others may have the address already, from which it takes over. Rejects with the
   * system's error, with nothing left open.
   */
  async open(port: number, joins: boolean): Promise<void> {
    const opened: DatagramSocket[] = []
    try {
      for (let worker = 0; worker < this.#pool.size; worker++) opened.push(this.#openSocket(opened[0]?.port ?? port))
    } catch (error) {
      for (const { fd } of opened) systemCalls().close(fd)
      throw error
    }
    this.#space = this.#pool.newSpace()
    this.#unleft = opened.length
    try {
      await this.#serveAll(opened)
    } catch (error) {
      await this.close()
      throw error
    }
    const descriptors = opened.map(({ fd }) => fd)
    this.#group = new PortGroup(descriptors, this.#bind.family, this.#environment)
    if (joins) this.#group.join()
  }

  /** Leaves what comes to others, answers what has come, then closes. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#drain()
    return this.#closing
  }

  async #drain(): Promise<void> {
    const { clock, options } = this.#environment
    await this.#group?.leave(() => this.#pool.arrivals(this.#space))
    await this.#inFlight.drained(clock, options.drainTimeout)
    await this.#leaveWorkers()
    await this.#inFlight.drained(clock, options.drainTimeout)
    // The last may wait for the end of this turn.
    this.#sender.flush()
    this.#closed = true
    for (const { fd } of this.#sockets.splice(0)) systemCalls().close(fd)
    this.#pool.freeSpace(this.#space)
  }

  /** Resolves when all workers have answered what waited, and will not touch the sockets again. */
  async #leaveWorkers(): Promise<void> {
    if (this.#unleft === 0) return
    const left = new Promise<void>(resolve => {
      this.#whenLeft = resolve
    })
    for (const { id } of this.#sockets) this.#pool.leave(id)
    await left
  }

  #openSocket(port: number): DatagramSocket {
    const { options } = this.#environment
    const socket = openDatagramSocket(datagramAddress(this.#bind, port), {
      reusePort: true,
      packetInfo: isWildcard(this.#bind),
      receiveBuffer: options.udpReceiveBuffer,
      receiveTimeout: RECEIVE_TIMEOUT,
    })
    checkReceiveBuffer(this.#environment, socket.receiveBuffer)
    return socket
  }

  /** Resolves when all workers have begun. Rejects where they cannot. */
  async #serveAll(opened: readonly DatagramSocket[]): Promise<void> {
    const begun = opened.map(() => Promise.withResolvers<void>())
    this.#sockets = opened.map((socket, worker) => ({ ...socket, id: this.#serve(worker, socket, begun[worker]!) }))
    await Promise.all(begun.map(({ promise }) => promise))
  }

  #serve(worker: number, socket: DatagramSocket, begun: PromiseWithResolvers<void>): number {
    return this.#pool.serve(
      worker,
      { fd: socket.fd, space: this.#space },
      {
        missed: (miss, by) => this.#receive(miss, by, socket),
        serving: begun.resolve,
        failed: error => {
          begun.reject(error)
          if (this.#group) this.#failed()
        },
        left: () => {
          if (--this.#unleft === 0) this.#whenLeft?.()
        },
      },
    )
  }

  #receive(miss: MissRecord, worker: number, { fd, port }: DatagramSocket): void {
    const { dispatcher, server } = this.#environment
    const { records, name, control, controlEnd, packet } = miss
    const space = this.#space
    let memo: Memo | undefined
    const memoise = (kept: Memo): void => {
      memo = kept
    }
    const address = controlEnd > control ? destinationOf(records, control, controlEnd) : this.#bind.address
    const context: RequestContext = {
      transport: 'udp',
      client: endpointOf(records, name, control),
      local: { address, port },
      server: server(),
      memoise,
    }
    this.#inFlight.add()
    const deliver = (reply: Buffer | undefined): void => {
      if (reply && !this.#closed) {
        this.#send(fd, miss, reply)
        if (memo) this.#pool.keep(worker, space, packet, reply, memo)
      }
      this.#inFlight.remove()
    }
    // Those that wait for an upstream must not keep the worker from handing over others (`forward` bounds them).
    dispatcher.submit(packet, context, deliver, () => this.#pool.answered(worker))
  }

  /** With the others that are ready in the same turn of the loop. */
  #send(fd: number, miss: MissRecord, reply: Buffer): void {
    const isFirst = this.#sender.isEmpty
    this.#sender.add(fd, miss, reply)
    if (isFirst) this.#environment.dispatcher.whenAnswered(this.#flush)
  }

  readonly #flush = (): void => this.#sender.flush()
}
