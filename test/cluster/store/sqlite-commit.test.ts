/**
 * The commit that brings a full log into the database: whatever call of it a process dies at, and whichever of its writes
 * the disk had when the power went, nothing that was acknowledged is lost.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, cpSync, existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { PAGE } from '#cluster/store/backends/sqlite/batch.ts'
import { openSqliteStore } from '#cluster/store/backends/sqlite/sqlite-store.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { keepCompiled } from '../../support/keep-compiled.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { findTracer, readTrace } from './tracer.ts'

const WRITERS = 16
/** Bytes of a write. */
const SIZE = 20_000
/** Of all writers: the log is full once. */
const ROUNDS = 30

const writer = join(dirname(fileURLToPath(import.meta.url)), 'writer.process.ts')
const environment = keepCompiled(test)

/** Revision → key. */
type Writes = ReadonlyMap<number, string>

interface Life {
  readonly acknowledged: Writes
  readonly code: number | null
  readonly signal: string | null
  readonly stderr: string
}

const live = async (command: readonly string[]): Promise<Life> => {
  const [program = '', ...args] = command
  const child = spawn(program, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', data => (stdout += data))
  child.stderr.on('data', data => (stderr += data))
  const [code, signal] = await once(child, 'close')
  const acknowledged = [...stdout.matchAll(/^ack (\d+) (\S+)$/gm)].map(([, revision, key = '']) => {
    return [Number(revision), key] as const
  })
  return { acknowledged: new Map(acknowledged), code, signal, stderr }
}

const written = (directory: string, rounds: number): string[] => [
  process.execPath,
  writer,
  directory,
  ...[WRITERS, rounds, SIZE].map(String),
]

interface Filled {
  readonly directory: string
  readonly acknowledged: Writes
}

/** Closed in order, with pages that the next commit changes. */
const fill = async (t: ExecutionContext): Promise<Filled> => {
  const directory = join(temporaryFolder(t), 'store')
  const { acknowledged, code, stderr } = await live(written(directory, 5))
  t.is(code, 0, stderr)
  return { directory, acknowledged }
}

interface Cut {
  readonly file: 'store.sqlite' | 'store.sqlite-journal'
  readonly call: 'pwrite64' | 'fsync' | 'ftruncate'
  /** Of such calls, from 1. */
  readonly when: number
}

/** Killed as it enters this call, where it lies. Everything that was ever acknowledged. */
const cutShort = async (t: ExecutionContext, strace: string, filled: Filled, cut: Cut): Promise<Writes> => {
  const { directory } = filled
  const kill = ['-P', join(directory, cut.file), '-e', `inject=${cut.call}:signal=KILL:when=${cut.when}`]
  const trace = join(temporaryFolder(t), 'trace')
  const life = await live([strace, '-f', '-o', trace, ...kill, ...written(directory, ROUNDS)])
  t.is(life.signal, 'SIGKILL', `${cut.file} ${cut.call} ${cut.when}: ${life.stderr}`)
  t.true(life.acknowledged.size > (ROUNDS * WRITERS) / 2, 'the log was nearly full')
  return new Map([...filled.acknowledged, ...life.acknowledged])
}

const holdsAll = async (t: ExecutionContext, directory: string, acknowledged: Writes, title: string): Promise<void> => {
  const store = await openSqliteStore({ directory, logger: silentLogger, registry: createRegistry() })
  const { keyValues, revision } = await store.range({ start: '/new/', end: '/new0' })
  t.true(revision >= Math.max(...acknowledged.keys()), title)
  const there = new Map(keyValues.map(({ modRevision, key }) => [modRevision, key]))
  t.is(there.size, keyValues.length, 'each write has a revision of its own')
  const lost = [...acknowledged].filter(([revision, key]) => there.get(revision) !== key)
  t.deepEqual(lost, [], title)
  t.true(keyValues.every(({ key, value }) => Buffer.from(value).toString() === key))
  await store.close()
}

test('a commit that was cut short at any of its calls is undone, and the log has what it would have brought', async t => {
  const strace = await findTracer(t)
  if (!strace) return
  const filled = await fill(t)
  const cuts: readonly Cut[] = [
    // The journal has the pages that it changes, but does not say how many; says it, unsynced; is on the disk.
    { file: 'store.sqlite-journal', call: 'fsync', when: 1 },
    { file: 'store.sqlite-journal', call: 'fsync', when: 2 },
    { file: 'store.sqlite', call: 'pwrite64', when: 1 },
    { file: 'store.sqlite', call: 'pwrite64', when: 2 },
    { file: 'store.sqlite', call: 'pwrite64', when: 1_000 },
    { file: 'store.sqlite', call: 'fsync', when: 1 },
    // All is in the database, and the journal would still undo it.
    { file: 'store.sqlite-journal', call: 'ftruncate', when: 1 },
    // It counts, and the log has not begun anew.
    { file: 'store.sqlite-journal', call: 'fsync', when: 3 },
  ]
  for (const cut of cuts) {
    const directory = join(temporaryFolder(t), 'store')
    cpSync(filled.directory, directory, { recursive: true })
    const acknowledged = await cutShort(t, strace, { ...filled, directory }, cut)
    const counts = cut.call === 'fsync' && cut.when === 3
    t.is(statSync(join(directory, 'store.sqlite-journal')).size === 0, counts, 'the journal is there until it counts')
    const [log, elsewhere] = [join(directory, 'store.log'), join(directory, 'elsewhere')]
    renameSync(log, elsewhere)
    const code = 'STORE_CORRUPT'
    await t.throwsAsync(holdsAll(t, directory, acknowledged, 'without the log'), { code, message: /missing/ })
    renameSync(elsewhere, log)
    await holdsAll(t, directory, acknowledged, `${cut.file} ${cut.call} ${cut.when}`)
    await holdsAll(t, directory, acknowledged, 'and stays')
  }
})

test('whichever of a commit’s writes the disk had when the power went, the journal undoes them', async t => {
  const strace = await findTracer(t)
  if (!strace) return
  const filled = await fill(t)
  const before = readFileSync(join(filled.directory, 'store.sqlite'))
  const acknowledged = await cutShort(t, strace, filled, { file: 'store.sqlite', call: 'fsync', when: 1 })
  const after = readFileSync(join(filled.directory, 'store.sqlite'))
  t.true(after.length > before.length)
  /** How many bytes of a page that changed are there. */
  const losses: Record<string, (page: number) => number> = {
    'none of them': () => 0,
    'every other page': page => (page % 2) * PAGE,
    'halves of pages': () => PAGE / 2,
    'sectors of pages': page => (page % 8) * 512,
  }
  for (const [title, reached] of Object.entries(losses)) {
    const directory = temporaryFolder(t)
    for (const name of ['store.log', 'store.sqlite-journal']) {
      copyFileSync(join(filled.directory, name), join(directory, name))
    }
    const disk = Buffer.alloc(after.length)
    before.copy(disk)
    for (let offset = 0; offset < after.length; offset += PAGE) {
      after.copy(disk, offset, offset, offset + reached(offset / PAGE))
    }
    writeFileSync(join(directory, 'store.sqlite'), title === 'none of them' ? before : disk)
    await holdsAll(t, directory, acknowledged, title)
    t.false(existsSync(join(directory, 'store.sqlite-journal')))
  }
})

/** Follows the writes and syncs of one process, and says what was done too early. */
class Order {
  readonly faults: string[] = []
  commits = 0
  /** Files that have what is not on the disk. */
  readonly #unsynced = new Set<string>()
  /** The database has pages of a commit that does not count yet. */
  #isCommitting = false

  sync(file: string): void {
    this.#unsynced.delete(file)
  }

  /** Or a truncation. */
  write(file: string, offset: number): void {
    if (file === 'sqlite') {
      this.#refuse(['sqlite-journal'], 'a page is changed that could not be brought back')
      this.#isCommitting = true
    } else if (file === 'sqlite-journal' && offset === 0 && this.#isCommitting) {
      this.#refuse(['sqlite'], 'the journal goes before the database is on the disk')
      this.#isCommitting = false
      this.commits++
    } else if (file === 'log' && offset === PAGE) {
      this.#refuse(['sqlite', 'sqlite-journal'], 'the log begins anew before the commit is on the disk')
      if (this.#isCommitting) this.faults.push('the log begins anew within a commit')
    }
    this.#unsynced.add(file)
  }

  #refuse(files: readonly string[], fault: string): void {
    if (files.some(file => this.#unsynced.has(file))) this.faults.push(fault)
  }
}

test('the log begins anew only when the database is synced, and the journal is gone', async t => {
  const strace = await findTracer(t)
  if (!strace) return
  const { directory } = await fill(t)
  const trace = join(temporaryFolder(t), 'trace')
  const { code, stderr } = await live([
    ...[strace, '-f', '-y', '-e', 'trace=pwrite64,fsync,fdatasync,ftruncate', '-o', trace],
    ...written(directory, ROUNDS),
  ])
  t.is(code, 0, stderr)
  const order = new Order()
  for (const { name, text } of readTrace(readFileSync(trace, 'utf8'))) {
    const file = /store\.(log|sqlite-journal|sqlite)>/.exec(text)?.[1]
    if (file === undefined) continue
    // The last argument of both kinds of writes.
    const offset = Number(/, (\d+)\)\s+= \d+$/.exec(text)?.[1])
    if (name.endsWith('sync')) order.sync(file)
    else order.write(file, offset)
  }
  t.deepEqual(order.faults, [])
  t.is(order.commits, 2, 'of the full log, and of the end')
})
