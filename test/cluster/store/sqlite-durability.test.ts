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
import { findProgram, skip } from '../../support/programs.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const writer = join(dirname(fileURLToPath(import.meta.url)), 'writer.process.ts')

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
  const child = spawn(process.execPath, [writer, directory, String(WRITERS)], { stdio: ['ignore', 'pipe', 'pipe'] })
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
  const counts = await Promise.all(Array.from({ length: LANES }, () => killAgainAndAgain(t)))
  t.log(`${counts.join(' + ')} acknowledged writes`)
  for (const count of counts) t.true(count > KILLS * WRITERS)
})

interface Call {
  readonly name: string
  readonly text: string
}

/** The system calls of a trace (`strace -f -y`) in the order in which they ended. */
const readTrace = (trace: string): Call[] => {
  const begun = new Map<string, string>()
  const calls: Call[] = []
  for (const line of trace.split('\n')) {
    const [, thread = '', rest = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
    const unfinished = rest.indexOf(' <unfinished ...>')
    if (unfinished >= 0) {
      begun.set(thread, rest.slice(0, unfinished))
      continue
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)
    const text = resumed ? `${begun.get(thread) ?? ''}${resumed[1]}` : rest
    const name = /^(\w+)\(/.exec(text)?.[1]
    if (name) calls.push({ name, text })
  }
  return calls
}

/** The path of strace, when it may trace. */
const findTracer = async (t: ExecutionContext): Promise<string | undefined> => {
  const strace = findProgram('strace')
  if (!strace) return void skip(t, 'strace is not installed')
  const probe = ['-f', '-o', join(temporaryFolder(t), 'probe'), 'true']
  const [refused] = await once(spawn(strace, probe, { stdio: 'ignore' }), 'exit')
  return refused === 0 ? strace : void skip(t, 'ptrace is not permitted')
}

test('after a sync that failed nothing is called durable until the directory is opened anew', async t => {
  const strace = await findTracer(t)
  if (!strace) return
  const refused = 'DATA_DIR_UNUSABLE'
  const cases = [
    // Opening syncs the log once.
    { file: 'store.log', when: 4, size: 10, accepted: 2 },
    // SQLite syncs the head of its log with the first commit. A round of the log has room for seven values.
    { file: 'store.sqlite-wal', when: 2, size: 1 << 20, accepted: 7 },
  ]
  for (const { file, when, size, accepted } of cases) {
    const folder = temporaryFolder(t)
    const directory = join(folder, 'store')
    const empty = await openSqliteStore({ directory, logger: silentLogger, registry: createRegistry() })
    await empty.close()
    const fault = ['-P', join(directory, file), '-e', `inject=fsync,fdatasync:error=EIO:when=${when}`]
    const program = [process.execPath, join(dirname(writer), 'failed-sync.process.ts'), directory, String(size)]
    const child = spawn(strace, ['-f', '-o', join(folder, 'trace'), ...fault, ...program], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', data => (output += data))
    await once(child, 'close')
    t.regex(output, /^\{/, file)
    const { outcomes, before, after } = JSON.parse(output) as Record<string, string[]>
    t.deepEqual(
      outcomes,
      Array.from({ length: 12 }, (_, index) => (index < accepted ? 'ok' : refused)),
      file,
    )
    const keys = Array.from({ length: accepted }, (_, index) => `/${index}`)
    t.deepEqual({ before, after }, { before: keys, after: keys }, file)
  }
})

test('the log is synced before each group is acknowledged, and a group shares its sync', async t => {
  const strace = await findTracer(t)
  if (!strace) return
  const folder = temporaryFolder(t)
  const rounds = 25
  const file = join(folder, 'trace')
  const traced = ['-f', '-y', '-e', 'trace=pwrite64,write,fsync,fdatasync', '-o', file]
  const program = [process.execPath, writer, join(folder, 'store'), String(WRITERS), String(rounds)]
  const [code] = await once(spawn(strace, [...traced, ...program], { stdio: 'ignore' }), 'exit')
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
