/**
 * The thread that owns the database and the log before it. It takes every request that waits at the moment, answers the
 * reads, puts what all the writes change into one batch of the log, syncs once, and only then acknowledges them: writers
 * that come together share a sync. The database gets the batch afterwards, while those who asked are at work again.
 */
import assert from 'node:assert'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { StoreLeaseError, StoreRevisionError } from '../../kv.ts'
import { BatchEncoder, type Entry } from './batch.ts'
import { type OpenDatabase, openDatabase, worldFailure } from './database.ts'
import type { Log } from './log.ts'
import type { Answer, Answers, Envelope, Failure, Message, Numbered, Request, WorkerOptions } from './messages.ts'
import { packAnswers, unpackRequests } from './packing.ts'
import { Table } from './table.ts'
import { Writes, type Written } from './writes.ts'

/** Requests in one group: bounds how long a read waits that comes just after a group began (about 20 µs a write). */
const GROUP_LIMIT = 128

type Attempt = () => Written<Answers[keyof Answers]>

assert(parentPort, 'runs as a worker thread')
const port = parentPort
const options = workerData as WorkerOptions
const post = (message: Message): void => port.postMessage(message)

class Worker {
  readonly #open: OpenDatabase
  readonly #log: Log
  readonly #table: Table
  readonly #encoder: BatchEncoder
  #sweeping = false
  #closed = false

  /** Shows the database what the log has. @throws what `worldFailure` knows */
  constructor(open: OpenDatabase) {
    this.#open = open
    this.#log = open.log
    this.#table = new Table(open.database, open.log)
    this.#encoder = new BatchEncoder(open.log.seed)
    this.#table.settle()
    const { revision, compacted } = this.#table.counters
    post({ type: 'opened', revision, compacted, leases: this.#table.leases })
    // What a compaction before the last stop left to delete.
    this.#sweepSoon()
  }

  /** `first` and everything that waits behind it. */
  run(first: Envelope): void {
    const reads: Numbered[] = []
    const writes: Numbered[] = []
    let closing = false
    for (let next: Envelope | undefined = first; next; next = this.#next(reads.length + writes.length)) {
      if (next === 'close') {
        closing = true
        break
      }
      for (const numbered of unpackRequests(next)) (isRead(numbered.request) ? reads : writes).push(numbered)
    }
    if (reads.length > 0) this.#answerReads(reads)
    if (writes.length > 0) this.#logWrites(writes)
    if (closing) this.#close()
  }

  #next(taken: number): Envelope | undefined {
    return taken < GROUP_LIMIT ? receiveMessageOnPort(port)?.message : undefined
  }

  #answerReads(requests: readonly Numbered[]): void {
    const answers = requests.map(({ id, request }) => {
      try {
        this.#table.settle()
        return attempt(id, () => this.#read(request))
      } catch (error) {
        return worldAnswer(id, error)
      }
    })
    post({ type: 'group', answers, writes: 0, commitSeconds: 0 })
  }

  #logWrites(requests: readonly Numbered[]): void {
    let answers: Answer[]
    let commitSeconds = 0
    try {
      this.#table.settle()
      const writes = new Writes(this.#table)
      answers = requests.map(({ id, request }) => attempt(id, () => this.#write(writes, request)))
      const before = performance.now()
      this.#append(writes.entries)
      commitSeconds = (performance.now() - before) / 1_000
    } catch (error) {
      // The disk is full or the file damaged: nobody's write happened.
      answers = requests.map(({ id }) => worldAnswer(id, error))
    }
    post({ type: 'group', answers: packAnswers(requests, answers), writes: requests.length, commitSeconds })
    this.#upkeep(() => this.#table.settle())
    if (requests.some(({ request }) => request.type === 'compact')) this.#sweepSoon()
  }

  #append(entries: readonly Entry[]): void {
    if (entries.length === 0) return
    const sequence = this.#table.sequence + 1
    const batch = this.#encoder.encode(sequence, entries)
    if (!this.#log.fits(batch.length)) this.#fold()
    try {
      this.#log.append(batch)
    } catch (error) {
      // Where the disk has no room for a longer log, a shorter one does.
      if (this.#log.isEmpty) throw error
      this.#fold()
      this.#log.append(batch)
    }
    this.#table.take({ sequence, entries })
  }

  /** The database has everything: the log begins anew. */
  #fold(): void {
    this.#table.commit()
    this.#log.restart()
  }

  #read(request: Request): Written<Answers[keyof Answers]> {
    const { reads } = this.#table
    switch (request.type) {
      case 'get':
        return unchanged(reads.get(request.key, request.revision))
      case 'range':
        return unchanged(reads.range(request.range, request.options))
      case 'history':
        return unchanged(reads.history(request.range, request.from))
      default:
        return assert.fail(`${request.type} is no read`)
    }
  }

  #write(writes: Writes, request: Request): Written<Answers[keyof Answers]> {
    switch (request.type) {
      case 'transact':
        return writes.transact(request.transaction)
      case 'compact':
        return unchanged(writes.compact(request.revision))
      case 'grant-lease':
        return unchanged(writes.grantLease(request.ttl))
      case 'revoke-lease':
        return { value: undefined, sets: writes.revokeLease(request.lease) }
      default:
        return assert.fail(`${request.type} is no write`)
    }
  }

  /** Deletes what compaction freed a little at a time; requests that arrive meanwhile come in between. */
  #sweepSoon(): void {
    if (this.#sweeping) return
    this.#sweeping = true
    setImmediate(() => {
      this.#sweeping = false
      if (!this.#closed) this.#upkeep(() => this.#sweep())
    })
  }

  #sweep(): void {
    const isMore = this.#table.sweep()
    if (this.#table.isCommitDue) this.#fold()
    // What could not be committed waits for the next compaction: on a full disk it would be swept without an end.
    if (isMore) this.#sweepSoon()
  }

  #upkeep(task: () => void): void {
    try {
      task()
    } catch (error) {
      const { code, message } = worldFailure(error, options.file)
      post({ type: 'upkeep-failed', code, message })
    }
  }

  #close(): void {
    this.#closed = true
    let whole = false
    this.#upkeep(() => {
      this.#fold()
      whole = true
    })
    this.#open.close({ whole })
    post({ type: 'closed' })
    port.close()
  }
}

