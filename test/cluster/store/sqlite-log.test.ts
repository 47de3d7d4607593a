/** The log before the database: what of it counts after a crash, and which damage is told. */
import { copyFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { BatchEncoder, decodeBatch, type Entry, PAGE } from '#cluster/store/backends/sqlite/batch.ts'
import { Log } from '#cluster/store/backends/sqlite/log.ts'
import { openSqliteStore } from '#cluster/store/backends/sqlite/sqlite-store.ts'
import type { Store } from '#cluster/store/kv.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { everything, put, text } from './contract/place.ts'

const open = (directory: string): Promise<Store> =>
  openSqliteStore({ directory, logger: silentLogger, registry: createRegistry() })

const logOf = (directory: string): string => join(directory, 'store.log')

/**
 * What the disk has when the power goes while a store is open that was given these writes, each in a batch of its own: the
 * log, and the database without all that it has not synced.
 */
const powerLoss = async (t: ExecutionContext, writes: number, size = 1_000): Promise<string> => {
  const [live, directory] = [temporaryFolder(t), temporaryFolder(t)]
  const store = await open(live)
  for (let index = 1; index <= writes; index++) await put(store, `/${index}`, `${index} `.padEnd(size, 'x'))
  for (const name of ['store.sqlite', 'store.log']) copyFileSync(join(live, name), join(directory, name))
  await store.close()
  return directory
}

const overwrite = (file: string, offset: number, bytes: Uint8Array): void => {
  const content = readFileSync(file)
  content.set(bytes, offset)
  writeFileSync(file, content)
}

const keysIn = async (directory: string): Promise<string[]> => {
  const store = await open(directory)
  const { keyValues } = await store.range(everything)
  await store.close()
  return keyValues.map(({ key }) => key).toSorted((a, b) => Number(a.slice(1)) - Number(b.slice(1)))
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `/${index + 1}`)

test('what was acknowledged is in the log, whatever the database had of it', async t => {
  t.deepEqual(await keysIn(await powerLoss(t, 20)), numbered(20))
  // More than a round of the log: some of it was folded.
  const directory = await powerLoss(t, 2_200, 10)
  t.deepEqual(await keysIn(directory), numbered(2_200))
  t.deepEqual(await keysIn(directory), numbered(2_200), 'and stays')
})

test('the batch that was being written when the power went is left out, and written over', async t => {
  for (const harm of ['cut', 'torn', 'zeros']) {
    const directory = await powerLoss(t, 5, 6_000)
    const file = logOf(directory)
    // Each batch has two pages, behind the first one of the log.
    const last = PAGE + 4 * 2 * PAGE
    if (harm === 'cut') truncateSync(file, last + PAGE)
    else overwrite(file, harm === 'torn' ? last + PAGE : last, Buffer.alloc(PAGE, harm === 'torn' ? 0xff : 0))
    const store = await open(directory)
    t.is(await store.revision(), 4, harm)
    t.is((await put(store, '/again', 'x')).revision, 5)
    await store.close()
    t.deepEqual(await keysIn(directory), [...numbered(4), '/again'])
  }
})

test('damage before acknowledged writes is refused, with file and offset, and nothing is changed', async t => {
  const damages: Record<string, { readonly offset: number; readonly code: string; readonly message: RegExp }> = {
    'the first batch': {
      offset: PAGE + 100,
      code: 'STORE_CORRUPT',
      message: /store\.log is damaged at offset 4096: .* 12288$/,
    },
    'one in the middle': {
      offset: 5 * PAGE + 9,
      code: 'STORE_CORRUPT',
      message: /at offset 20480: .* at offset 28672$/,
    },
    'the head': { offset: 13, code: 'STORE_CORRUPT', message: /store\.log is damaged at offset 0/ },
    'the name': { offset: 0, code: 'STORE_CORRUPT', message: /no log/ },
    'another format': { offset: 8, code: 'STORE_NEWER', message: /format/ },
  }
  const whole = await powerLoss(t, 5, 6_000)
  for (const [title, { offset, code, message }] of Object.entries(damages)) {
    const directory = temporaryFolder(t)
    for (const name of ['store.sqlite', 'store.log']) copyFileSync(join(whole, name), join(directory, name))
    overwrite(logOf(directory), offset, Buffer.from([0x7f, 0x7f]))
    const before = readFileSync(logOf(directory))
    await t.throwsAsync(open(directory), { code, message }, title)
    t.true(before.equals(readFileSync(logOf(directory))), title)
  }
})

test('a log that is not the database’s own is refused', async t => {
  const [first, second] = [await powerLoss(t, 3), await powerLoss(t, 3)]
  const mixed = temporaryFolder(t)
  copyFileSync(join(first, 'store.sqlite'), join(mixed, 'store.sqlite'))
  await t.throwsAsync(open(mixed), { code: 'STORE_CORRUPT', message: /store\.log is missing/ })
  copyFileSync(logOf(second), logOf(mixed))
  await t.throwsAsync(open(mixed), { code: 'STORE_CORRUPT', message: /another database/ })
  const alone = temporaryFolder(t)
  copyFileSync(logOf(second), logOf(alone))
  await t.throwsAsync(open(alone), { code: 'STORE_CORRUPT', message: /holds acknowledged writes/ })
})

test('a database with a log of SQLite’s, as an earlier version left it when it was killed, is taken over', async t => {
  const [live, killed] = [await powerLoss(t, 3), temporaryFolder(t)]
  t.deepEqual(await keysIn(live), numbered(3))
  const earlier = new DatabaseSync(join(live, 'store.sqlite'))
  earlier.exec(`PRAGMA journal_mode = WAL;
    INSERT INTO history SELECT 4 * 4096, '/4', 4, 1, 0, value FROM history WHERE key = '/3';
    UPDATE meta SET revision = 4, sequence = 4`)
  for (const name of ['store.sqlite', 'store.sqlite-wal', 'store.log'])
    copyFileSync(join(live, name), join(killed, name))
  earlier.close()
  t.deepEqual(await keysIn(killed), numbered(4))
  t.deepEqual(
    readdirSync(killed).filter(name => name.includes('-')),
    [],
  )
})

test('a log that begins after the database ends is refused', async t => {
  const directory = temporaryFolder(t)
  let store = await open(directory)
  await put(store, '/1', 'x')
  await store.close()
  const old = readFileSync(join(directory, 'store.sqlite'))
  store = await open(directory)
  await put(store, '/2', 'x')
  await store.close()
  writeFileSync(join(directory, 'store.sqlite'), old)
  t.deepEqual(await keysIn(directory), numbered(2), 'the log has all that is missing')
  store = await open(directory)
  for (let index = 0; index < 9; index++) await put(store, '/3', 'x'.repeat(1 << 20))
  await store.close()
  writeFileSync(join(directory, 'store.sqlite'), old)
  await t.throwsAsync(open(directory), {
    code: 'STORE_CORRUPT',
    message: /begins with batch \d+, .* ends with batch 1$/,
  })
})

test('a database of version 1 is taken over, with its history, leases and compaction', async t => {
  const directory = temporaryFolder(t)
  const old = new DatabaseSync(join(directory, 'store.sqlite'))
  old.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE meta (one INTEGER PRIMARY KEY CHECK (one = 1), revision INTEGER NOT NULL, compacted INTEGER NOT NULL);
    INSERT INTO meta VALUES (1, 5, 1);
    CREATE TABLE history (id INTEGER PRIMARY KEY, key TEXT NOT NULL, created INTEGER NOT NULL, version INTEGER NOT NULL,
      lease INTEGER NOT NULL, ended INTEGER, value BLOB NOT NULL);
    CREATE UNIQUE INDEX history_live ON history (key) WHERE ended IS NULL;
    CREATE INDEX history_past ON history (key, ended) WHERE ended IS NOT NULL;
    CREATE INDEX history_ended ON history (ended) WHERE ended IS NOT NULL;
    CREATE INDEX history_lease ON history (lease) WHERE lease <> 0 AND ended IS NULL;
    CREATE TABLE lease (id INTEGER PRIMARY KEY AUTOINCREMENT, ttl INTEGER NOT NULL);
    INSERT INTO lease VALUES (7, 100);
    INSERT INTO history VALUES
      (1 * 4096, '/a', 1, 1, 0, 2, CAST('a1' AS BLOB)), (2 * 4096, '/a', 1, 2, 0, NULL, CAST('a2' AS BLOB)),
      (3 * 4096, '/b', 3, 1, 0, 5, CAST('b3' AS BLOB)), (4 * 4096, '/c', 4, 1, 7, NULL, CAST('c4' AS BLOB)),
      (5 * 4096, '/b', 0, 0, 0, 5, x'');
    PRAGMA application_id = ${0x5345_414d};
    PRAGMA user_version = 1;
  `)
  old.close()
  const store = await open(directory)
  t.is(await store.revision(), 5)
  const at = async (revision?: number) =>
    (await store.range(everything, revision === undefined ? {} : { revision })).keyValues.map(
      ({ key, value, version }) => `${key}=${text(value)} ${version}`,
    )
  t.deepEqual(await at(), ['/a=a2 2', '/c=c4 1'])
  t.deepEqual(await at(4), ['/a=a2 2', '/b=b3 1', '/c=c4 1'])
  await t.throwsAsync(at(0), { message: /compacted/ })
  t.is((await store.grantLease(10)).id, 8)
  await store.revokeLease(7)
  t.deepEqual(await at(), ['/a=a2 2'])
  await store.compact(6)
  await store.close()
  t.deepEqual(await keysIn(directory), ['/a'])
})

test('a database that was closed in order, and not touched since, is not read whole again', async t => {
  const directory = temporaryFolder(t)
  let store = await open(directory)
  await Promise.all(Array.from({ length: 400 }, (_, index) => put(store, `/${index}`, 'x'.repeat(500))))
  await store.close()
  const [file, mark] = [join(directory, 'store.sqlite'), join(directory, 'store.clean')]
  const stamp = () => {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(file, { bigint: true })
    return `${[dev, ino, size, mtimeNs, ctimeNs].join(' ')}\n`
  }
  t.is(readFileSync(mark, 'utf8'), stamp())
  overwrite(file, 15 * PAGE, Buffer.alloc(5 * PAGE, 0xff))
  await t.throwsAsync(open(directory), { code: 'STORE_CORRUPT' })
  // As if the damage had been there when it was closed: only a check of the whole file finds it.
  writeFileSync(mark, stamp())
  store = await open(directory)
  t.throws(() => statSync(mark), { code: 'ENOENT' }, 'void while it is open')
  await store.close()
})

const entryArbitrary: fc.Arbitrary<Entry> = fc.oneof(
  fc.record({
    type: fc.constant('row' as const),
    row: fc.record({
      id: fc.maxSafeNat(),
      key: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
      created: fc.maxSafeNat(),
      version: fc.nat(),
      lease: fc.nat(),
      value: fc.uint8Array({ maxLength: 6_000 }),
    }),
  }),
  fc.record({ type: fc.constant('compact' as const), revision: fc.maxSafeNat() }),
  fc.record({ type: fc.constant('grant' as const), lease: fc.nat(), ttl: fc.nat() }),
  fc.record({ type: fc.constant('revoke' as const), lease: fc.nat() }),
)

test('a batch is read as it was written, and not at all when a bit of it is another', t => {
  const encoder = new BatchEncoder(7)
  fc.assert(
    fc.property(
      fc.array(entryArbitrary, { minLength: 1, maxLength: 8 }),
      fc.maxSafeNat(),
      fc.nat(),
      (entries, sequence, at) => {
        const bytes = Buffer.from(encoder.encode(sequence, entries))
        const batch = decodeBatch(bytes, 0, 7)
        t.is(batch?.sequence, sequence)
        t.is(batch?.length, bytes.length)
        t.is(bytes.length % PAGE, 0)
        const plain = batch?.entries.map(entry =>
          entry.type === 'row' ? { ...entry, row: { ...entry.row, value: new Uint8Array(entry.row.value) } } : entry,
        )
        t.deepEqual(plain, entries)
        t.is(decodeBatch(bytes, 0, 8), undefined, 'of another log')
        const place = at % (20 + bytes.readUInt32LE(16))
        bytes[place] = bytes[place]! ^ (1 << (at % 8))
        t.is(decodeBatch(bytes, 0, 7), undefined)
      },
    ),
    { numRuns: 200 },
  )
})

test('values that look like batches are none', t => {
  const file = join(temporaryFolder(t), 'store.log')
  const log = Log.create(file)
  const forged = new BatchEncoder(crc32('guessed')).encode(1e6, [{ type: 'compact', revision: 1 }])
  const row = {
    id: 4_096,
    key: '/a',
    created: 1,
    version: 1,
    lease: 0,
    value: Buffer.concat(Array.from({ length: 4 }, () => forged)),
  }
  log.append(new BatchEncoder(log.seed).encode(1, [{ type: 'row', row }]))
  log.close()
  const again = Log.open(file)
  t.deepEqual(
    again.batches(0).map(({ sequence }) => sequence),
    [1],
  )
  again.close()
})

test('the log begins anew in the same file, and what is left of the last round does not count', t => {
  const file = join(temporaryFolder(t), 'store.log')
  const log = Log.create(file)
  const encoder = new BatchEncoder(log.seed)
  const append = (sequence: number, size: number): void => {
    const row = { id: 4_096 * sequence, key: '/a', created: 1, version: 1, lease: 0, value: new Uint8Array(size) }
    log.append(encoder.encode(sequence, [{ type: 'row', row }]))
  }
  for (const sequence of [1, 2, 3]) append(sequence, 10)
  t.true(log.fits(1 << 20))
  t.false(log.fits(8 << 20))
  log.restart()
  t.true(log.fits(20 << 20), 'a batch that no round can hold has one to itself')
  append(4, 20 << 20)
  log.restart()
  t.true(statSync(file).size <= 8 << 20, 'the file is as long as ever')
  append(5, 10)
  const sequences = (applied: number) => {
    const again = Log.open(file)
    const found = again.batches(applied).map(({ sequence }) => sequence)
    again.close()
    return found
  }
  t.deepEqual(sequences(4), [5])
  t.deepEqual(sequences(5), [])
  log.close()
})

test('when the first batch of a round is torn, and the former round shows before it, the round begins anew', t => {
  const file = join(temporaryFolder(t), 'store.log')
  const log = Log.create(file)
  const encoder = new BatchEncoder(log.seed)
  const batch = (sequence: number, size: number): Uint8Array => {
    const row = { id: 4_096 * sequence, key: '/a', created: 1, version: 1, lease: 0, value: new Uint8Array(size) }
    return encoder.encode(sequence, [{ type: 'row', row }])
  }
  for (const sequence of [1, 2, 3]) log.append(batch(sequence, 10))
  const first = readFileSync(file).subarray(PAGE, 2 * PAGE)
  log.restart()
  log.append(batch(4, 2 * PAGE))
  log.close()
  // Its first page did not reach the disk, the others did.
  overwrite(file, PAGE, first)
  const sequences = (then: (log: Log) => void = () => {}) => {
    const again = Log.open(file)
    const found = again.batches(3).map(({ sequence }) => sequence)
    then(again)
    again.close()
    return found
  }
  t.deepEqual(
    sequences(again => again.append(batch(4, 10))),
    [],
  )
  t.deepEqual(
    sequences(again => again.append(batch(5, 10))),
    [4],
  )
  t.deepEqual(sequences(), [4, 5])
})
