/**
 * The store's contract, shaped as etcd's: one revision that only grows, transactions that compare before they write,
 * watches that start at a revision and miss nothing. Every backend in `backends/` keeps it, and one suite
 * (`test/cluster/store/contract.ts`) runs unchanged over each.
 *
 * Promised: a write is acknowledged only when it is durable (it survives kill -9 and power loss); every write gets a
 * revision of its own transaction, one higher than the last; a watch delivers every change of its range once, in
 * revision order, and the changes of one transaction together; by the time a write's promise resolves, its changes
 * have been delivered to every watch of this process, so that whoever hears of the write can already see it.
 * Not promised: that history before the compacted revision can be read.
 */

/** Grows by one with each transaction that changes anything. 0: nothing was ever written. */
export type Revision = number

export interface KeyValue {
  readonly key: string
  readonly value: Uint8Array
  /** The revision of the write that made the key. */
  readonly createRevision: Revision
  /** The revision of the last write. */
  readonly modRevision: Revision
  /** 1 when created, one more with each write. */
  readonly version: number
  /** The lease that ends the key, 0 for none. */
  readonly lease: LeaseId
}

export type LeaseId = number

/** Keys from `start` (included) to `end` (excluded), by code unit order of UTF-8. */
export interface KeyRange {
  readonly start: string
  readonly end: string
}

/** The range of all keys that begin with `prefix`. */
export const prefixRange = (prefix: string): KeyRange => {
  const last = prefix.charCodeAt(prefix.length - 1)
  return { start: prefix, end: prefix.slice(0, -1) + String.fromCharCode(last + 1) }
}

export interface RangeOptions {
  /** Read as of this revision. Default: now. Problem `compacted` or `future` when it cannot be read. */
  readonly revision?: Revision
  /** At most so many keys. Default: all. To continue, ask again from `continueKey(last key)` at the same revision. */
  readonly limit?: number
  /** False: `count` is not wanted, which costs a look at every key of the range. Default: true. */
  readonly counted?: boolean
}

export interface RangeResult {
  readonly keyValues: readonly KeyValue[]
  /** Whether keys were left out because of `limit`. */
  readonly more: boolean
  /** How many keys the range holds, `limit` aside; how many were read when it was not to be counted. */
  readonly count: number
  /** The revision that the answer is of. */
  readonly revision: Revision
}

/** The first key after `key`: the start of the next page. */
export const continueKey = (key: string): string => `${key}\0`

export type Compare =
  /** Holds when the key's last write has this revision; 0 means that the key does not exist. */
  { readonly key: string; readonly modRevision: Revision }

export type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array; readonly lease?: LeaseId }
  | { readonly type: 'delete'; readonly key: string }

export interface Transaction {
  /** All must hold, or nothing is written. A key may be compared once, and written once. */
  readonly compare: readonly Compare[]
  readonly operations: readonly Operation[]
}

export type TransactionResult =
  /** `revision` is the transaction's own when it changed anything, else the current one. */
  | { readonly committed: true; readonly revision: Revision }
  /** What each compared key is now, in the order of `compare`; undefined: it does not exist. */
  | { readonly committed: false; readonly revision: Revision; readonly current: readonly (KeyValue | undefined)[] }

export interface Change {
  readonly type: 'put' | 'delete'
  /** For a delete: the key with an empty value, the revision of the deletion as modRevision, version 0. */
  readonly keyValue: KeyValue
}

/** The changes of one transaction within a watch's range. */
export interface ChangeSet {
  readonly revision: Revision
  readonly changes: readonly Change[]
}

export interface WatchOptions {
  /**
   * The first revision to deliver; one that is still to come is waited for. Default: from now on. To go on from a
   * range, pass its revision + 1. At or below the compacted revision the watch ends with `compacted`.
   */
  readonly from?: Revision
  /** Called in revision order, never concurrently, never before `watch` returned. Must not throw. */
  readonly deliver: (set: ChangeSet) => void
  /** Called once when the watch ends for a reason other than `close`: its history was compacted, the store closed. */
  readonly ended: (problem: StoreProblem) => void
}

export interface StoreWatch {
  /** No delivery follows. Idempotent. */
  close(): void
}

/** Why a read or a watch of history cannot be had. */
export type StoreProblem =
  | { readonly problem: 'compacted'; readonly compacted: Revision }
  | { readonly problem: 'future'; readonly current: Revision }
  | { readonly problem: 'closed' }

/** Thrown (rejected) by reads of a revision that cannot be had. */
export class StoreRevisionError extends Error {
  readonly problem: StoreProblem

  constructor(problem: StoreProblem) {
    super(`store: revision ${problem.problem}`)
    this.name = 'StoreRevisionError'
    this.problem = problem
  }
}

/** Thrown (rejected) by a transaction that puts a key under a lease that does not exist or has ended. */
export class StoreLeaseError extends Error {
  readonly lease: LeaseId

  constructor(lease: LeaseId) {
    super(`store: there is no lease ${lease}`)
    this.name = 'StoreLeaseError'
    this.lease = lease
  }
}

export interface Lease {
  readonly id: LeaseId
  /** Seconds. */
  readonly ttl: number
}

export interface Store {
  /** The revision of the last transaction that changed anything. */
  revision(): Promise<Revision>
  get(key: string, options?: Pick<RangeOptions, 'revision'>): Promise<KeyValue | undefined>
  range(range: KeyRange, options?: RangeOptions): Promise<RangeResult>
  /** The values that are put must not be changed afterwards: watches of this process get those very bytes. */
  transact(transaction: Transaction): Promise<TransactionResult>
  /** Events from `from` on; history first, then live, without a gap. */
  watch(range: KeyRange, options: WatchOptions): StoreWatch
  /**
   * Forgets history before `revision`: what each key was at it stays, and watches from later revisions. A revision that
   * was compacted already is left alone; one above the current is a StoreRevisionError `future`.
   */
  compact(revision: Revision): Promise<void>
  /**
   * A lease that ends, with all keys put under it, `ttl` seconds after its last `keepLease`. It outlives a restart of
   * the store, and has its whole `ttl` again then, since nobody could keep it meanwhile (as etcd does).
   * Its keys are deleted in one transaction, or in several where one cannot hold them. `ttl`: whole seconds, from 1.
   */
  grantLease(ttl: number): Promise<Lease>
  /** False when the lease has ended. */
  keepLease(id: LeaseId): Promise<boolean>
  revokeLease(id: LeaseId): Promise<void>
  /** Waits for what was accepted, then frees everything. Idempotent. */
  close(): Promise<void>
}
