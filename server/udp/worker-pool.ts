/**
 * The UDP workers of the program: threads that are started with the first socket and share all of them. A worker that
 * dies is replaced, and its sockets, which are still open, go to the new one.
 */
import { Worker } from 'node:worker_threads'
import type { ChangeBoard } from '#lib/change-board.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { InputLedger } from '#lib/input-ledger.ts'
import type { Logger } from '#lib/log.ts'
import { Recurrence } from '#lib/recurrence.ts'
import { siblingModule } from '#lib/worker.ts'
import { EVERYTHING, type HitListener, type Memo } from '#resolver/memo.ts'
import type { ServerCookies } from '#resolver/wire/cookie.ts'
import type { FromWorker, ToWorker, WorkerSettings, WorkerSocket } from './batch-messages.ts'
import { ControlBlock, Count, NO_SPACE, PROFILES, Word } from './control-block.ts'
import { type MissRecord, readRecords } from './miss-records.ts'
import { endpointOf } from './socket-name.ts'

export interface WorkerPoolOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly board: ChangeBoard
  readonly inputs: InputLedger
  readonly cookies: ServerCookies
  readonly workers: number
  /** Bytes of replies that each worker may keep. */
  readonly memoBudget: number
  /** A worker died and was replaced. */
  readonly replaced: () => void
}

/** Nobody looks at `/top` more often; and long before a counter of 32 bits has come round. */
const SETTLE_INTERVAL: Milliseconds = 1000

/** A worker that dies at once, again and again, must not keep the machine busy. */
const RESTART_DELAY: Milliseconds = 200

/**
 * Keys of questions are all the garbage that a worker makes, so a small young generation is collected in no time. What it
 * keeps (700 bytes of heap a reply) moves to the old one, which has no limit but that of the memo.
 */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 2 }

/** So many that die before they serve, one after the other, are no accident. */
const HOPELESS = 3

/** What a listener is told of its sockets. */
export interface SocketUser {
  /** The worker has begun; once, or again after it died. */
  readonly serving: () => void
  /** No worker can be started: they die one after the other. */
  readonly failed: (error: Error) => void
  readonly missed: (miss: MissRecord, worker: number) => void
  /** The worker has let go of the socket, or died. */
  readonly left: () => void
}

interface Served {
  readonly socket: WorkerSocket
  readonly user: SocketUser
}

export class WorkerPool {
  readonly #options: WorkerPoolOptions
  readonly #workers: UdpWorkerThread[] = []
  readonly #profiles: Profiles
  /** Those who are not asked before they are read (`/top`) are not far behind. */
  readonly #settling: Recurrence
  #lastReceived = -1
  #lastChange = 0
  #nextId = 1
  #spaces = 0
  readonly #freeSpaces: number[] = []

