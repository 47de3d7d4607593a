/**
 * The store on SQLite, inside the process: the default backend. The database lives on a worker thread; this side
 * numbers requests, delivers changes to watches, and settles promises in the order in which the worker reports.
 *
 * Promised beyond the contract: reads and changes never run ahead of each other (a read at revision N resolves after
 * everything up to N was delivered); a second opener of the same directory, in any process, is refused.
 */
import assert from 'node:assert'
import { once } from 'node:events'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type Clock, systemClock } from '#lib/clock.ts'
import { SeamarkError, systemCode } from '#lib/errors.ts'
import type { Logger } from '#lib/log.ts'
import type { Registry } from '#lib/metrics.ts'
import {
  type ChangeSet,
  type KeyRange,
  type KeyValue,
  type Lease,
  type LeaseId,
  type Operation,
  type RangeOptions,
  type RangeResult,
  type Revision,
  type Store,
  StoreLeaseError,
  StoreRevisionError,
  type StoreWatch,
  type Transaction,
  type TransactionResult,
  type WatchOptions,
} from '../../kv.ts'
import { Leases, LONGEST_LEASE } from '../../leases.ts'
import { createStoreMetrics, type StoreMetrics } from '../../metrics.ts'
import { type HistoryOutcome, Watches } from '../../watches.ts'
import type {
  Answer,
  Answers,
  Envelope,
  Failure,
  HistoryPage,
  Message,
  PackedAnswers,
  Request,
  WorkerOptions,
} from './messages.ts'
import { Outbox, unpackChanges, WORDS_OF_OPERATION } from './packing.ts'
import { OPERATIONS_PER_TRANSACTION } from './rows.ts'

export interface SqliteStoreOptions {
  /** Holds `store.sqlite`, `store.log` and their lock. Made (mode 0700) when it does not exist. */
  readonly directory: string
  readonly logger: Logger
  readonly registry: Registry
  /** Ends leases. Default: the system's. */
  readonly clock?: Clock
}

/** How long a lease whose end could not be written waits for the next try. Milliseconds. */
const REVOKE_RETRY = 1_000

/**
 * Opens the store of a directory, making it when there is none.
 * @throws SeamarkError DATA_DIR_LOCKED, DATA_DIR_FOREIGN, DATA_DIR_UNUSABLE, STORE_CORRUPT, STORE_NEWER
 */
export const openSqliteStore = async (options: SqliteStoreOptions): Promise<Store> => {
  const { directory } = options
  try {
    const made = await mkdir(directory, { recursive: true, mode: 0o700 })
    if (made) await syncParents(directory, made)
  } catch (cause) {
    throw new SeamarkError('DATA_DIR_UNUSABLE', `${directory} cannot be made: ${(cause as Error).message}`, { cause })
  }
  const workerData: WorkerOptions = {
    file: join(directory, 'store.sqlite'),
    lockFile: join(directory, 'store.lock'),
    logFile: join(directory, 'store.log'),
    markFile: join(directory, 'store.clean'),
  }
  // Secrets are in there, whatever the directory's own mode. SQLite gives its journal the mode of the database.
  for (const file of [workerData.file, workerData.lockFile]) await createPrivate(file)
  // What was preloaded into the process (a loader, an instrument) has nothing to do there, and would run again for each store.
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData, name: 'store', execArgv: [] })
  const opened = await firstMessage(worker)
  if (opened.type !== 'opened') {
    assert(opened.type === 'refused')
    throw new SeamarkError(opened.code, opened.message)
  }
  const store = new SqliteStore(worker, opened, options)
  await syncDirectory(directory)
  return store
}

/** Never opens a file that exists: closing it again would drop the locks that this process holds on it (fcntl). */
const createPrivate = async (file: string): Promise<void> => {
  try {
    const handle = await open(file, 'wx', 0o600)
    await handle.close()
  } catch (cause) {
    if (systemCode(cause) === 'EEXIST') return
    throw new SeamarkError('DATA_DIR_UNUSABLE', `${file} cannot be made: ${(cause as Error).message}`, { cause })
  }
}

const firstMessage = async (worker: Worker): Promise<Message> => {
  const settled = new AbortController()
  const { signal } = settled
  // `once` rejects when the thread throws.
  const ended = once(worker, 'exit', { signal }).then(() => {
    throw new SeamarkError('STORE_CLOSED', 'the thread of the store ended before it was open')
  })
  try {
    const [message] = await Promise.race([once(worker, 'message', { signal }), ended])
    return message as Message
  } finally {
    ended.catch(() => {})
    settled.abort()
  }
}

