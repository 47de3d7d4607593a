/**
 * What the store (main thread) and its worker say to each other over one port. Both directions keep their order: an
 * answer that was read at revision N arrives after every change up to N and before every change above it. Watches
 * stand on this: history and live changes join without a buffer.
 */
import type { ErrorCode } from '#lib/errors.ts'
import type {
  ChangeSet,
  KeyRange,
  KeyValue,
  LeaseId,
  RangeOptions,
  RangeResult,
  Revision,
  StoreProblem,
  Transaction,
  TransactionResult,
} from '../../kv.ts'

/** What the worker is started with. */
export interface WorkerOptions {
  /** The database's path; its folder exists. */
  readonly file: string
  /** The path of the file whose lock says that this process owns the database. */
  readonly lockFile: string
  /** The path of the log before the database. */
  readonly logFile: string
  /** The path of the file that says that the database was closed in order. */
  readonly markFile: string
}

export type ReadRequest =
  | { readonly type: 'get'; readonly key: string; readonly revision: Revision | undefined }
  | { readonly type: 'range'; readonly range: KeyRange; readonly options: RangeOptions }
  | { readonly type: 'history'; readonly range: KeyRange; readonly from: Revision }

export type WriteRequest =
  | { readonly type: 'transact'; readonly transaction: Transaction }
  | { readonly type: 'compact'; readonly revision: Revision }
  | { readonly type: 'grant-lease'; readonly ttl: number }
  | { readonly type: 'revoke-lease'; readonly lease: LeaseId }

/** One page of history: the sets of a range from a revision on. */
export interface HistoryPage {
  readonly sets: readonly ChangeSet[]
  /** Where the next page begins; undefined: `sets` reach the revision at which the page was read. */
  readonly next: Revision | undefined
}

/** What each request is answered with. */
export interface Answers {
  get: KeyValue | undefined
  range: RangeResult
  history: HistoryPage
  transact: TransactionResult
  compact: undefined
  'grant-lease': LeaseId
  'revoke-lease': undefined
}

export type Request = ReadRequest | WriteRequest
export interface Numbered {
  readonly id: number
  readonly request: Request
}
/**
 * A number begins a transaction: its id, how many comparisons, key and revision of each, how many operations, and of each
 * key, lease, and length of the value (-1: it is a deletion).
 */
export interface PackedRequests {
  readonly words: readonly (number | string | Numbered)[]
  /** In the order of the operations, and unused bytes behind them. */
  readonly values: Uint8Array<ArrayBuffer>
}

/** What was asked in one turn of the event loop comes together. */
export type Envelope = PackedRequests | 'close'

export type Failure =
  /** History that cannot be had. */
  | { readonly type: 'revision'; readonly problem: StoreProblem }
  /** A put under a lease that has ended. */
  | { readonly type: 'lease'; readonly lease: LeaseId }
  /** The world failed: disk full, file damaged. Nothing of the group was written. */
  | { readonly type: 'world'; readonly code: ErrorCode; readonly message: string }

export interface Answer {
  readonly id: number
  readonly outcome:
    | { readonly ok: true; readonly value: Answers[keyof Answers] }
    | { readonly ok: false; readonly failure: Failure }
  /** The transactions that the request made; to be delivered before it is answered. */
  readonly sets: readonly ChangeSet[]
}

/**
 * A number begins a transaction that was committed: its id, its revision, and of each operation the revision of the key's
 * creation and its version (-1: it did nothing). What else there is to know of it, whoever asked has.
 */
export type PackedAnswers = readonly (number | Answer)[]

export type Message =
  | {
      readonly type: 'opened'
      readonly revision: Revision
      readonly compacted: Revision
      readonly leases: readonly { readonly id: LeaseId; readonly ttl: number }[]
    }
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly message: string }
  | {
      readonly type: 'group'
      /** In the order in which they happened. */
      readonly answers: PackedAnswers
      /** How many write requests shared the batch; 0: only reads. */
      readonly writes: number
      /** How long the log took to have them, its sync included. Seconds. */
      readonly commitSeconds: number
    }
  /** Upkeep failed (a commit, a sweep): nothing is lost. It is tried again, but for a sync (table.ts). */
  | { readonly type: 'upkeep-failed'; readonly code: ErrorCode; readonly message: string }
  | { readonly type: 'closed' }
