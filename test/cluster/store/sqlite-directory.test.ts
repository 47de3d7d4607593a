/** What the SQLite store makes of the directory that it is given, and of a disk and a thread that fail. */
import { spawn } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import type { Worker } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import { openSqliteStore } from '#cluster/store/backends/sqlite/sqlite-store.ts'
import type { Store } from '#cluster/store/kv.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry, type Registry } from '#lib/metrics.ts'
import { findProgram, skip } from '../../support/programs.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { everything, put, Recorder } from './contract/place.ts'

const open = (directory: string, registry: Registry = createRegistry()): Promise<Store> =>
  openSqliteStore({ directory, logger: silentLogger, registry })

/** A program beside this file that runs as a process of its own. */
const program = (name: string): string => join(dirname(fileURLToPath(import.meta.url)), `${name}.process.ts`)

const databaseOf = (directory: string): string => join(directory, 'store.sqlite')

/** A directory with a closed store of some pages. */
const filled = async (t: ExecutionContext): Promise<string> => {
  const directory = temporaryFolder(t)
  const store = await open(directory)
  await Promise.all(Array.from({ length: 400 }, (_, index) => put(store, `/${index}`, 'x'.repeat(500))))
  await store.close()
  return directory
}

/** It is refused with this code, and left byte for byte as it was. */
const isRefused = async (t: ExecutionContext, directory: string, code: string, message: RegExp) => {
  const before = readFileSync(databaseOf(directory))
  await t.throwsAsync(open(directory), { name: 'SeamarkError', code, message })
  t.deepEqual(readFileSync(databaseOf(directory)), before)
}

test('the directory is made, private', async t => {
  const directory = join(temporaryFolder(t), 'data', 'store')
  const store = await open(directory)
  t.is(statSync(directory).mode & 0o777, 0o700)
  await put(store, '/secret', 'x')
  for (const file of readdirSync(directory)) t.is(statSync(join(directory, file)).mode & 0o777, 0o600, file)
  await store.close()
})

