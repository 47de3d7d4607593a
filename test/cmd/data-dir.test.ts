/** cmd/data-dir.ts: a directory is made, taken again, or refused with a reason and untouched. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { ensureDataDir, openDataDir, writeClusterFile } from '#cmd/data-dir.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

test('a new directory is made with all above it, for its owner only, and is taken again as it is', t => {
  const folder = join(temporaryFolder(t), 'with some', 'spaces')
  t.is(ensureDataDir(folder).folder, folder)
  writeClusterFile(folder, { dns: '127.0.0.1:1053' })
  t.is(ensureDataDir(folder).adminKubeconfig, join(folder, 'admin.kubeconfig'))
  t.deepEqual(openDataDir(folder).addresses, { dns: '127.0.0.1:1053' })
})

test('where no directory can be, the reason is said', t => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'file'), '')
  t.throws(() => ensureDataDir(join(folder, 'file')), { code: 'DATA_DIR_UNUSABLE', message: /EEXIST/ })
  t.throws(() => ensureDataDir(join(folder, 'file', 'below')), { code: 'DATA_DIR_UNUSABLE', message: /ENOTDIR/ })
  t.throws(() => ensureDataDir('/proc/seamark'), { code: 'DATA_DIR_UNUSABLE', message: /ENOENT/ })
  mkdirSync(join(folder, 'marked', 'cluster.json'), { recursive: true })
  t.throws(() => ensureDataDir(join(folder, 'marked')), { code: 'DATA_DIR_UNUSABLE', message: /EISDIR/ })
})

test("what is another's, or a newer Seamark's, is refused and left as it is", t => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'theirs'), 'kept')
  t.throws(() => ensureDataDir(folder), { code: 'DATA_DIR_FOREIGN', message: /theirs/ })
  t.deepEqual(readdirSync(folder), ['theirs'])
  for (const text of ['', 'null', '[]', '{"layoutVersion":"1"}']) {
    writeFileSync(join(folder, 'cluster.json'), text)
    t.throws(() => ensureDataDir(folder), { code: 'DATA_DIR_FOREIGN' }, text)
    t.is(readFileSync(join(folder, 'cluster.json'), 'utf8'), text)
  }
  writeFileSync(join(folder, 'cluster.json'), '{"layoutVersion":99}')
  t.throws(() => ensureDataDir(folder), { code: 'STORE_NEWER', message: /newer Seamark/ })
})

test('a command that joins a cluster says that there is none', t => {
  const folder = temporaryFolder(t)
  t.throws(() => openDataDir(folder), { code: 'CLUSTER_ABSENT' })
  t.throws(() => openDataDir(join(folder, 'absent')), { code: 'CLUSTER_ABSENT' })
  t.deepEqual(readdirSync(folder), [])
})