const isRead = ({ type }: Request): boolean => type === 'get' || type === 'range' || type === 'history'

const unchanged = <Value>(value: Value): Written<Value> => ({ value, sets: [] })

/** A request's own failure is its answer; a failure of the world is thrown on. */
const attempt = (id: number, task: Attempt): Answer => {
  try {
    const { value, sets } = task()
    return { id, outcome: { ok: true, value }, sets }
  } catch (error) {
    const failure = ownFailure(error)
    if (!failure) throw error
    return { id, outcome: { ok: false, failure }, sets: [] }
  }
}

const ownFailure = (error: unknown): Failure | undefined => {
  if (error instanceof StoreRevisionError) return { type: 'revision', problem: error.problem }
  if (error instanceof StoreLeaseError) return { type: 'lease', lease: error.lease }
  return undefined
}

const worldAnswer = (id: number, error: unknown): Answer => {
  const { code, message } = worldFailure(error, options.file)
  return { id, outcome: { ok: false, failure: { type: 'world', code, message } }, sets: [] }
}

const open = (): Worker | undefined => {
  let database: OpenDatabase | undefined
  try {
    database = openDatabase(options)
    return new Worker(database)
  } catch (error) {
    database?.close({ whole: false })
    const { code, message } = worldFailure(error, options.file)
    post({ type: 'refused', code, message })
    port.close()
    return undefined
  }
}

const worker = open()
if (worker) port.on('message', (envelope: Envelope) => worker.run(envelope))
