/** An acknowledged write survives kill -9 (shown) and power loss (its sync comes before its acknowledgement). */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { openSqliteStore } from '#cluster/store/backends/sqlite/sqlite-store.ts'
import { sleep, systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { keepCompiled } from '../../support/keep-compiled.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { findTracer, readTrace } from './tracer.ts'

const writer = join(dirname(fileURLToPath(import.meta.url)), 'writer.process.ts')
const environment = keepCompiled(test)

/** Two directories at once, 26 kills each. */
const LANES = 2
const KILLS = 26
const WRITERS = 16

interface Acknowledged {
  /** Revision → key. */
  readonly writes: Map<number, string>
  /** The highest revision that was acknowledged or opened at. */
  highest: number
}

/** One life of a writer, ended by SIGKILL some time after it began, or after two acknowledgements a writer. */
const live = async (t: ExecutionContext, directory: string, known: Acknowledged, kill: number): Promise<void> => {
  const child = spawn(process.execPath, [writer, directory, String(WRITERS)], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', data => (stderr += data))
  const closed = once(child, 'close')
  const loaded = Promise.withResolvers<void>()
  let acknowledgements = 0
  createInterface(child.stdout).on('line', line => {
    const [word, number, key = ''] = line.split(' ')
    const revision = Number(number)
    if (word === 'open') {
      t.true(revision >= known.highest, `opened at ${revision}, acknowledged ${known.highest}`)
    } else {
      t.false(known.writes.has(revision), `revision ${revision} was given twice`)
      known.writes.set(revision, key)
      if (++acknowledgements === 2 * WRITERS) loaded.resolve()
    }
    known.highest = Math.max(known.highest, revision)
  })
  // Every sixth dies at any moment of its start, recovery included; the others under load.
  if (kill % 6 !== 5) await Promise.race([loaded.promise, closed])
  await sleep(systemClock, (kill % 6 === 5 ? 250 : 40) * Math.random())
  child.kill('SIGKILL')
  const [, signal] = await closed
  t.is(signal, 'SIGKILL', stderr)
}

const killAgainAndAgain = async (t: ExecutionContext): Promise<number> => {
  const directory = temporaryFolder(t)
  const known: Acknowledged = { writes: new Map(), highest: 0 }
  for (let kill = 0; kill < KILLS; kill++) await live(t, directory, known, kill)
  const store = await openSqliteStore({ directory, logger: silentLogger, registry: createRegistry() })
  const { keyValues, revision } = await store.range({ start: '/new/', end: '/new0' })
  t.true(revision >= known.highest)
  const there = new Map(keyValues.map(({ modRevision, key }) => [modRevision, key]))
  t.is(there.size, keyValues.length, 'each write has a revision of its own')
  const lost = [...known.writes].filter(([revision, key]) => there.get(revision) !== key)
  t.deepEqual(lost, [])
  t.true(keyValues.every(({ key, value }) => Buffer.from(value).toString() === key))
  await store.close()
  return known.writes.size
}

test('every acknowledged write survives 52 kills under load, and no revision is given twice', async t => {
  // It ends in order, and leaves behind what it compiled.
  const first = spawn(process.execPath, [writer, temporaryFolder(t), '1', '1'], { env: environment, stdio: 'ignore' })
  t.deepEqual(await once(first, 'close'), [0, null])
  const counts = await Promise.all(Array.from({ length: LANES }, () => killAgainAndAgain(t)))
  t.log(`${counts.join(' + ')} acknowledged writes`)
  for (const count of counts) t.true(count > KILLS * WRITERS)
})

/** What the disk does to one of the files, and which of twelve writes the store refuses. */
interface Fault {
  readonly file: string
  /** As strace has it. */
  readonly inject: string
  /** Bytes of each value. A round of the log has room for seven of a megabyte. */
  readonly size: number
  readonly refused: readonly number[]
}

const from = (first: number): number[] => Array.from({ length: 12 - first }, (_, index) => first + index)

const hold = async (t: ExecutionContext, { file, inject, size, refused }: Fault): Promise<void> => {
  const strace = await findTracer(t)
  if (!strace) return
  const folder = temporaryFolder(t)
  const directory = join(folder, 'store')
  const empty = await openSqliteStore({ directory, logger: silentLogger, registry: createRegistry() })
  await empty.close()
  const fault = ['-P', join(directory, file), '-e', `inject=${inject}`]
  const program = [process.execPath, join(dirname(writer), 'faulty-disk.process.ts'), directory, String(size)]
  const child = spawn(strace, ['-f', '-o', join(folder, 'trace'), ...fault, ...program], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', data => (output += data))
  await once(child, 'close')
  t.regex(output, /^\{/, file)
  t.regex(readFileSync(join(folder, 'trace'), 'utf8'), /\(INJECTED\)/)
  const { outcomes, before, after } = JSON.parse(output) as Record<string, string[]>
  const isRefused = (index: number): boolean => refused.includes(index)
  t.deepEqual(
    outcomes,
    from(0).map(index => (isRefused(index) ? 'DATA_DIR_UNUSABLE' : 'ok')),
    `${file} ${inject}`,
  )
  const keys = from(0).flatMap(index => (isRefused(index) ? [] : [`/${index}`]))
  t.deepEqual({ before: before?.toSorted(byNumber), after: after?.toSorted(byNumber) }, { before: keys, after: keys })
}

const byNumber = (one: string, other: string): number => Number(one.slice(1)) - Number(other.slice(1))

test('after a sync that failed nothing is called durable until the directory is opened anew', async t => {
  const inject = (when: number): string => `fsync,fdatasync:error=EIO:when=${when}`
  // Opening syncs the log once.
  await hold(t, { file: 'store.log', inject: inject(4), size: 10, refused: from(2) })
  // The last is that of its end: the database has the commit then, but might lose it with the power.
  for (const when of [1, 2, 3]) {
    await hold(t, { file: 'store.sqlite-journal', inject: inject(when), size: 1 << 20, refused: from(7) })
  }
  await hold(t, { file: 'store.sqlite', inject: inject(1), size: 1 << 20, refused: from(7) })
})

test('what the disk has no room for is read all the same, and written once it has', async t => {
  const inject = (when: string): string => `pwrite64:error=ENOSPC:when=${when}`
  const cases = [
    { file: 'store.sqlite-journal', when: '1+', refused: from(7) },
    { file: 'store.sqlite-journal', when: '1', refused: [] },
    // Again when it is to be committed, for which the transaction begins anew.
    { file: 'store.sqlite-journal', when: '1..2', refused: [7] },
    { file: 'store.sqlite', when: '3', refused: [7] },
    // Nor for undoing the commit that was cut short.
    { file: 'store.sqlite', when: '3..4', refused: [7] },
    { file: 'store.sqlite', when: '3..6', refused: [7, 8] },
  ]
  for (const { when, ...of } of cases) await hold(t, { ...of, inject: inject(when), size: 1 << 20 })
})

test('where no journal may be made everything is read all the same', async t => {
  for (const error of ['EACCES', 'EROFS']) {
    const inject = `openat:error=${error}:when=1+`
    await hold(t, { file: 'store.sqlite-journal', inject, size: 1 << 20, refused: from(7) })
  }
})

test('a commit whose journal cannot be emptied is undone, and done again', async t => {
  await hold(t, { file: 'store.sqlite-journal', inject: 'ftruncate:error=EIO:when=1', size: 1 << 20, refused: [7] })
})

test('the log is synced before each group is acknowledged, and a group shares its sync', async t => {
  const strace = await findTracer(t)
  if (!strace) return
  const folder = temporaryFolder(t)
  const rounds = 25
  const file = join(folder, 'trace')
  const traced = ['-f', '-y', '-e', 'trace=pwrite64,write,fsync,fdatasync', '-o', file]
  const program = [process.execPath, writer, join(folder, 'store'), String(WRITERS), String(rounds)]
  const [code] = await once(spawn(strace, [...traced, ...program], { env: environment, stdio: 'ignore' }), 'exit')
  t.is(code, 0)

  let unsynced = 0
  let written = 0
  let syncs = 0
  let acknowledgements = 0
  let opened = false
  let named = false
  for (const { name, text } of readTrace(readFileSync(file, 'utf8'))) {
    if (name === 'fsync' && text.includes(`<${folder}>`)) named = true
    const onLog = text.includes('store.log>')
    if (name === 'pwrite64' && onLog) {
      unsynced++
      written++
    } else if ((name === 'fsync' || name === 'fdatasync') && onLog && text.endsWith('= 0')) {
      unsynced = 0
      syncs++
    } else if (name === 'write' && text.startsWith('write(1') && text.includes('"ack ')) {
      // All of a round's writers were acknowledged by now, and none of the next round's has begun.
      t.is(unsynced, 0, 'acknowledged before the sync')
      t.true(written > 0, 'acknowledged without a write')
      written = 0
      acknowledgements++
    } else if (name === 'write' && text.startsWith('write(1') && text.includes('"open ')) {
      t.true(syncs > 0, 'what a killed writer left may be seen before it is synced')
      t.true(named, 'the new directory may vanish from the one that it is in')
      opened = true
    }
  }
  t.true(opened)
  t.is(acknowledgements, rounds)
  t.true(syncs >= rounds)
  t.log(`${rounds * WRITERS} writes, ${syncs} syncs`)
  t.true(syncs < (rounds * WRITERS) / 2, 'concurrent writers share syncs')
})
