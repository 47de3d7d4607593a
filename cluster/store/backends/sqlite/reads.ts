/** Reads of the state, now or as of a revision, and of history. Runs in the worker. */
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

/** What the store's own counters say now. */
type Revisions = () => { readonly revision: Revision; readonly compacted: Revision }

export class Reads {
  readonly #revisions: Revisions
  readonly #live: StatementSync
  readonly #head: StatementSync
  readonly #range: StatementSync
  readonly #count: StatementSync
  readonly #history: StatementSync

  constructor(database: DatabaseSync, revisions: Revisions) {
    this.#revisions = revisions
    const last = 'SELECT * FROM history WHERE key = ? ORDER BY id DESC LIMIT 1'
    this.#live = database.prepare(last.replace('*', COLUMNS))
    this.#head = database.prepare(last.replace('*', HEAD_COLUMNS))
    const within = 'key >= :start AND key < :end AND id < :after'
    this.#range = database.prepare(
      `SELECT ${COLUMNS} FROM history AS row WHERE ${within} AND version > 0 AND NOT EXISTS
         (SELECT 1 FROM history WHERE key = row.key AND id > row.id AND id < :after)
       ORDER BY key LIMIT :limit`,
    )
    // The version is that of the greatest id (sqlite.org/lang_select.html, "bare columns").
    this.#count = database.prepare(
      `SELECT count(*) AS count FROM
         (SELECT max(id), version FROM history WHERE ${within} GROUP BY key HAVING version > 0)`,
    )
    // The unary plus keeps the order of ids: it hides the keys from the index.
    this.#history = database.prepare(
      `SELECT ${COLUMNS} FROM history WHERE id >= :first AND +key >= :start AND +key < :end ORDER BY id`,
    )
  }

  /** The key as it is now, within the writer's open transaction too. */
  live(key: string): Row | undefined {
    return alive(this.#live.get(key) as Row | undefined)
  }

  /** The same without the value, which may be megabytes. */
  head(key: string): RowHead | undefined {
    return alive(this.#head.get(key) as RowHead | undefined)
  }

  get(key: string, revision: Revision | undefined): KeyValue | undefined {
    if (revision !== undefined) return this.range({ start: key, end: `${key}\0` }, { revision }).keyValues[0]
    const row = this.live(key)
    return row && toKeyValue(row)
  }

  /** @throws StoreRevisionError */
  range({ start, end }: KeyRange, { revision, limit, counted = true }: RangeOptions): RangeResult {
    const as = this.#readable(revision)
    const bounds = { start, end, after: firstRow(as + 1) }
    // One more than is wanted tells whether there is more.
    const rows = this.#range.all({ ...bounds, limit: limit === undefined ? -1 : limit + 1 }) as unknown as Row[]
    const more = limit !== undefined && rows.length > limit
    if (more) rows.length = limit
    const keyValues = rows.map(toKeyValue)
    return { keyValues, more, count: more && counted ? this.#countOf(bounds) : keyValues.length, revision: as }
  }

  #countOf(bounds: Readonly<Record<'start' | 'end', string> & Record<'after', number>>): number {
    return (this.#count.get(bounds) as unknown as { count: number }).count
  }

  /** @throws StoreRevisionError when `from` was compacted */
  history(range: KeyRange, from: Revision): HistoryPage {
    const { compacted } = this.#revisions()
    if (compacted > 0 && from <= compacted) throw new StoreRevisionError({ problem: 'compacted', compacted })
    const sets: ChangeSet[] = []
    let changes: Change[] = []
    let revision = 0
    let read = 0
    const rows = this.#history.iterate({ first: firstRow(from), start: range.start, end: range.end })
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
    const { revision: current, compacted } = this.#revisions()
    if (revision === undefined) return current
    if (revision > current) throw new StoreRevisionError({ problem: 'future', current })
    if (revision < compacted) throw new StoreRevisionError({ problem: 'compacted', compacted })
    return revision
  }
}

const alive = <Head extends RowHead>(row: Head | undefined): Head | undefined => (row?.version === 0 ? undefined : row)
