/**
 * The database behind the log. What the log has is inserted at once, into a transaction that stays open until the log is
 * full, so that every read sees it, and each page of the database is written once for thousands of writes. Runs in the
 * worker.
 *
 * Promised: reads see all that `take` was given, or throw, whatever the disk does meanwhile: what SQLite gave up is read
 * again from the log. What `commit` returned from is on the disk.
 */
import type { DatabaseSync } from 'node:sqlite'
import { SeamarkError } from '#lib/errors.ts'
import type { LeaseId } from '../../kv.ts'
import type { Batch, Entry, Sequence } from './batch.ts'
import { isDiskFailure, isFailedSync, setJournalMode } from './database.ts'
import type { Log } from './log.ts'
import { Reads } from './reads.ts'
import { firstRow, type Row, type RowHead, revisionOf } from './rows.ts'
import type { Before, Counters } from './writes.ts'

/** Compacted rows that one sweep looks at: a few milliseconds, so that requests hardly wait behind it. */
const SWEEP_ROWS = 500
/** Sweeps after which a commit is due: they have changed as many pages as a full log. */
const SWEEPS = 8

/** Of so many keys that were written last, and of twice as many at most, the last row is known: two to four megabytes. */
const KNOWN_HEADS = 8_192

interface Meta extends Counters {
  readonly sequence: Sequence
  readonly swept: number
}

const readMeta = (database: DatabaseSync): Meta => {
  const meta = database.prepare('SELECT revision, compacted, sequence, swept FROM meta').get() as unknown as Meta
  // AUTOINCREMENT's own record of the greatest id.
  const granted = database.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'lease'").get()
  return { ...meta, lastLease: (granted as { seq: number } | undefined)?.seq ?? 0 }
}

export class Table implements Before {
  readonly reads: Reads
  readonly #database: DatabaseSync
  readonly #log: Log
  readonly #statements: ReturnType<typeof prepare>
  #counters: Counters
  #sequence: Sequence
  /** The first row that no sweep has looked at. */
  #swept: number
  #sweepsSinceCommit = 0
  /** Taken, and not inserted yet. */
  #pending: Entry[] = []
  /** Something was inserted that is not committed. */
  #isAhead = false
  /** The disk had no room for SQLite's journal: the open transaction is in memory alone, and cannot be committed. */
  #isAside = false
  /** A commit whose sync failed. */
  #failure: unknown
  /** The last rows of keys that were written not long ago, deletions too; and of those that were before. */
  #heads = new Map<string, RowHead>()
  #olderHeads = new Map<string, RowHead>()

