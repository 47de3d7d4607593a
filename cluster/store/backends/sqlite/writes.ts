/**
 * The writes of one group, each compared against the state that the ones before it left, with a revision of its own. What
 * they change is collected: nothing has happened until the log has it. Runs in the worker.
 */
import {
  type Change,
  type ChangeSet,
  type Compare,
  type KeyValue,
  type LeaseId,
  type Operation,
  type Revision,
  StoreLeaseError,
  StoreRevisionError,
  type Transaction,
  type TransactionResult,
} from '../../kv.ts'
import type { Entry } from './batch.ts'
import {
  firstRow,
  OPERATIONS_PER_TRANSACTION,
  type Row,
  type RowHead,
  revisionOf,
  toChange,
  toKeyValue,
} from './rows.ts'

const NOTHING = new Uint8Array(0)

/** What a request came to, and the transactions to tell watches. */
export interface Written<Value> {
  readonly value: Value
  readonly sets: readonly ChangeSet[]
}

/** What the store's own counters say. */
export interface Counters {
  readonly revision: Revision
  readonly compacted: Revision
  /** The last lease that was ever granted. */
  readonly lastLease: LeaseId
}

/** The state before the group. */
export interface Before {
  readonly counters: Counters
  head(key: string): RowHead | undefined
  live(key: string): Row | undefined
  hasLease(lease: LeaseId): boolean
  /** In order. */
  keysOfLease(lease: LeaseId): string[]
}

export class Writes {
  readonly entries: Entry[] = []
  readonly #before: Before
  readonly #counters: { -readonly [Name in keyof Counters]: Counters[Name] }
  /** The last row of each key that the group wrote. */
  readonly #rows = new Map<string, Row>()
  readonly #leases = new Map<LeaseId, 'granted' | 'revoked'>()

  constructor(before: Before) {
    this.#before = before
    this.#counters = { ...before.counters }
  }

  /** @throws StoreLeaseError when a put names a lease that is not there; nothing is written then. */
  transact({ compare, operations }: Transaction): Written<TransactionResult> {
    const { revision } = this.#counters
    if (!compare.every(condition => holds(condition, this.#head(condition.key)))) {
      return { value: { committed: false, revision, current: compare.map(({ key }) => this.#live(key)) }, sets: [] }
    }
    for (const operation of operations) {
      if (operation.type === 'put' && operation.lease && !this.#hasLease(operation.lease)) {
        throw new StoreLeaseError(operation.lease)
      }
    }
    const set = this.#apply(operations)
    return { value: { committed: true, revision: set?.revision ?? revision }, sets: set ? [set] : [] }
  }

  /** @throws StoreRevisionError */
  compact(revision: Revision): undefined {
    const { revision: current, compacted } = this.#counters
    if (revision > current) throw new StoreRevisionError({ problem: 'future', current })
    if (revision <= compacted) return
    this.#counters.compacted = revision
    this.entries.push({ type: 'compact', revision })
  }

  grantLease(ttl: number): LeaseId {
    const lease = ++this.#counters.lastLease
    this.#leases.set(lease, 'granted')
    this.entries.push({ type: 'grant', lease, ttl })
    return lease
  }

  /** Deletes the lease and its keys, in one transaction as far as one can hold them. */
  revokeLease(lease: LeaseId): ChangeSet[] {
    const keys = this.#keysOfLease(lease)
    const sets: ChangeSet[] = []
    for (let done = 0; done < keys.length; done += OPERATIONS_PER_TRANSACTION) {
      const part = keys.slice(done, done + OPERATIONS_PER_TRANSACTION)
      const set = this.#apply(part.map(key => ({ type: 'delete', key })))
      if (set) sets.push(set)
    }
    if (this.#hasLease(lease)) {
      this.#leases.set(lease, 'revoked')
      this.entries.push({ type: 'revoke', lease })
    }
    return sets
  }

  #head(key: string): RowHead | undefined {
    const row = this.#rows.get(key)
    return row ? alive(row) : this.#before.head(key)
  }

  #live(key: string): KeyValue | undefined {
    const written = this.#rows.get(key)
    if (!written) {
      const row = this.#before.live(key)
      return row && toKeyValue(row)
    }
    // A view of the values of many: posting it would post them all.
    return alive(written) && toKeyValue({ ...written, value: written.value.slice() })
  }

  #hasLease(lease: LeaseId): boolean {
    const here = this.#leases.get(lease)
    return here ? here === 'granted' : this.#before.hasLease(lease)
  }

  #keysOfLease(lease: LeaseId): string[] {
    const keys = this.#before.keysOfLease(lease).filter(key => !this.#rows.has(key))
    for (const row of this.#rows.values()) if (row.version > 0 && row.lease === lease) keys.push(row.key)
    return keys
  }

  #apply(operations: readonly Operation[]): ChangeSet | undefined {
    const revision = this.#counters.revision + 1
    const changes: Change[] = []
    for (const operation of operations) {
      const { key } = operation
      const previous = this.#head(key)
      if (operation.type === 'delete' && !previous) continue
      const row = successor(operation, previous, firstRow(revision) + changes.length)
      this.#rows.set(key, row)
      this.entries.push({ type: 'row', row })
      changes.push(toChange(row))
    }
    if (changes.length === 0) return undefined
    this.#counters.revision = revision
    return { revision, changes }
  }
}

const alive = (row: Row): Row | undefined => (row.version === 0 ? undefined : row)

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
