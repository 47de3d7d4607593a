/**
 * The thread that owns the database. It takes every request that waits at the moment, answers the reads from the
 * committed state, puts all writes into one SQLite transaction, commits once (one sync of the log), and only then
 * acknowledges them: writers that come together share a sync, and reads wait for at most the commit that is under way.
 */
import assert from 'node:assert'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { type ChangeSet, StoreLeaseError, StoreRevisionError } from '../../kv.ts'
import { type OpenDatabase, openDatabase, worldFailure } from './database.ts'
import type { Answer, Answers, Envelope, Failure, Message, Numbered, Request, WorkerOptions } from './messages.ts'
import { Writes, type Written } from './writes.ts'

/** Requests in one group: bounds how long a read waits that comes just after a group began (about 50 µs a write). */
const GROUP_LIMIT = 128
/**
 * Log pages between checkpoints (SQLite's own default): the log stays near 4 MB and is reused in place, which makes
 * its syncs cheaper than those of a growing file.
 */
const CHECKPOINT_PAGES = 1_000

type Attempt = () => Written<Answers[keyof Answers]>

assert(parentPort, 'runs as a worker thread')
const port = parentPort
const options = workerData as WorkerOptions
const post = (message: Message): void => port.postMessage(message)

class Worker {
  readonly #open: OpenDatabase
  readonly #writes: Writes
  #sweeping = false
  #closed = false

  constructor(open: OpenDatabase) {
    this.#open = open
    this.#writes = new Writes(open.database)
    post({ type: 'opened', ...this.#writes.revisions, leases: this.#writes.leases })
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
      for (const numbered of next) (isRead(numbered.request) ? reads : writes).push(numbered)
    }
    if (reads.length > 0) this.#answerReads(reads)
    if (writes.length > 0) this.#commitWrites(writes)
    if (closing) this.#close()
  }

  #next(taken: number): Envelope | undefined {
    return taken < GROUP_LIMIT ? receiveMessageOnPort(port)?.message : undefined
  }

  #answerReads(requests: readonly Numbered[]): void {
    const answers = requests.map(({ id, request }) => {
      try {
        return attempt(id, () => this.#read(request))
      } catch (error) {
        return worldAnswer(id, error)
      }
    })
    post({ type: 'group', answers, writes: 0, commitSeconds: 0 })
  }

  #commitWrites(requests: readonly Numbered[]): void {
    let answers: Answer[]
    let commitSeconds = 0
    try {
      this.#writes.begin()
      answers = requests.map(({ id, request }) => attempt(id, () => this.#write(request)))
      const before = performance.now()
      this.#writes.commit()
      commitSeconds = (performance.now() - before) / 1_000
    } catch (error) {
      // The disk is full or the file damaged: nobody's write happened.
      this.#writes.rollback()
      answers = requests.map(({ id }) => worldAnswer(id, error))
    }
    post({ type: 'group', answers, writes: requests.length, commitSeconds })
    this.#upkeep(() => this.#checkpoint())
    if (requests.some(({ request }) => request.type === 'compact')) this.#sweepSoon()
  }

  #read(request: Request): Written<Answers[keyof Answers]> {
    const { reads } = this.#writes
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

  #write(request: Request): Written<Answers[keyof Answers]> {
    switch (request.type) {
      case 'transact': {
        const { value, sets } = this.#writes.transact(request.transaction)
        return { value, sets: sets.map(withoutValues) }
      }
      case 'compact':
        return unchanged(this.#writes.compact(request.revision))
      case 'grant-lease':
        return unchanged(this.#writes.grantLease(request.ttl))
      case 'revoke-lease':
        return { value: undefined, sets: this.#writes.revokeLease(request.lease) }
      default:
        return assert.fail(`${request.type} is no write`)
    }
  }

  /** Moves the log's pages into the database once there are enough of them, after the group was acknowledged. */
  #checkpoint(): void {
    const { database } = this.#open
    // NOOP (SQLite 3.51) only counts; an older SQLite takes it for PASSIVE, which is what follows anyway.
    const { log, checkpointed } = database.prepare('PRAGMA wal_checkpoint(NOOP)').get() as unknown as LogState
    if (log - checkpointed >= CHECKPOINT_PAGES) database.exec('PRAGMA wal_checkpoint(PASSIVE)')
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
    this.#writes.begin()
    try {
      const more = this.#writes.sweep()
      this.#writes.commit()
      if (more) this.#sweepSoon()
    } catch (error) {
      this.#writes.rollback()
      throw error
    }
    this.#checkpoint()
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
    this.#open.close()
    post({ type: 'closed' })
    port.close()
  }
}

interface LogState {
  readonly log: number
  readonly checkpointed: number
}

const isRead = ({ type }: Request): boolean => type === 'get' || type === 'range' || type === 'history'

const NOTHING = new Uint8Array(0)

const withoutValues = ({ revision, changes }: ChangeSet): ChangeSet => ({
  revision,
  changes: changes.map(({ type, keyValue }) => ({ type, keyValue: { ...keyValue, value: NOTHING } })),
})

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

const open = (): OpenDatabase | undefined => {
  try {
    return openDatabase(options)
  } catch (error) {
    const { code, message } = worldFailure(error, options.file)
    post({ type: 'refused', code, message })
    port.close()
    return undefined
  }
}

const database = open()
if (database) {
  const worker = new Worker(database)
  port.on('message', (envelope: Envelope) => worker.run(envelope))
}
