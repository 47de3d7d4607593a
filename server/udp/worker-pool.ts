/**
 * The UDP workers of the program: threads that share the sockets of all listeners. A worker that dies is replaced, and its
 * sockets, which are still open, go to the new one. One that dies again and again is given up, and its sockets go to
 * another one; when there is none, their users are told.
 */
import { Worker } from 'node:worker_threads'
import type { ChangeBoard } from '#lib/change-board.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { InputLedger } from '#lib/input-ledger.ts'
import type { Logger } from '#lib/log.ts'
import { Recurrence } from '#lib/recurrence.ts'
import { siblingModule } from '#lib/worker.ts'
import { EVERYTHING, type Memo } from '#resolver/memo.ts'
import type { ServerCookies } from '#resolver/wire/cookie.ts'
import { HitProfiles, PROFILES } from '../hit-profiles.ts'
import type { WireZones } from '../own-zones.ts'
import type { FromWorker, ToWorker, WorkerSettings, WorkerSocket } from './batch-messages.ts'
import { ControlBlock, Count, NO_SPACE, Word } from './control-block.ts'
import { readRecords } from './miss-records.ts'
import { endpointOf } from './socket-name.ts'
import type { ServedSocket, SocketUser } from './socket-user.ts'

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
  /** Workers are tried again for ever, less and less often; else nobody is tried after the last was given up. */
  readonly persistent: boolean
  /** A worker was given up; `left`: how many there still are. */
  readonly givenUp: (error: Error, left: number) => void
}

/** Nobody looks at `/top` more often; and long before a counter of 32 bits has come round. */
const SETTLE_INTERVAL: Milliseconds = 1000

/** Doubled with each death; a worker that dies at once, again and again, must not keep the machine busy. */
const FIRST_RESTART_DELAY: Milliseconds = 100
const LAST_RESTART_DELAY: Milliseconds = 30_000
/** Whoever lived so long did not die of what others died of. */
const LONG_LIFE: Milliseconds = 10_000
/** So many that died young, one after the other in one place, are no accident. */
const HOPELESS = 5

/**
 * Keys of questions are all the garbage that a worker makes, so a small young generation is collected in no time. What it
 * keeps (700 bytes of heap a reply) moves to the old one, which has no limit but that of the memo.
 */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 2 }

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

class UdpWorkerThread {
  readonly #index: number
  readonly #options: WorkerPoolOptions
  readonly #profiles: HitProfiles
  readonly #lost: (worker: UdpWorkerThread, error: Error) => void
  readonly #served = new Map<number, ServedSocket>()
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
  #ownZones: WireZones = []
  #thread: Worker
  #alive = true
  #startedAt: Milliseconds = 0
  /** Since one last lived long. */
  #deaths = 0
  #lastError = new Error('it ended')
  /** Of what they die in this place, one after the other, so that no further one is started. */
  givenUp: Error | undefined
  #closing = false

  constructor(
    index: number,
    options: WorkerPoolOptions,
    profiles: HitProfiles,
    lost: (worker: UdpWorkerThread, error: Error) => void,
  ) {
    this.#index = index
    this.#options = options
    this.#profiles = profiles
    this.#lost = lost
    this.#thread = this.#start()
  }

  set ownZones(zones: WireZones) {
    this.#ownZones = zones
    this.tell({ type: 'own-zones', zones })
  }

  arrivals(space: number): number {
    return this.#control.arrivals[space]!
  }

  total(count: Count): number {
    return this.#control.total(count) + (this.#before.get(count) ?? 0)
  }

  serve(served: ServedSocket): void {
    this.#served.set(served.socket.id, served)
    this.tell({ type: 'serve', socket: served.socket })
  }

  get isHopeless(): boolean {
    return this.#deaths >= HOPELESS
  }

  /** Serves none of them any more. */
  release(): readonly ServedSocket[] {
    const all = [...this.#served.values()]
    this.#served.clear()
    return all
  }

  tellFailed(error: Error): void {
    for (const { user } of [...this.#served.values()]) user.failed(error)
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
    this.#startedAt = this.#options.clock.monotonic()
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
    this.#lastError = error
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
    this.#afterDeath()
  }

  #afterDeath(): void {
    const { clock, persistent } = this.#options
    if (clock.monotonic() - this.#startedAt >= LONG_LIFE) this.#deaths = 0
    const delay = Math.min(FIRST_RESTART_DELAY * 2 ** this.#deaths++, LAST_RESTART_DELAY)
    if (this.#deaths === HOPELESS) {
      if (!persistent) this.givenUp = this.#lastError
      this.#lost(this, this.#lastError)
    }
    if (!this.givenUp) clock.after(delay, () => this.#restart())
  }

  #restart(): void {
    if (this.#closing) return
    this.#options.replaced()
    this.#thread = this.#start()
    this.#alive = true
    this.tell({ type: 'own-zones', zones: this.#ownZones })
    for (const { socket } of this.#served.values()) this.tell({ type: 'serve', socket })
  }
}
