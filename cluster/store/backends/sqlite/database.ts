/**
 * The database file and the log before it: opened by one process at a time, checked, brought to the schema. Runs in the
 * worker.
 *
 * Promised: whatever happens, the database is whole and of one moment, that of its last commit (a rollback journal and
 * `synchronous=FULL`): what came later is in the log. A file that is not ours, is damaged, or was written by a newer Seamark
 * is refused before anything in it changes but what SQLite itself sets right: it undoes a commit that was cut short, and
 * brings in what its own log has, which earlier versions kept.
 */
import assert from 'node:assert'
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { type ErrorCode, SeamarkError, systemCode } from '#lib/errors.ts'
import { CleanMark } from './clean-mark.ts'
import { Log } from './log.ts'
import type { WorkerOptions } from './messages.ts'

/** `SEAM`, in the header of every database of ours (SQLite's application_id). */
const APPLICATION_ID = 0x5345_414d
/** SQLite's user_version. Grows with each change of the schema. */
const SCHEMA_VERSION = 2

/**
 * Each row is what one transaction made of a key; a deletion is a row of version 0. Rows are only added, until a compaction
 * deletes those that no revision after it can see. `id` is the revision times 4096 plus the place in its transaction, so
 * the table itself is history in order. The last row of a key that begins before a revision is what it was at it: the
 * index has the key's rows in order, and their versions, so that counting does not read rows.
 *
 * `sequence` is the last batch of the log that the database has, `log` the identity of that log; all rows before `swept`
 * have been looked at by a sweep.
 */
const META = `
  CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    revision INTEGER NOT NULL,
    compacted INTEGER NOT NULL,
    sequence INTEGER NOT NULL DEFAULT 0,
    swept INTEGER NOT NULL DEFAULT 0,
    log BLOB
  );
  INSERT INTO meta (one, revision, compacted) VALUES (1, 0, 0);
`
const TABLES = `
  CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    created INTEGER NOT NULL,
    version INTEGER NOT NULL,
    lease INTEGER NOT NULL,
    value BLOB NOT NULL
  );
  CREATE TABLE lease (id INTEGER PRIMARY KEY AUTOINCREMENT, ttl INTEGER NOT NULL);
`
const INDEXES = `
  CREATE UNIQUE INDEX history_key ON history (key, id, version);
  CREATE INDEX history_of_lease ON history (lease) WHERE lease <> 0;
`
/** From version 1, where a row told when it ended (a column that is left alone) and there was no log. */
const CHANGES = `
  ALTER TABLE meta ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE meta ADD COLUMN swept INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE meta ADD COLUMN log BLOB;
  DROP INDEX history_live;
  DROP INDEX history_past;
  DROP INDEX history_ended;
  DROP INDEX history_lease;
`

/** SQLite's primary result codes (sqlite.org/rescode.html) that have an answer of their own. */
const SQLITE_BUSY = 5
const SQLITE_READONLY = 8
const SQLITE_IOERR = 10
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_CANTOPEN = 14
const SQLITE_NOTADB = 26
/** A journal that may not be made is one of them (SQLITE_READONLY_DIRECTORY). */
const DISK_FAILURES: ReadonlySet<number> = new Set([SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN])

const resultCode = (error: unknown): number | undefined =>
  typeof error === 'object' && error !== null && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : undefined

/** SQLite's extended code of a sync that the system refused. */
const SQLITE_IOERR_FSYNC = 1034

/** After it nobody knows which of what was written before is on the disk; a further sync would call all of it good. */
export const isFailedSync = (error: unknown): boolean =>
  typeof error === 'object' && error !== null && 'errcode' in error && error.errcode === SQLITE_IOERR_FSYNC

/** The disk did not take something, or gave something back: SQLite may have ended the transaction. */
export const isDiskFailure = (error: unknown): boolean => DISK_FAILURES.has(resultCode(error) ?? 0)

/** `memory`: only for what is never committed. */
export const setJournalMode = (database: DatabaseSync, mode: 'truncate' | 'memory'): void => {
  assert.equal(pragma(database, `journal_mode = ${mode}`), mode)
}

/** What a failure of SQLite or the system means to the people who run it. Anything else is a bug and thrown on. */
export const worldFailure = (error: unknown, file: string): SeamarkError => {
  if (error instanceof SeamarkError) return error
  const code = resultCode(error)
  if (code === undefined && !systemCode(error)?.startsWith('E')) throw error
  const reason = (error as Error).message
  const verdict: ErrorCode =
    code === SQLITE_BUSY
      ? 'DATA_DIR_LOCKED'
      : code === SQLITE_CORRUPT || code === SQLITE_NOTADB
        ? 'STORE_CORRUPT'
        : 'DATA_DIR_UNUSABLE'
  return new SeamarkError(verdict, `${file}: ${reason}`, { cause: error })
}

/** A database that this process alone has open. */
export interface OpenDatabase {
  readonly database: DatabaseSync
  readonly log: Log
  /** `whole`: the database has all that the log has. Gives the lock back. */
  close(options: { readonly whole: boolean }): void
}

