/** How a key's history lies in the table: see the schema in `database.ts`. */
import type { Change, KeyValue, Revision } from '../../kv.ts'

/** Rows of one transaction have places 0–4095 under its revision; etcd's own default allows 128 operations. */
export const OPERATIONS_PER_TRANSACTION = 4_096

/** The columns of a row without what may be large: all that a write must know of what it replaces. */
export const HEAD_COLUMNS = 'id, key, created, version, lease'
/** The columns that make a key's value, in every SELECT. */
export const COLUMNS = `${HEAD_COLUMNS}, value`

export interface RowHead {
  readonly id: number
  readonly key: string
  readonly created: Revision
  readonly version: number
  readonly lease: number
}

export interface Row extends RowHead {
  readonly value: Uint8Array
}

/** The first row that a transaction of this revision may have. */
export const firstRow = (revision: Revision): number => revision * OPERATIONS_PER_TRANSACTION

export const revisionOf = (row: RowHead): Revision => Math.floor(row.id / OPERATIONS_PER_TRANSACTION)

export const toKeyValue = (row: Row): KeyValue => ({
  key: row.key,
  value: row.value,
  createRevision: row.created,
  modRevision: revisionOf(row),
  version: row.version,
  lease: row.lease,
})

export const toChange = (row: Row): Change => ({
  type: row.version === 0 ? 'delete' : 'put',
  keyValue: toKeyValue(row),
})