/** The files' names are durable too: a new file whose directory was not synced can vanish with the power. */
const syncDirectory = async (directory: string): Promise<void> => {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** So can a new directory: `first` is the topmost of those that were made. */
const syncParents = async (directory: string, first: string): Promise<void> => {
  for (let at = resolve(directory); ; at = dirname(at)) {
    try {
      await syncDirectory(dirname(at))
    } catch (error) {
      // One may make a directory where one may not list what there is.
      if (systemCode(error) !== 'EACCES') throw error
    }
    if (at === first || at === dirname(at)) return
  }
}

/** Called while the worker's report is read, in its order: a promise's continuation would be too late for history. */
interface Pending {
  readonly resolve: (value: Answers[keyof Answers]) => void
  readonly reject: (error: Error) => void
  /** Of a transaction: only what they came to is told. */
  readonly operations?: readonly Operation[]
}

type Opened = Extract<Message, { type: 'opened' }>
type Group = Extract<Message, { type: 'group' }>

class SqliteStore implements Store {
  readonly #worker: Worker
  readonly #logger: Logger
  readonly #metrics: StoreMetrics
  readonly #clock: Clock
  readonly #watches: Watches
  readonly #leases: Leases
  readonly #pending = new Map<number, Pending>()
  #nextId = 0
  /** Asked in this turn of the event loop. */
  readonly #outbox = new Outbox()
  #closing: Promise<void> | undefined
  /** Why the worker is gone. */
  #ended: Error | undefined

  constructor(worker: Worker, opened: Opened, { logger, registry, clock = systemClock }: SqliteStoreOptions) {
    this.#worker = worker
    this.#logger = logger
    this.#clock = clock
    this.#metrics = createStoreMetrics(registry)
    this.#metrics.revision.set(opened.revision)
    this.#watches = new Watches(opened.revision, {
      readHistory: (range, from, use) => this.#readHistory(range, from, use),
      onBug: error => logger.error({ error }, 'a watch threw at a delivery'),
    })
    this.#leases = new Leases(clock, id => this.#revoke(id))
    for (const lease of opened.leases) this.#leases.start(lease)
    worker.on('message', (message: Message) => this.#receive(message))
    worker.on('error', error => this.#fail(error))
    worker.on('exit', () => this.#fail(new Error('the thread ended')))
  }

  async revision(): Promise<Revision> {
    this.#assertOpen()
    return this.#watches.revision
  }

  get(key: string, options: Pick<RangeOptions, 'revision'> = {}): Promise<KeyValue | undefined> {
    return this.#ask('get', { type: 'get', key, revision: options.revision })
  }

  range({ start, end }: KeyRange, options: RangeOptions = {}): Promise<RangeResult> {
    return this.#ask('range', { type: 'range', range: { start, end }, options })
  }

  async transact(transaction: Transaction): Promise<TransactionResult> {
    checkTransaction(transaction)
    const { operations } = transaction
    return this.#ask('transact', { type: 'transact', transaction }, operations)
  }

  watch(range: KeyRange, options: WatchOptions): StoreWatch {
    if (!this.#closing) return this.#watches.add(range, options)
    let closed = false
    queueMicrotask(() => {
      if (!closed) options.ended({ problem: 'closed' })
    })
    return { close: () => void (closed = true) }
  }

  async compact(revision: Revision): Promise<void> {
    await this.#ask('compact', { type: 'compact', revision })
  }

  async grantLease(ttl: number): Promise<Lease> {
    assert(Number.isInteger(ttl) && ttl >= 1 && ttl <= LONGEST_LEASE, `a lease of ${ttl} s`)
    const lease = { id: await this.#ask('grant-lease', { type: 'grant-lease', ttl }), ttl }
    if (!this.#closing) this.#leases.start(lease)
    return lease
  }

  async keepLease(id: LeaseId): Promise<boolean> {
    this.#assertOpen()
    return this.#leases.keep(id)
  }

  async revokeLease(id: LeaseId): Promise<void> {
    this.#leases.stop(id)
    await this.#ask('revoke-lease', { type: 'revoke-lease', lease: id })
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#leases.close()
    if (!this.#ended) {
      const exited = new Promise<void>(resolve => this.#worker.once('exit', () => resolve()))
      this.#flush()
      this.#worker.postMessage('close' satisfies Envelope)
      await exited
    }
    this.#watches.end({ problem: 'closed' })
  }

  /** The time of a lease ran out. It has ended for everybody; its keys go as soon as the disk lets them. */
  #revoke(id: LeaseId): void {
    this.#ask('revoke-lease', { type: 'revoke-lease', lease: id }).catch(error => {
      if (this.#closing || this.#ended) return
      this.#logger.error({ lease: id, error }, 'the end of a lease could not be written; trying again')
      this.#clock.after(REVOKE_RETRY, () => this.#revoke(id))
    })
  }

  #readHistory(range: KeyRange, from: Revision, use: (outcome: HistoryOutcome) => void): void {
    this.#send(
      { type: 'history', range: { start: range.start, end: range.end }, from },
      {
        resolve: page => use({ ok: true, ...(page as HistoryPage) }),
        reject: error => {
          const known = error instanceof StoreRevisionError
          if (!known) this.#logger.error({ error }, 'history cannot be read')
          use({ ok: false, problem: known ? error.problem : { problem: 'closed' } })
        },
      },
    )
  }

  #ask<Type extends Request['type']>(
    _type: Type,
    request: Request & { type: Type },
    operations: readonly Operation[] = [],
  ): Promise<Answers[Type]> {
    return new Promise((resolve, reject) => {
      this.#assertOpen()
      this.#send(request, { resolve: value => resolve(value as Answers[Type]), reject, operations })
    })
  }

  /** A message costs more than what it says: all requests of a turn go in one, in their order. */
  #send(request: Request, pending: Pending): void {
    const id = this.#nextId++
    this.#pending.set(id, pending)
    if (this.#outbox.isEmpty) setImmediate(() => this.#flush())
    this.#outbox.add({ id, request })
  }

  #flush(): void {
    if (this.#outbox.isEmpty) return
    const envelope: Envelope = this.#outbox.take()
    this.#worker.postMessage(envelope, [envelope.values.buffer])
  }

  #assertOpen(): void {
    if (this.#ended) throw new SeamarkError('STORE_CLOSED', 'the store has failed', { cause: this.#ended })
    if (this.#closing) throw new SeamarkError('STORE_CLOSED', 'the store is closed')
  }

  #receive(message: Message): void {
    switch (message.type) {
      case 'group':
        this.#settle(message)
        return
      case 'upkeep-failed':
        this.#metrics.failures.inc()
        this.#logger.warn({ code: message.code, reason: message.message }, 'upkeep of the store failed')
        return
      case 'closed':
        return
      default:
        assert.fail(`the store's thread said ${message.type}`)
    }
  }

  #settle({ answers, writes, commitSeconds }: Group): void {
    if (writes > 0) {
      this.#metrics.groupSize.observe(writes)
      this.#metrics.commitDuration.observe(commitSeconds)
    }
    for (let at = 0; at < answers.length; ) {
      const answer = answers[at++]!
      if (typeof answer === 'number') at = this.#settleTransaction(answer, answers, at)
      else this.#settleOther(answer)
    }
  }

  /** A committed one; the words after its id begin at `at`. Answers where the next answer begins. */
  #settleTransaction(id: number, words: PackedAnswers, at: number): number {
    const { operations = [], resolve } = this.#take(id)
    const revision = words[at] as Revision
    const set = unpackChanges({ words, at: at + 1 }, revision, operations)
    if (set.changes.length > 0) this.#deliver(set)
    resolve({ committed: true, revision })
    return at + 1 + WORDS_OF_OPERATION * operations.length
  }

  #settleOther({ id, outcome, sets }: Answer): void {
    const { resolve, reject } = this.#take(id)
    for (const set of sets) this.#deliver(set)
    if (outcome.ok) resolve(outcome.value)
    else reject(this.#error(outcome.failure))
  }

  #take(id: number): Pending {
    const pending = this.#pending.get(id)
    assert(pending, 'every answer has a question')
    this.#pending.delete(id)
    return pending
  }

  #deliver(set: ChangeSet): void {
    this.#watches.dispatch(set)
    this.#metrics.revision.set(set.revision)
  }

  #error(failure: Failure): Error {
    switch (failure.type) {
      case 'revision':
        return new StoreRevisionError(failure.problem)
      case 'lease':
        return new StoreLeaseError(failure.lease)
      case 'world':
        this.#metrics.failures.inc()
        return new SeamarkError(failure.code, failure.message)
    }
  }

  /** The thread is gone: as told by `close`, or by a bug of ours, which ends the store but not the process. */
  #fail(cause: Error): void {
    if (this.#ended) return
    this.#ended = cause
    if (!this.#closing) {
      this.#logger.error({ error: cause }, 'the store has failed')
      this.#leases.close()
      this.#watches.end({ problem: 'closed' })
    }
    for (const { reject } of this.#pending.values()) {
      reject(new SeamarkError('STORE_CLOSED', 'the store has failed', { cause }))
    }
    this.#pending.clear()
  }
}

/** What the contract rules out is a bug of the caller. */
const checkTransaction = ({ compare, operations }: Transaction): void => {
  assert(new Set(compare.map(({ key }) => key)).size === compare.length, 'a key is compared twice')
  assert(new Set(operations.map(({ key }) => key)).size === operations.length, 'a key is written twice')
  assert(operations.length <= OPERATIONS_PER_TRANSACTION, 'too many operations in one transaction')
  for (const { key } of operations) assert(key !== '' && !key.includes('\0') && key.isWellFormed(), 'not a key')
}