/**
 * Takes the lock and opens the database and its log, making them when there are none.
 * @throws SeamarkError DATA_DIR_LOCKED, DATA_DIR_FOREIGN, DATA_DIR_UNUSABLE, STORE_CORRUPT, STORE_NEWER
 */
export const openDatabase = ({ file, lockFile, logFile, markFile }: WorkerOptions): OpenDatabase => {
  const lock = takeLock(lockFile)
  let database: DatabaseSync | undefined
  try {
    const mark = new CleanMark(markFile, file)
    database = new DatabaseSync(file, { enableForeignKeyConstraints: false })
    // Known before anything is written.
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    const version = checkIdentity(database, file)
    if (version > 0 && !mark.holds()) checkPages(database, file)
    const known = version < SCHEMA_VERSION ? undefined : openLog(database, logFile)
    // Who reads stands in the way of a commit. (Making the tables locks them out, too.)
    if (known) database.exec('BEGIN EXCLUSIVE; COMMIT')
    mark.remove()
    setJournalMode(database, 'truncate')
    database.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA temp_store = MEMORY')
    // What is committed late is not written early.
    database.exec('PRAGMA cache_spill = OFF; PRAGMA cache_size = -16384')
    const log = known ?? bringToSchema(database, version, logFile)
    return opened({ database, lock, log, mark })
  } catch (error) {
    database?.close()
    lock.close()
    throw worldFailure(error, file)
  }
}

interface Parts {
  readonly database: DatabaseSync
  readonly lock: DatabaseSync
  readonly log: Log
  readonly mark: CleanMark
}

const opened = ({ database, lock, log, mark }: Parts): OpenDatabase => ({
  database,
  log,
  close({ whole }) {
    log.close()
    // Deletes the journal, which is empty.
    if (whole) database.exec('PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = DELETE')
    database.close()
    if (whole) mark.set()
    lock.close()
  },
})

/**
 * An exclusive transaction on a small file of its own: the system gives the lock back however the process ends, and
 * SQLite also refuses a second opener in the same process.
 */
const takeLock = (lockFile: string): DatabaseSync => {
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(lockFile, { timeout: 0 })
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock?.close()
    if (resultCode(error) === SQLITE_BUSY) {
      throw new SeamarkError('DATA_DIR_LOCKED', `${lockFile} is locked by another process`, { cause: error })
    }
    throw worldFailure(error, lockFile)
  }
}

const pragma = (database: DatabaseSync, name: string): unknown =>
  Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]

/** The version of the schema; 0: the database is empty. Refuses what is not ours or newer than we are. */
const checkIdentity = (database: DatabaseSync, file: string): number => {
  const application = pragma(database, 'application_id')
  const version = pragma(database, 'user_version') as number
  const objects = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get() as { count: number }
  if (application === 0 && objects.count === 0) return 0
  if (application !== APPLICATION_ID) {
    throw new SeamarkError('DATA_DIR_FOREIGN', `${file} is a database of another program`)
  }
  if (version > SCHEMA_VERSION) {
    throw new SeamarkError(
      'STORE_NEWER',
      `${file} has schema version ${version}; this Seamark knows versions up to ${SCHEMA_VERSION}`,
    )
  }
  return version
}

/** Reads the whole file: a second for a hundred megabytes. */
const checkPages = (database: DatabaseSync, file: string): void => {
  const verdict = pragma(database, 'quick_check(1)')
  if (verdict !== 'ok') throw new SeamarkError('STORE_CORRUPT', `${file} is damaged: ${String(verdict)}`)
}

/** The log that the database names. */
const openLog = (database: DatabaseSync, file: string): Log => {
  if (!existsSync(file)) {
    throw new SeamarkError(
      'STORE_CORRUPT',
      `${file} is missing: it may hold acknowledged writes that the database has not`,
    )
  }
  const log = Log.open(file)
  const { log: identity } = database.prepare('SELECT log FROM meta').get() as { log: Uint8Array }
  if (Buffer.compare(identity, log.identity) === 0) return log
  log.close()
  throw new SeamarkError('STORE_CORRUPT', `${file} belongs to another database than the one beside it`)
}

/** Makes the tables, or brings them up to date, with a log of their own. Durable when it returns. */
const bringToSchema = (database: DatabaseSync, version: number, logFile: string): Log => {
  const log = newLog(logFile)
  const changes = (version === 0 ? META + TABLES : CHANGES) + INDEXES
  const identities = `PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION};`
  database.exec(`BEGIN IMMEDIATE; ${changes} ${identities}`)
  database.prepare('UPDATE meta SET log = ?').run(log.identity)
  database.exec('COMMIT')
  return log
}

/** What lies there already is from an opening that did not come to its end, or somebody's only copy. */
const newLog = (file: string): Log => {
  if (existsSync(file)) {
    const old = Log.open(file)
    const batches = old.batches(0)
    old.close()
    if (batches.length > 0) {
      throw new SeamarkError(
        'STORE_CORRUPT',
        `${file} holds acknowledged writes, but the database beside it is another`,
      )
    }
  }
  return Log.create(file)
}
