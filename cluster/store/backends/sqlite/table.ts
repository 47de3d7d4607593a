/**
 * The database behind the log. What the log has is inserted at once, into a transaction that stays open over many groups,
 * so that every read sees it, and committed when there is enough of it: each page of the database is written once for all
 * of them. Runs in the worker.
 *
 * Promised: what `take` was given stays until it is committed, whatever the disk does meanwhile; reads see all of it, or
 * throw. Commits are not synced: `fold` is.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { LeaseId } from '../../kv.ts'
import type { Batch, Entry, Sequence } from './batch.ts'
import { isFailedSync } from './database.ts'
import { Reads } from './reads.ts'
import { firstRow, type Row, type RowHead, revisionOf } from './rows.ts'
import type { Before, Counters } from './writes.ts'

/** Entries, and bytes of values, after which a commit is due: it takes a few milliseconds then. */
const COMMIT_ENTRIES = 1_000
const COMMIT_BYTES = 2 << 20
/** Pages of SQLite's own log (16 MB) after which it is folded into the database. */
const FOLD_PAGES = 4_000
/** Compacted rows that one sweep looks at: a few milliseconds, so that requests hardly wait behind it. */
const SWEEP_ROWS = 500

/** Keys whose last row is known without a look at the database: two megabytes. */
const KNOWN_HEADS = 8_192

interface Meta extends Counters {
  readonly sequence: Sequence
  readonly swept: number
}

interface LogState {
  readonly busy: number
  readonly log: number
  readonly checkpointed: number
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
  readonly #statements: ReturnType<typeof prepare>
  #counters: Counters
  #sequence: Sequence
  /** The first row that no sweep has looked at. */
  #swept: number
  /** Taken and not committed, in order. */
  #pending: Entry[] = []
  #pendingBytes = 0
  /** How many of them are in the open transaction. */
  #inserted = 0
  /** A checkpoint whose sync failed. */
  #failure: unknown
  /** The last rows of keys that were written not long ago, deletions too. */
  readonly #heads = new Map<string, RowHead>()

  constructor(database: DatabaseSync) {
    this.#database = database
    const { sequence, swept, ...counters } = readMeta(database)
    this.#counters = counters
    this.#sequence = sequence
    this.#swept = swept
    this.#statements = prepare(database)
    this.reads = new Reads(database, () => this.#counters)
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
    const known = this.#heads.get(key)
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
        this.#pendingBytes += entry.row.value.length
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
    // SQLite ends a transaction by itself when it fails for good.
    if (!this.#database.isTransaction) this.#inserted = 0
    while (this.#inserted < this.#pending.length) {
      if (!this.#database.isTransaction) this.#database.exec('BEGIN IMMEDIATE')
      this.#insert(this.#pending[this.#inserted]!)
      this.#inserted++
    }
  }

  get isCommitDue(): boolean {
    return this.#pending.length >= COMMIT_ENTRIES || this.#pendingBytes >= COMMIT_BYTES
  }

  commit(): void {
    if (this.#pending.length === 0) return
    this.settle()
    const { revision, compacted } = this.#counters
    this.#statements.meta.run(revision, compacted, this.#sequence)
    this.#database.exec('COMMIT')
    this.#pending = []
    this.#pendingBytes = 0
    this.#inserted = 0
  }

  get isFoldDue(): boolean {
    // NOOP (SQLite 3.51) only counts; an older SQLite takes it for PASSIVE, which is what follows anyway.
    const { log, checkpointed } = this.#statements.count.get() as unknown as LogState
    return log - checkpointed >= FOLD_PAGES
  }

  /**
   * Commits everything and makes it durable in the database itself: nothing needs the log any more. After a sync that failed
   * never again: what is in the log counts then, when the directory is opened anew.
   */
  fold(): void {
    if (this.#failure !== undefined) throw this.#failure
    this.commit()
    const state = this.#checkpoint()
    if (state.busy || state.log !== state.checkpointed) throw new Error('the checkpoint did not reach its end')
  }

  #checkpoint(): LogState {
    try {
      return this.#statements.checkpoint.get() as unknown as LogState
    } catch (error) {
      if (isFailedSync(error)) this.#failure = error
      throw error
    }
  }

  /** Deletes some of the rows that compaction freed; false when none was left. */
  sweep(): boolean {
    this.commit()
    const { passed, sweep, swept } = this.#statements
    const found = passed.get(this.#swept, firstRow(this.#counters.compacted + 1), SWEEP_ROWS)
    const { id } = found as unknown as { id: number | null }
    if (id === null) return false
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      sweep.run({ from: this.#swept, to: id })
      swept.run(id + 1)
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
    this.#swept = id + 1
    return true
  }

  /** The least recently written of many is forgotten. */
  #remember({ id, key, created, version, lease }: RowHead): void {
    this.#heads.delete(key)
    this.#heads.set(key, { id, key, created, version, lease })
    if (this.#heads.size <= KNOWN_HEADS) return
    for (const oldest of this.#heads.keys()) {
      this.#heads.delete(oldest)
      return
    }
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
  meta: database.prepare('UPDATE meta SET revision = ?, compacted = ?, sequence = ?'),
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
  swept: database.prepare('UPDATE meta SET swept = ?'),
  count: database.prepare('PRAGMA wal_checkpoint(NOOP)'),
  checkpoint: database.prepare('PRAGMA wal_checkpoint(PASSIVE)'),
})
