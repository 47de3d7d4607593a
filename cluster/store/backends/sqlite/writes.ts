/**
 * Logical transactions inside the group's one SQLite transaction. Each compares against the state that the ones before
 * it left, and has a revision of its own. Runs in the worker.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import {
  type Change,
  type ChangeSet,
  type Compare,
  type LeaseId,
  type Operation,
  type Revision,
  StoreLeaseError,
  StoreRevisionError,
  type Transaction,
  type TransactionResult,
} from '../../kv.ts'
import { Reads, type Revisions } from './reads.ts'
import {
  firstRow,
  OPERATIONS_PER_TRANSACTION,
  type Row,
  type RowHead,
  revisionOf,
  toChange,
  toKeyValue,
} from './rows.ts'

/** Compacted rows that one sweep deletes: a few milliseconds, so that requests hardly wait behind it. */
const SWEEP_ROWS = 500

const NOTHING = new Uint8Array(0)

/** What a request came to, and the transactions to tell watches. */
export interface Written<Value> {
  readonly value: Value
  readonly sets: readonly ChangeSet[]
}

export class Writes {
  readonly reads: Reads
  readonly #revisions: { -readonly [Name in keyof Revisions]: Revisions[Name] }
  readonly #database: DatabaseSync
  readonly #end: StatementSync
  readonly #insert: StatementSync
  readonly #meta: StatementSync
  readonly #leaseExists: StatementSync
  readonly #leaseKeys: StatementSync
  readonly #sweep: StatementSync
  #saved: Revisions

  constructor(database: DatabaseSync) {
    this.#database = database
    const meta = database.prepare('SELECT revision, compacted FROM meta').get() as unknown as Revisions
    this.#revisions = { revision: meta.revision, compacted: meta.compacted }
    this.#saved = { ...this.#revisions }
    this.reads = new Reads(database, this.#revisions)
    this.#end = database.prepare('UPDATE history SET ended = ? WHERE id = ?')
    this.#insert = database.prepare(
      'INSERT INTO history (id, key, created, version, lease, ended, value) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    this.#meta = database.prepare('UPDATE meta SET revision = ?, compacted = ?')
    this.#leaseExists = database.prepare('SELECT 1 FROM lease WHERE id = ?')
    this.#leaseKeys = database.prepare(
      'SELECT key FROM history WHERE lease = ? AND lease <> 0 AND ended IS NULL ORDER BY key',
    )
    this.#sweep = database.prepare(
      'DELETE FROM history WHERE id IN (SELECT id FROM history WHERE ended <= ? ORDER BY ended LIMIT ?)',
    )
  }

  get revisions(): Revisions {
    return this.#revisions
  }

  get leases(): { readonly id: LeaseId; readonly ttl: number }[] {
    const rows = this.#database.prepare('SELECT id, ttl FROM lease').all() as unknown as { id: number; ttl: number }[]
    return rows.map(({ id, ttl }) => ({ id, ttl }))
  }

  begin(): void {
    this.#database.exec('BEGIN IMMEDIATE')
    this.#saved = { ...this.#revisions }
  }

  /** Returns once everything since `begin` is synced. On a throw nothing of it is there. */
  commit(): void {
    const { revision, compacted } = this.#revisions
    if (revision !== this.#saved.revision || compacted !== this.#saved.compacted) this.#meta.run(revision, compacted)
    this.#database.exec('COMMIT')
  }

  rollback(): void {
    Object.assign(this.#revisions, this.#saved)
    if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
  }

  /** @throws StoreLeaseError when a put names a lease that is not there; nothing is written then. */
  transact({ compare, operations }: Transaction): Written<TransactionResult> {
    const { revision } = this.#revisions
    const heads = new Map(compare.map(({ key }) => [key, this.reads.head(key)]))
    if (!compare.every(condition => holds(condition, heads.get(condition.key)))) {
      const current = compare.map(({ key }) => {
        const row = this.reads.live(key)
        return row && toKeyValue(row)
      })
      return { value: { committed: false, revision, current }, sets: [] }
    }
    for (const operation of operations) {
      if (operation.type === 'put' && operation.lease && !this.#leaseExists.get(operation.lease)) {
        throw new StoreLeaseError(operation.lease)
      }
    }
    const set = this.#apply(operations, heads)
    return { value: { committed: true, revision: set?.revision ?? revision }, sets: set ? [set] : [] }
  }

  /** @throws StoreRevisionError */
  compact(revision: Revision): undefined {
    const { revision: current, compacted } = this.#revisions
    if (revision > current) throw new StoreRevisionError({ problem: 'future', current })
    this.#revisions.compacted = Math.max(revision, compacted)
  }

  grantLease(ttl: number): LeaseId {
    const { lastInsertRowid } = this.#database.prepare('INSERT INTO lease (ttl) VALUES (?)').run(ttl)
    return Number(lastInsertRowid)
  }

  /** Deletes the lease and its keys, in one transaction as far as one can hold them. */
  revokeLease(lease: LeaseId): ChangeSet[] {
    const keys = this.#leaseKeys.all(lease) as unknown as { key: string }[]
    const sets: ChangeSet[] = []
    for (let done = 0; done < keys.length; done += OPERATIONS_PER_TRANSACTION) {
      const part = keys.slice(done, done + OPERATIONS_PER_TRANSACTION)
      const set = this.#apply(part.map(({ key }) => ({ type: 'delete', key })))
      if (set) sets.push(set)
    }
    this.#database.prepare('DELETE FROM lease WHERE id = ?').run(lease)
    return sets
  }

  /** Deletes some of the rows that compaction freed; false when none was left. */
  sweep(): boolean {
    return this.#sweep.run(this.#revisions.compacted, SWEEP_ROWS).changes === SWEEP_ROWS
  }

  /** `heads`: rows that have just been looked up. */
  #apply(operations: readonly Operation[], heads?: ReadonlyMap<string, RowHead | undefined>): ChangeSet | undefined {
    const revision = this.#revisions.revision + 1
    const changes: Change[] = []
    for (const operation of operations) {
      const { key } = operation
      const previous = heads?.has(key) ? heads.get(key) : this.reads.head(key)
      if (operation.type === 'delete' && !previous) continue
      const row = successor(operation, previous, firstRow(revision) + changes.length)
      if (previous) this.#end.run(revision, previous.id)
      const ended = operation.type === 'delete' ? revision : null
      this.#insert.run(row.id, row.key, row.created, row.version, row.lease, ended, row.value)
      changes.push(toChange(row))
    }
    if (changes.length === 0) return undefined
    this.#revisions.revision = revision
    return { revision, changes }
  }
}

const holds = ({ modRevision }: Compare, head: RowHead | undefined): boolean =>
  modRevision === (head ? revisionOf(head) : 0)

const successor = (operation: Operation, previous: RowHead | undefined, id: number): Row =>
  operation.type === 'delete'
    ? { id, key: operation.key, created: 0, version: 0, lease: 0, value: NOTHING }
    : {
        id,
        key: operation.key,
        created: previous?.created ?? Math.floor(id / firstRow(1)),
        version: (previous?.version ?? 0) + 1,
        lease: operation.lease ?? 0,
        value: operation.value,
      }
