/**
 * The UDP workers of the program: threads that share the sockets of all listeners. The sockets of one that is given up go
 * to another one; when there is none, their users are told.
 */
import type { Milliseconds } from '#lib/clock.ts'
import { Recurrence } from '#lib/recurrence.ts'
import { EVERYTHING, type Memo } from '#resolver/memo.ts'
import { HitProfiles } from '../hit-profiles.ts'
import type { WireZones } from '../own-zones.ts'
import type { WorkerSocket } from './batch-messages.ts'
import { Count, NO_SPACE } from './control-block.ts'
import type { SocketUser } from './socket-user.ts'
import { UdpWorkerThread, type WorkerThreadOptions } from './worker-thread.ts'

export interface WorkerPoolOptions extends WorkerThreadOptions {
  readonly workers: number
  /** A worker was given up; `left`: how many there still are. */
  readonly givenUp: (error: Error, left: number) => void
}

/** Nobody looks at `/top` more often; and long before a counter of 32 bits has come round. */
const SETTLE_INTERVAL: Milliseconds = 1000

export class WorkerPool {
  readonly #options: WorkerPoolOptions
  readonly #workers: UdpWorkerThread[] = []
  readonly #profiles: HitProfiles
  /** Who serves each socket. */
  readonly #homes = new Map<number, UdpWorkerThread>()
  /** Those who are not asked before they are read (`/top`) are not far behind. */
  readonly #settling: Recurrence
  #lastReceived = -1
  #lastChange = 0
  #ownZones: WireZones = []
  #nextId = 1
  #spaces = 0
  readonly #freeSpaces: number[] = []

  constructor(options: WorkerPoolOptions) {
    this.#options = options
    this.#profiles = new HitProfiles(() => {
      // Whoever is listened to by a number that is given anew must not be counted by it any more.
      options.board.changed(EVERYTHING)
      this.settleHits()
    })
    const settle = async () => this.settleHits()
    this.#settling = new Recurrence({ clock: options.clock, interval: SETTLE_INTERVAL, task: settle })
    this.#settling.begin()
  }

  get size(): number {
    return this.#options.workers
  }

  set ownZones(zones: WireZones) {
    this.#ownZones = zones
    for (const worker of this.#workers) worker.ownZones = zones
  }

  /** Why no worker can live; undefined: there are some. */
  get problem(): Error | undefined {
    return this.#workers.length > 0 && this.#workers.every(({ givenUp }) => givenUp)
      ? this.#workers.at(-1)?.givenUp
      : undefined
  }

  /** Starts the threads, so that they are there when the first socket is. */
  begin(): void {
    while (this.#workers.length < this.size) {
      const lost = (worker: UdpWorkerThread, error: Error) => this.#giveUp(worker, error)
      const worker = new UdpWorkerThread(this.#workers.length, this.#options, this.#profiles, lost)
      worker.ownZones = this.#ownZones
      this.#workers.push(worker)
    }
  }

  /** A number for a listener, by which the replies that are asked for there are kept. */
  newSpace(): number {
    return this.#freeSpaces.pop() ?? (this.#spaces < NO_SPACE ? this.#spaces++ : NO_SPACE)
  }

  /** What was kept by it is not given any more. */
  freeSpace(space: number): void {
    this.#options.board.changed(EVERYTHING)
    if (space !== NO_SPACE) this.#freeSpaces.push(space)
  }

  /** Datagrams that have come for the listener with this number. */
  arrivals(space: number): number {
    return this.#workers.reduce((sum, worker) => sum + worker.arrivals(space), 0)
  }

  /** Of all workers, also those that died. */
  total(count: Count): number {
    return this.#workers.reduce((sum, worker) => sum + worker.total(count), 0)
  }

  /** How long no query has come to the workers, as far as can be told by looking now and then. */
  quietFor(): Milliseconds {
    const now = this.#options.clock.monotonic()
    const received = this.total(Count.received)
    if (received !== this.#lastReceived) this.#lastChange = now
    this.#lastReceived = received
    return now - this.#lastChange
  }

  /** Has worker `index` (below `size`) serve the socket; `leave` with the number that comes back. */
  serve(index: number, socket: Omit<WorkerSocket, 'id'>, user: SocketUser): number {
    this.begin()
    const id = this.#nextId++
    const wanted = this.#workers[index]!
    const worker = wanted.givenUp ? (this.#living() ?? wanted) : wanted
    this.#homes.set(id, worker)
    worker.serve({ socket: { ...socket, id }, user })
    return id
  }

  leave(id: number): void {
    const worker = this.#homes.get(id)
    this.#homes.delete(id)
    worker?.leave(id)
  }

  /** Has the worker give the reply again while it is right. */
  keep(index: number, space: number, question: Buffer, reply: Buffer, { hits, ...memo }: Memo): void {
    if (space === NO_SPACE) return
    const profile = this.#profiles.of(hits)
    // Copies of their own: a Buffer is mostly a part of something larger, all of which a message would carry.
    const [ownQuestion, ownReply] = [new Uint8Array(question), new Uint8Array(reply)]
    const kept = { ...memo, reply: ownReply, profile }
    this.#workers[index]?.tell({ type: 'keep', space, question: ownQuestion, kept }, [
      ownQuestion.buffer,
      ownReply.buffer,
    ])
  }

  /** Tells those who count of all replies that the workers have given. */
  settleHits(): void {
    for (const worker of this.#workers) worker.settleHits()
  }

  /** The turn of a miss of this worker has come in the main thread. */
  answered(index: number): void {
    this.#workers[index]?.answered()
  }

  /** All sockets must have been left. Idempotent. */
  async close(): Promise<void> {
    this.#settling.end()
    this.settleHits()
    await Promise.all(this.#workers.splice(0).map(worker => worker.close()))
  }

  #living(): UdpWorkerThread | undefined {
    return this.#workers.find(({ givenUp }) => !givenUp)
  }

  /** Its sockets go to another one. */
  #giveUp(worker: UdpWorkerThread, error: Error): void {
    const { givenUp, persistent } = this.#options
    const heir = persistent ? undefined : this.#living()
    givenUp(error, this.#workers.filter(one => !one.givenUp).length)
    if (!heir) {
      for (const one of this.#workers) if (one.isHopeless) one.tellFailed(error)
      return
    }
    for (const served of worker.release()) {
      this.#homes.set(served.socket.id, heir)
      heir.serve(served)
    }
  }
}
