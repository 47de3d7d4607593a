/**
 * The database file: opened by one process at a time, checked, brought to the schema. Runs in the worker.
 *
 * Promised: a commit returns after its frames are synced in the write-ahead log (`synchronous=FULL`), so it survives
 * kill -9 and power loss; a file that is not ours, is damaged, or was written by a newer Seamark is refused before
 * anything in it changes.
 */
import { DatabaseSync } from 'node:sqlite'
import { type ErrorCode, SeamarkError } from '#lib/errors.ts'
import type { WorkerOptions } from './messages.ts'

/** `SEAM`, in the header of every database of ours (SQLite's application_id). */
const APPLICATION_ID = 0x5345_414d
/** SQLite's user_version. Grows with each change of the schema. */
const SCHEMA_VERSION = 1

/**
 * Each row is a key from the transaction that wrote it until the one that replaced or deleted it (`ended`). A deletion
 * is a row too, of version 0, that ends where it begins: reads never see it, watches do. `id` is the revision times
 * 4096 plus the place in its transaction, so the table itself is the log in order.
 */
const SCHEMA = `
  CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL, compacted INTEGER NOT NULL);
  INSERT INTO meta VALUES (1, 0, 0);
  CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    created INTEGER NOT NULL,
    version INTEGER NOT NULL,
    lease INTEGER NOT NULL,
    ended INTEGER,
    value BLOB NOT NULL
  );
  CREATE UNIQUE INDEX history_live ON history (key) WHERE ended IS NULL;
  CREATE INDEX history_past ON history (key, ended) WHERE ended IS NOT NULL;
  CREATE INDEX history_ended ON history (ended) WHERE ended IS NOT NULL;
  CREATE INDEX history_lease ON history (lease) WHERE lease <> 0 AND ended IS NULL;
  CREATE TABLE lease (id INTEGER PRIMARY KEY AUTOINCREMENT, ttl INTEGER NOT NULL);
`

/** SQLite's primary result codes (sqlite.org/rescode.html) that have an answer of their own. */
const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

const resultCode = (error: unknown): number | undefined =>
  typeof error === 'object' && error !== null && 'errcode' in error && typeof error.errcode === 'number'
    ? error.errcode & 0xff
    : undefined

/** What a failure of SQLite means to the people who run it. Anything that is not SQLite's is a bug and thrown on. */
export const worldFailure = (error: unknown, file: string): SeamarkError => {
  if (error instanceof SeamarkError) return error
  const code = resultCode(error)
  if (code === undefined) throw error
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
  /** Folds the log into the database and gives the lock back. */
  close(): void
}

/**
 * Takes the lock and opens the database, making it when there is none.
 * @throws SeamarkError DATA_DIR_LOCKED, DATA_DIR_FOREIGN, DATA_DIR_UNUSABLE, STORE_CORRUPT, STORE_NEWER
 */
export const openDatabase = ({ file, lockFile }: WorkerOptions): OpenDatabase => {
  const lock = takeLock(lockFile)
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(file, { enableForeignKeyConstraints: false })
    // Known before anything is written. With the exclusive mode the log's index lives in this process's memory.
    database.exec('PRAGMA locking_mode = EXCLUSIVE')
    const fresh = checkIdentity(database, file)
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = ON')
    // Checkpoints are the worker's to time: after a group's acknowledgement, not before.
    database.exec('PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY')
    if (fresh) {
      database.exec(
        `BEGIN IMMEDIATE; ${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`,
      )
    }
    return close(database, lock)
  } catch (error) {
    database?.close()
    lock.close()
    throw worldFailure(error, file)
  }
}

const close = (database: DatabaseSync, lock: DatabaseSync): OpenDatabase => ({
  database,
  close() {
    database.close()
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

/** Whether the database is empty and needs its schema. Refuses what is not ours, not whole, or newer than we are. */
const checkIdentity = (database: DatabaseSync, file: string): boolean => {
  const application = pragma(database, 'application_id')
  const version = pragma(database, 'user_version') as number
  const objects = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get() as { count: number }
  if (application === 0 && objects.count === 0) return true
  if (application !== APPLICATION_ID) {
    throw new SeamarkError('DATA_DIR_FOREIGN', `${file} is a database of another program`)
  }
  if (version > SCHEMA_VERSION) {
    throw new SeamarkError(
      'STORE_NEWER',
      `${file} has schema version ${version}; this Seamark knows versions up to ${SCHEMA_VERSION}`,
    )
  }
  const verdict = pragma(database, 'quick_check(1)')
  if (verdict !== 'ok') throw new SeamarkError('STORE_CORRUPT', `${file} is damaged: ${String(verdict)}`)
  return false
}
