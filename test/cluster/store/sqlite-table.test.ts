/** The database behind the log, when SQLite gives up the transaction that is open. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { BatchEncoder, type Entry, PAGE } from '#cluster/store/backends/sqlite/batch.ts'
import { type OpenDatabase, openDatabase } from '#cluster/store/backends/sqlite/database.ts'
import { Table } from '#cluster/store/backends/sqlite/table.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { bytes, everything } from './contract/place.ts'

interface Place extends OpenDatabase {
  readonly table: Table
  readonly logFile: string
  /** Puts these keys, in a batch of their own, as the worker does. */
  put(...keys: string[]): void
  compact(revision: number): void
}

const place = (t: ExecutionContext): Place => {
  const directory = temporaryFolder(t)
  const file = (name: string): string => join(directory, name)
  const logFile = file('store.log')
  const open = openDatabase({
    file: file('store.sqlite'),
    lockFile: file('store.lock'),
    logFile,
    markFile: file('store.clean'),
  })
  t.teardown(() => open.close({ whole: false }))
  const table = new Table(open.database, open.log)
  const encoder = new BatchEncoder(open.log.seed)
  const append = (entries: Entry[]): void => {
    const sequence = table.sequence + 1
    open.log.append(encoder.encode(sequence, entries))
    table.take({ sequence, entries })
    table.settle()
  }
  const put = (...keys: string[]): void => {
    const { revision } = table.counters
    const rows = keys.map((key, index) => {
      const created = revision + 1 + index
      return { id: 4_096 * created, key, created, version: 1, lease: 0, value: bytes(key) }
    })
    append(rows.map(row => ({ type: 'row', row })))
  }
  return { ...open, table, logFile, put, compact: revision => append([{ type: 'compact', revision }]) }
}

const keysIn = ({ table }: Place): string[] => {
  table.settle()
  return table.reads.range(everything, {}).keyValues.map(({ key }) => key)
}

test('what SQLite gave up is read again from the log, and committed', t => {
  const here = place(t)
  here.put('/a', '/b')
  here.table.commit()
  here.log.restart()
  here.put('/c')
  here.put('/a', '/d')
  here.database.exec('ROLLBACK')
  t.deepEqual(keysIn(here), ['/a', '/b', '/c', '/d'])
  here.database.exec('ROLLBACK')
  here.table.commit()
  t.deepEqual(keysIn(here), ['/a', '/b', '/c', '/d'])
  t.is(here.table.reads.get('/a', undefined)?.modRevision, 4)
  t.deepEqual({ ...here.database.prepare('SELECT revision, sequence FROM meta').get() }, { revision: 5, sequence: 3 })
})

test('a sweep that SQLite gave up is done again', t => {
  const here = place(t)
  for (const key of ['/a', '/b', '/a', '/b']) here.put(key)
  here.table.commit()
  here.log.restart()
  here.compact(4)
  const rows = (): unknown => here.database.prepare('SELECT count(*) AS count FROM history').get()
  t.true(here.table.sweep())
  t.like(rows(), { count: 2 })
  here.database.exec('ROLLBACK')
  t.deepEqual(keysIn(here), ['/a', '/b'])
  t.like(rows(), { count: 4 })
  t.true(here.table.sweep())
  t.false(here.table.sweep())
  t.like(rows(), { count: 2 })
})

test('a log that lost what it had meanwhile is told, and nothing is committed without it', t => {
  const here = place(t)
  for (const key of ['/a', '/b', '/c']) here.put(key)
  const whole = readFileSync(here.logFile)
  for (const page of [1, 2, 3]) {
    writeFileSync(here.logFile, Buffer.from(whole).fill(0, page * PAGE, (page + 1) * PAGE))
    if (here.database.isTransaction) here.database.exec('ROLLBACK')
    const told = { code: 'STORE_CORRUPT', message: /store\.log is damaged: \d batches/ }
    t.throws(() => here.table.settle(), told)
    t.throws(() => here.table.commit(), told)
  }
  writeFileSync(here.logFile, whole)
  t.deepEqual(keysIn(here), ['/a', '/b', '/c'])
})