test('a directory that is open is locked, in this process and in others; closed, it is free', async t => {
  const directory = temporaryFolder(t)
  const store = await open(directory)
  await t.throwsAsync(open(directory), { code: 'DATA_DIR_LOCKED', message: /another/ })
  const child = spawn(process.execPath, [program('writer'), directory, '1', '1'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', data => (stderr += data))
  await once(child, 'close')
  t.regex(stderr, /DATA_DIR_LOCKED/)
  t.is((await put(store, '/a', 'x')).revision, 1, 'the holder is not disturbed')
  await store.close()
  const again = await open(directory)
  t.is(await again.revision(), 1)
  await again.close()
})

test('nobody else reads the database while it is open: a commit would have to wait for them', async t => {
  const directory = await filled(t)
  const outsider = new DatabaseSync(databaseOf(directory))
  t.teardown(() => outsider.close())
  const read = (): unknown => outsider.prepare('SELECT count(*) AS count FROM history').get()
  outsider.exec('BEGIN')
  t.like(read(), { count: 400 })
  await t.throwsAsync(open(directory), { code: 'DATA_DIR_LOCKED' })
  outsider.exec('COMMIT')
  const store = await open(directory)
  t.throws(read, { message: /locked/ })
  await store.close()
  t.like(read(), { count: 400 })
})

test('of openers at once exactly one gets the directory', async t => {
  const directory = temporaryFolder(t)
  const results = await Promise.allSettled(Array.from({ length: 4 }, () => open(directory)))
  const stores = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  t.is(stores.length, 1)
  for (const result of results) if (result.status === 'rejected') t.is(result.reason.code, 'DATA_DIR_LOCKED')
  await stores[0]?.close()
})

test('a database of another program is refused and left alone', async t => {
  const directory = temporaryFolder(t)
  const foreign = new DatabaseSync(databaseOf(directory))
  foreign.exec('CREATE TABLE theirs (x)')
  foreign.close()
  await isRefused(t, directory, 'DATA_DIR_FOREIGN', /another program/)
  const signed = new DatabaseSync(databaseOf(directory))
  signed.exec('PRAGMA application_id = 7')
  signed.close()
  await isRefused(t, directory, 'DATA_DIR_FOREIGN', /another program/)
})

test('a database of a newer Seamark is refused and left alone', async t => {
  const directory = await filled(t)
  const newer = new DatabaseSync(databaseOf(directory))
  newer.exec('PRAGMA journal_mode = DELETE; PRAGMA user_version = 99')
  newer.close()
  await isRefused(t, directory, 'STORE_NEWER', /version 99/)
})

test('a damaged database is refused and left alone', async t => {
  const damages: Record<string, (file: string) => void> = {
    'no database': file => writeFileSync(file, 'x'.repeat(5_000)),
    'cut short': file => truncateSync(file, Math.floor(statSync(file).size / 2 / 4_096) * 4_096),
    'pages overwritten': file => writeFileSync(file, readFileSync(file).fill(0xff, 3 * 4_096, 20 * 4_096)),
  }
  const whole = await filled(t)
  for (const [title, damage] of Object.entries(damages)) {
    const directory = temporaryFolder(t)
    cpSync(whole, directory, { recursive: true })
    damage(databaseOf(directory))
    t.log(title)
    await isRefused(t, directory, 'STORE_CORRUPT', /store\.sqlite/)
  }
})

test('a place where no directory can be is unusable', async t => {
  const directory = temporaryFolder(t)
  writeFileSync(join(directory, 'file'), '')
  await t.throwsAsync(open(join(directory, 'file', 'store')), { code: 'DATA_DIR_UNUSABLE' })
  mkdirSync(databaseOf(directory))
  await t.throwsAsync(open(directory), { code: 'DATA_DIR_UNUSABLE' })
})

test('on a full disk writes are refused whole, reads go on, and writes too once there is space', async t => {
  const unshare = findProgram('unshare')
  if (!unshare || process.getuid?.() !== 0) return skip(t, 'mounting a small disk needs root and unshare')
  const directory = temporaryFolder(t)
  const script = `mount -t tmpfs -o size=2m none "$1" && exec "$2" "$3" "$1"`
  const args = ['--mount', 'sh', '-c', script, 'sh', directory, process.execPath, program('full-disk')]
  const child = spawn(unshare, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', data => (output += data))
  const [code] = await once(child, 'close')
  t.is(code, 0, output)
  t.regex(output, /refused \d+/)
})

test('a sweep that cannot be committed waits for the next compaction', async t => {
  const directory = temporaryFolder(t)
  let store = await open(directory)
  const keys = Array.from({ length: 100 }, (_, index) => `/${index}`)
  const putAll = (): Promise<unknown> => {
    const value = Buffer.from('x')
    return store.transact({ compare: [], operations: keys.map(key => ({ type: 'put', key, value })) })
  }
  // More than are swept between two commits.
  for (let round = 0; round < 50; round++) await putAll()
  await store.close()
  const registry = createRegistry()
  store = await open(directory, registry)
  t.teardown(() => store.close())
  const journal = `${databaseOf(directory)}-journal`
  mkdirSync(journal)
  const failures = async (): Promise<number> => {
    t.is((await store.range(everything)).keyValues.length, keys.length)
    return Number(/^seamark_store_failures_total (\d+)$/m.exec(await registry.metrics())?.[1])
  }
  await putAll()
  await store.compact(await store.revision())
  while ((await failures()) === 0);
  // Each read gives the thread a turn.
  for (let read = 0; read < 200; read++) t.is(await failures(), 1)
  rmdirSync(journal)
  await store.close()
  const database = new DatabaseSync(databaseOf(directory))
  t.teardown(() => database.close())
  t.like(database.prepare('SELECT compacted FROM meta').get(), { compacted: 51 })
})

/** Calls `task` and gives the threads that start meanwhile. Only in serial tests. */
const threadsOf = async <Value>(task: () => Promise<Value>, onThread: (worker: Worker) => void): Promise<Value> => {
  const listen = (message: unknown) => onThread((message as { worker: Worker }).worker)
  subscribe('worker_threads', listen)
  try {
    return await task()
  } finally {
    unsubscribe('worker_threads', listen)
  }
}

test.serial('when the thread ends before the store is open, opening fails', async t => {
  const directory = temporaryFolder(t)
  const opening = threadsOf(
    () => open(directory),
    worker => void worker.terminate(),
  )
  await t.throwsAsync(opening, { code: 'STORE_CLOSED' })
})

test.serial('when the thread ends by itself, what waits is rejected and watches end', async t => {
  const directory = temporaryFolder(t)
  const threads: Worker[] = []
  const store = await threadsOf(
    () => open(directory),
    worker => void threads.push(worker),
  )
  const recorder = new Recorder(store)
  await put(store, '/a', 'x')
  const overtaken = Promise.allSettled([put(store, '/b', 'x')])
  void threads[0]!.terminate()
  // Nothing runs in the thread any more, and the store has not heard of its end.
  const waiting = put(store, '/c', 'x')
  await t.throwsAsync(waiting, { code: 'STORE_CLOSED' })
  const [outcome] = await overtaken
  if (outcome.status === 'rejected') t.is(outcome.reason.code, 'STORE_CLOSED')
  t.deepEqual(recorder.problems, [{ problem: 'closed' }])
  await t.throwsAsync(store.range(everything), { code: 'STORE_CLOSED' })
  await store.close()
  const again = await open(directory)
  t.not(await again.get('/a'), undefined)
  if (outcome.status === 'fulfilled') t.not(await again.get('/b'), undefined)
  t.is(await again.get('/c'), undefined)
  await again.close()
})

test('commits, groups and the revision are counted', async t => {
  const registry = createRegistry()
  const store = await open(temporaryFolder(t), registry)
  await Promise.all(Array.from({ length: 64 }, (_, index) => put(store, `/${index}`, 'x')))
  await store.close()
  const metrics = await registry.metrics()
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1])
  t.is(value('seamark_store_revision'), 64)
  t.is(value('seamark_store_group_size_sum'), 64)
  t.true(value('seamark_store_group_size_count') < 32, 'concurrent writers share commits')
  t.is(value('seamark_store_commit_duration_seconds_count'), value('seamark_store_group_size_count'))
  t.true(value('seamark_store_commit_duration_seconds_sum') > 0)
  t.is(value('seamark_store_failures_total'), 0)
})
