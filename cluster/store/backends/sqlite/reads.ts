/** Reads of the committed state, now or as of a revision, and of the log. Runs in the worker. */
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import {
  type Change,
  type ChangeSet,
  type KeyRange,
  type KeyValue,
  type RangeOptions,
  type RangeResult,
  type Revision,
  StoreRevisionError,
} from '../../kv.ts'
import type { HistoryPage } from './messages.ts'
import { COLUMNS, firstRow, HEAD_COLUMNS, type Row, type RowHead, revisionOf, toChange, toKeyValue } from './rows.ts'

/** Rows in one page of history: about a megabyte of Kubernetes objects, a few milliseconds of the worker's time. */
const HISTORY_PAGE = 1_000

/** What the store's own counters say; kept by the writer. */
export interface Revisions {
  readonly revision: Revision
  readonly compacted: Revision
}

export class Reads {
  readonly #revisions: Revisions
  readonly #live: StatementSync
  readonly #head: StatementSync
  readonly #rangeNow: StatementSync
  readonly #countNow: StatementSync
  readonly #rangeThen: StatementSync
  readonly #countThen: StatementSync
  readonly #log: StatementSync

  constructor(database: DatabaseSync, revisions: Revisions) {
    this.#revisions = revisions
    const inRange = 'key >= :start AND key < :end'
    const now = `${inRange} AND ended IS NULL`
    // At a revision a key is what was written up to it and not yet ended at it. Two partial indexes, merged by key.
    const lived = (columns: string) =>
      `SELECT ${columns} FROM history WHERE ${now} AND id < :after
       UNION ALL
       SELECT ${columns} FROM history WHERE ${inRange} AND ended > :revision AND id < :after`
    this.#live = database.prepare(`SELECT ${COLUMNS} FROM history WHERE key = ? AND ended IS NULL`)
    this.#head = database.prepare(`SELECT ${HEAD_COLUMNS} FROM history WHERE key = ? AND ended IS NULL`)
    this.#rangeNow = database.prepare(`SELECT ${COLUMNS} FROM history WHERE ${now} ORDER BY key LIMIT :limit`)
    this.#countNow = database.prepare(`SELECT count(*) AS count FROM history WHERE ${now}`)
    this.#rangeThen = database.prepare(`${lived(COLUMNS)} ORDER BY key LIMIT :limit`)
    this.#countThen = database.prepare(`SELECT count(*) AS count FROM (${lived('id')})`)
    this.#log = database.prepare(`SELECT ${COLUMNS} FROM history WHERE id >= :first AND ${inRange} ORDER BY id`)
  }

  /** The key as it is now, within the writer's open transaction too. */
  live(key: string): Row | undefined {
    return this.#live.get(key) as Row | undefined
  }

  /** The same without the value, which may be megabytes. */
  head(key: string): RowHead | undefined {
    return this.#head.get(key) as RowHead | undefined
  }

  get(key: string, revision: Revision | undefined): KeyValue | undefined {
    if (revision !== undefined) return this.range({ start: key, end: `${key}\0` }, { revision }).keyValues[0]
    const row = this.live(key)
    return row && toKeyValue(row)
  }

  /** @throws StoreRevisionError */
  range({ start, end }: KeyRange, { revision, limit }: RangeOptions): RangeResult {
    const as = this.#readable(revision)
    const bounds = { start, end }
    const then = { ...bounds, revision: as, after: firstRow(as + 1) }
    const now = as === this.#revisions.revision
    const page = { limit: limit ?? -1 }
    const rows = (
      now ? this.#rangeNow.all({ ...bounds, ...page }) : this.#rangeThen.all({ ...then, ...page })
    ) as unknown
    const keyValues = (rows as Row[]).map(toKeyValue)
    // A page that is not full is the whole: only a full one needs the count.
    if (limit === undefined || keyValues.length < limit) {
      return { keyValues, more: false, count: keyValues.length, revision: as }
    }
    const counted = now ? this.#countNow.get(bounds) : this.#countThen.get(then)
    const { count } = counted as unknown as { count: number }
    return { keyValues, more: count > keyValues.length, count, revision: as }
  }

  /** @throws StoreRevisionError when `from` was compacted */
  history(range: KeyRange, from: Revision): HistoryPage {
    const { compacted } = this.#revisions
    if (compacted > 0 && from <= compacted) throw new StoreRevisionError({ problem: 'compacted', compacted })
    const sets: ChangeSet[] = []
    let changes: Change[] = []
    let revision = 0
    let read = 0
    const rows = this.#log.iterate({ first: firstRow(from), start: range.start, end: range.end })
    for (const row of rows as unknown as Iterable<Row>) {
      if (revisionOf(row) !== revision) {
        // A page ends between transactions, never within one.
        if (read >= HISTORY_PAGE) return { sets, next: revisionOf(row) }
        revision = revisionOf(row)
        changes = []
        sets.push({ revision, changes })
      }
      changes.push(toChange(row))
      read++
    }
    return { sets, next: undefined }
  }

  #readable(revision: Revision | undefined): Revision {
    const { revision: current, compacted } = this.#revisions
    if (revision === undefined) return current
    if (revision > current) throw new StoreRevisionError({ problem: 'future', current })
    if (revision < compacted) throw new StoreRevisionError({ problem: 'compacted', compacted })
    return revision
  }
}