  /** Takes what the log has and the database has not. */
  constructor(database: DatabaseSync, log: Log) {
    this.#database = database
    this.#log = log
    const { sequence, swept, ...counters } = readMeta(database)
    this.#counters = counters
    this.#sequence = sequence
    this.#swept = swept
    this.#statements = prepare(database)
    this.reads = new Reads(database, () => this.#counters)
    for (const batch of log.batches(sequence)) this.take(batch)
  }

  get counters(): Counters {
    return this.#counters
  }

  /** Of the last batch that was taken. */
  get sequence(): Sequence {
    return this.#sequence
  }

  get leases(): { readonly id: LeaseId; readonly ttl: number }[] {
    const rows = this.#database.prepare('SELECT id, ttl FROM lease').all() as unknown as { id: number; ttl: number }[]
    return rows.map(({ id, ttl }) => ({ id, ttl }))
  }

  head(key: string): RowHead | undefined {
    const known = this.#heads.get(key) ?? this.#olderHeads.get(key)
    if (known) return known.version === 0 ? undefined : known
    const head = this.reads.head(key)
    if (head) this.#remember(head)
    return head
  }

  live(key: string): Row | undefined {
    return this.reads.live(key)
  }

  hasLease(lease: LeaseId): boolean {
    return this.#statements.leaseExists.get(lease) !== undefined
  }

  keysOfLease(lease: LeaseId): string[] {
    return (this.#statements.leaseKeys.all(lease) as unknown as { key: string }[]).map(({ key }) => key)
  }

  /** Takes in what the log has now. `settle` brings it before the reads. */
  take({ sequence, entries }: Pick<Batch, 'sequence' | 'entries'>): void {
    let { revision, compacted, lastLease } = this.#counters
    for (const entry of entries) {
      this.#pending.push(entry)
      if (entry.type === 'row') {
        this.#remember(entry.row)
        revision = revisionOf(entry.row)
      } else if (entry.type === 'compact') compacted = entry.revision
      else if (entry.type === 'grant') lastLease = entry.lease
    }
    this.#counters = { revision, compacted, lastLease }
    this.#sequence = sequence
  }

  /** Inserts what is not inserted yet: after it, reads see everything. */
  settle(): void {
    if (this.#isGivenUp) this.#takeAgain()
    if (this.#pending.length === 0) return
    try {
      this.#insertPending()
    } catch (error) {
      if (this.#isAside || !isDiskFailure(error)) throw error
      this.#begin({ aside: true })
      this.#insertPending()
    }
  }

  /**
   * Makes everything durable in the database itself: nothing needs the log any more. After a sync that failed never again:
   * what is in the log counts then, when the directory is opened anew.
   */
  commit(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#isAside) this.#begin({ aside: false })
    if (this.#isGivenUp) this.#takeAgain()
    this.#insertPending()
    if (!this.#isAhead) return
    const { revision, compacted } = this.#counters
    this.#statements.meta.run(revision, compacted, this.#sequence, this.#swept)
    try {
      this.#database.exec('COMMIT')
    } catch (error) {
      if (isFailedSync(error)) this.#failure = error
      throw error
    }
    this.#isAhead = false
    this.#sweepsSinceCommit = 0
  }

  /** Deletes some of the rows that compaction freed; false when none was left. */
  sweep(): boolean {
    this.settle()
    const { passed, sweep } = this.#statements
    const found = passed.get(this.#swept, firstRow(this.#counters.compacted + 1), SWEEP_ROWS)
    const { id } = found as unknown as { id: number | null }
    if (id === null) return false
    this.#open()
    sweep.run({ from: this.#swept, to: id })
    this.#swept = id + 1
    this.#sweepsSinceCommit++
    return true
  }

  get isCommitDue(): boolean {
    return this.#sweepsSinceCommit >= SWEEPS
  }

  /** SQLite ends a transaction by itself when it fails for good. */
  get #isGivenUp(): boolean {
    return this.#isAhead && !this.#database.isTransaction
  }

  /**
   * As the database is now; what it has not is read from the log. A commit that failed at its very last sync is in the
   * database all the same, until the power goes. @throws SeamarkError STORE_CORRUPT
   */
  #takeAgain(): void {
    const { sequence, swept } = readMeta(this.#database)
    const batches = this.#log.read(sequence)
    const missing = this.#sequence - sequence - batches.length
    if (missing > 0) {
      throw new SeamarkError(
        'STORE_CORRUPT',
        `${this.#log.file} is damaged: ${missing} batches that it had are not there`,
      )
    }
    const entries = batches.flatMap(batch => batch.entries)
    this.#swept = swept
    this.#sweepsSinceCommit = 0
    this.#pending = entries
    this.#isAhead = false
  }

  /**
   * The transaction from its beginning. `aside`: with its journal in memory, which no crash would leave a whole database
   * with. It is never committed.
   */
  #begin({ aside }: { readonly aside: boolean }): void {
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
    this.#takeAgain()
    setJournalMode(this.#database, aside ? 'memory' : 'truncate')
    this.#isAside = aside
  }

  #open(): void {
    if (!this.#database.isTransaction) this.#database.exec('BEGIN IMMEDIATE')
    this.#isAhead = true
  }

  #insertPending(): void {
    if (this.#pending.length === 0) return
    this.#open()
    let inserted = 0
    try {
      for (const entry of this.#pending) {
        this.#insert(entry)
        inserted++
      }
    } finally {
      this.#pending.splice(0, inserted)
    }
  }

  /** Those that were not written for long are forgotten. */
  #remember({ id, key, created, version, lease }: RowHead): void {
    this.#heads.set(key, { id, key, created, version, lease })
    if (this.#heads.size < KNOWN_HEADS) return
    this.#olderHeads = this.#heads
    this.#heads = new Map()
  }

  #insert(entry: Entry): void {
    const { insert, grant, revoke } = this.#statements
    switch (entry.type) {
      case 'row': {
        const { id, key, created, version, lease, value } = entry.row
        insert.run(id, key, created, version, lease, value)
        return
      }
      case 'grant':
        grant.run(entry.lease, entry.ttl)
        return
      case 'revoke':
        revoke.run(entry.lease)
        return
      case 'compact':
        // Among the counters, which go with the commit.
        return
    }
  }
}

const prepare = (database: DatabaseSync) => ({
  insert: database.prepare('INSERT INTO history (id, key, created, version, lease, value) VALUES (?, ?, ?, ?, ?, ?)'),
  meta: database.prepare('UPDATE meta SET revision = ?, compacted = ?, sequence = ?, swept = ?'),
  grant: database.prepare('INSERT INTO lease (id, ttl) VALUES (?, ?)'),
  revoke: database.prepare('DELETE FROM lease WHERE id = ?'),
  leaseExists: database.prepare('SELECT 1 FROM lease WHERE id = ?'),
  leaseKeys: database.prepare(
    `SELECT key FROM history AS row WHERE lease = ? AND lease <> 0 AND NOT EXISTS
       (SELECT 1 FROM history WHERE key = row.key AND id > row.id)
     ORDER BY key`,
  ),
  // The last of the next rows that compaction has passed.
  passed: database.prepare(
    'SELECT max(id) AS id FROM (SELECT id FROM history WHERE id >= ? AND id < ? ORDER BY id LIMIT ?)',
  ),
  // What such rows replaced, and those of them that are deletions.
  sweep: database.prepare(
    `DELETE FROM history WHERE id IN
       (SELECT old.id FROM history AS row JOIN history AS old ON old.key = row.key AND old.id < row.id
          WHERE row.id >= :from AND row.id <= :to
        UNION ALL
        SELECT id FROM history WHERE id >= :from AND id <= :to AND version = 0)`,
  ),
})
