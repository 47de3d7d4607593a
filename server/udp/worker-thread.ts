/**
 * One UDP worker as the main thread sees it: what it is told, what it tells, what it counts. When the thread dies a new one
 * takes its place, with the sockets, which are still open. One that dies again and again is given up.
 */
import type { Worker } from 'node:worker_threads'
import type { ChangeBoard } from '#lib/change-board.ts'
import type { Clock, Milliseconds } from '#lib/clock.ts'
import type { InputLedger } from '#lib/input-ledger.ts'
import type { Logger } from '#lib/log.ts'
import type { ServerCookies } from '#resolver/wire/cookie.ts'
import { type HitProfiles, PROFILES } from '../hit-profiles.ts'
import type { WireZones } from '../own-zones.ts'
import type { FromWorker, ToWorker, WorkerSettings } from './batch-messages.ts'
import { ControlBlock, Count, Word } from './control-block.ts'
import { type EarlyThreads, startThread } from './early-threads.ts'
import { readRecords, readSocket } from './miss-records.ts'
import { endpointOf } from './socket-name.ts'
import type { ServedSocket } from './socket-user.ts'

export interface WorkerThreadOptions {
  readonly clock: Clock
  readonly logger: Logger
  readonly board: ChangeBoard
  readonly inputs: InputLedger
  readonly cookies: ServerCookies
  /** Bytes of replies that each worker may keep. */
  readonly memoBudget: number
  /** Threads that were started already. */
  readonly early?: EarlyThreads | undefined
  /** A worker died and was replaced. */
  readonly replaced: () => void
  /** Workers are tried again for ever, less and less often; else nobody is tried after the last was given up. */
  readonly persistent: boolean
}

/** Doubled with each death; a worker that dies at once, again and again, must not keep the machine busy. */
const FIRST_RESTART_DELAY: Milliseconds = 100
const LAST_RESTART_DELAY: Milliseconds = 30_000
/** Whoever lived so long did not die of what others died of. */
const LONG_LIFE: Milliseconds = 10_000
/** So many that died young, one after the other in one place, are no accident. */
const HOPELESS = 5

export class UdpWorkerThread {
  readonly #index: number
  readonly #options: WorkerThreadOptions
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
    options: WorkerThreadOptions,
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
    const waiting = this.#options.early?.take(this.#index) ?? startThread(this.#index)
    const thread = waiting.worker
    thread.on('message', message => this.#hear(message as FromWorker))
    thread.on('error', error => this.#failed(error as Error))
    thread.once('exit', () => this.#ended(thread))
    waiting.begin(settings)
    return thread
  }

  #hear(message: FromWorker): void {
    if (message instanceof Uint8Array) {
      this.#missed(Buffer.from(message.buffer as ArrayBuffer, message.byteOffset, message.byteLength))
      return
    }
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
    const client = endpointOf(Buffer.from(message.name))
    this.#profiles.listener(message.profile)?.sample(Buffer.from(message.question), client, message.weight)
  }

  #missed(records: Buffer): void {
    const served = this.#served.get(readSocket(records))
    if (!served) return
    // What the worker could not wait for may have been read in this turn.
    this.#options.inputs.publishSoon()
    readRecords(records, miss => served.user.missed(miss, this.#index))
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