  constructor(options: WorkerPoolOptions) {
    this.#options = options
    this.#profiles = new Profiles(() => {
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
    while (this.#workers.length < this.size)
      this.#workers.push(new UdpWorkerThread(this.#workers.length, this.#options, this.#profiles))
    const id = this.#nextId++
    this.#workers[index]!.serve({ socket: { ...socket, id }, user })
    return id
  }

  leave(index: number, id: number): void {
    this.#workers[index]?.leave(id)
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
}

/** Numbers for those who are told of hits. */
class Profiles {
  readonly #numbers = new Map<HitListener, number>()
  readonly #listeners: HitListener[] = []
  readonly #beforeReuse: () => void

  constructor(beforeReuse: () => void) {
    this.#beforeReuse = beforeReuse
  }

  of(listener: HitListener): number {
    const known = this.#numbers.get(listener)
    if (known !== undefined) return known
    if (this.#numbers.size === PROFILES) {
      this.#beforeReuse()
      this.#numbers.clear()
      this.#listeners.length = 0
    }
    this.#numbers.set(listener, this.#listeners.length)
    return this.#listeners.push(listener) - 1
  }

  listener(number: number): HitListener | undefined {
    return this.#listeners[number]
  }

  entries(): Iterable<[HitListener, number]> {
    return this.#numbers
  }
}

class UdpWorkerThread {
  readonly #index: number
  readonly #options: WorkerPoolOptions
  readonly #profiles: Profiles
  readonly #served = new Map<number, Served>()
  #control = new ControlBlock()
  /** What workers in this place counted that died. */
  readonly #before = new Map<Count, number>()
  /** Of the misses that the main thread has in hand, those of workers that died. */
  #orphans = 0
  /** Sockets that the worker was told to leave. */
  readonly #leaving = new Set<number>()
  /** Hits of the running worker that were told. */
  #settled = new Uint32Array(PROFILES)
  #settledHits = 0
  #settledTime = 0
  #thread: Worker
  #alive = true
  /** Since one last served. */
  #deaths = 0
  #closing = false

  constructor(index: number, options: WorkerPoolOptions, profiles: Profiles) {
    this.#index = index
    this.#options = options
    this.#profiles = profiles
    this.#thread = this.#start()
  }

  arrivals(space: number): number {
    return this.#control.arrivals[space]!
  }

  total(count: Count): number {
    return this.#control.total(count) + (this.#before.get(count) ?? 0)
  }

  serve(served: Served): void {
    this.#served.set(served.socket.id, served)
    this.tell({ type: 'serve', socket: served.socket })
  }

  leave(id: number): void {
    this.#leaving.add(id)
    if (this.#alive) this.tell({ type: 'leave', id })
    else this.#left(id)
  }

  tell(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#thread.postMessage(message, transfer)
    this.#control.add(Word.mail, 1)
  }

  settleHits(): void {
    const { hits } = this.#control
    const time = this.total(Count.hitTime)
    const all = this.total(Count.hits)
    const duration = (time - this.#settledTime) / Math.max(1, all - this.#settledHits)
    this.#settledTime = time
    this.#settledHits = all
    for (const [listener, profile] of this.#profiles.entries()) {
      const count = (hits[profile]! - this.#settled[profile]!) >>> 0
      if (count === 0) continue
      this.#settled[profile] = hits[profile]!
      listener.add(count, duration)
    }
  }

  answered(): void {
    if (this.#orphans > 0) this.#orphans--
    else this.#control.add(Word.missesInHand, -1)
  }

  async close(): Promise<void> {
    this.#closing = true
    if (!this.#alive) return
    this.#control.add(Word.stop, 1)
    await new Promise<void>(resolve => this.#thread.once('exit', () => resolve()))
  }

  #start(): Worker {
    const { board, inputs, cookies, memoBudget } = this.#options
    const settings: WorkerSettings = {
      board: board.shared,
      control: this.#control.shared,
      cookieSecret: cookies.secret,
      inputs: inputs.shared,
      memoBudget,
      timeOrigin: performance.timeOrigin,
    }
    const thread = new Worker(siblingModule('worker', import.meta.url), {
      name: `udp-${this.#index}`,
      workerData: settings,
      resourceLimits: RESOURCE_LIMITS,
    })
    thread.on('message', message => this.#hear(message as FromWorker))
    thread.on('error', error => this.#failed(error as Error))
    thread.once('exit', () => this.#ended(thread))
    return thread
  }

  #hear(message: FromWorker): void {
    const served = this.#served.get(message.id)
    if (!served) return
    if (message.type === 'left') {
      this.#left(message.id)
      return
    }
    if (message.type === 'serving') {
      this.#deaths = 0
      served.user.serving()
      return
    }
    if (message.type === 'sample') {
      const client = endpointOf(Buffer.from(message.name))
      this.#profiles.listener(message.profile)?.sample(Buffer.from(message.question), client, message.weight)
      return
    }
    // What the worker could not wait for may have been read in this turn.
    this.#options.inputs.publishSoon()
    const { buffer, byteOffset, byteLength } = message.records
    for (const miss of readRecords(Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)))
      served.user.missed(miss, this.#index)
  }

  #failed(error: Error): void {
    this.#options.logger.error({ error, worker: this.#index }, 'a UDP worker failed')
    if (++this.#deaths >= HOPELESS) for (const { user } of this.#served.values()) user.failed(error)
  }

  #left(id: number): void {
    const served = this.#served.get(id)
    this.#served.delete(id)
    this.#leaving.delete(id)
    served?.user.left()
  }

  /** What it counted and had in hand is not forgotten; whoever waits for it to leave waits no longer. */
  #ended(thread: Worker): void {
    if (this.#closing || thread !== this.#thread) return
    this.#alive = false
    this.settleHits()
    for (const count of Object.values(Count)) this.#before.set(count, this.total(count))
    this.#orphans += this.#control.get(Word.missesInHand)
    for (const id of [...this.#leaving]) this.#left(id)
    this.#control = new ControlBlock()
    this.#settled = new Uint32Array(PROFILES)
    this.#settledHits = this.total(Count.hits)
    this.#settledTime = this.total(Count.hitTime)
    this.#options.clock.after(RESTART_DELAY, () => this.#restart())
  }

  #restart(): void {
    if (this.#closing) return
    this.#options.replaced()
    this.#thread = this.#start()
    this.#alive = true
    for (const { socket } of this.#served.values()) this.tell({ type: 'serve', socket })
  }
}
