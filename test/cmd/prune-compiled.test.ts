import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { pruneCompiled } from '../../cmd/prune-compiled.ts'
import { skip } from '../support/programs.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const DAY = 24 * 3_600_000
const NOW = Date.now()

/** Days ago: when it was read last, and written. */
const put = (path: string, read: number, written: number): void => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, '')
  utimesSync(path, (NOW - read * DAY) / 1000, (NOW - written * DAY) / 1000)
}

const tellsOfReading = (t: ExecutionContext): boolean => {
  const path = join(temporaryFolder(t), 'file')
  put(path, 3, 3)
  writeFileSync(path, 'text')
  utimesSync(path, (NOW - 3 * DAY) / 1000, (NOW - 3 * DAY) / 1000)
  readFileSync(path)
  return statSync(path).atimeMs > NOW - DAY
}

test('what nobody has read or written for 30 days goes, whatever version it is of', async t => {
  if (!tellsOfReading(t)) return skip(t, 'needs a file system that tells when files were read (not noatime)')
  const folder = temporaryFolder(t)
  put(join(folder, 'v24.21.0-x64-964aae3f-0/0000beef'), 31, 100)
  put(join(folder, 'v24.21.0-x64-964aae3f-0/0000cafe'), 29, 100)
  put(join(folder, 'v24.21.0-x64-964aae3f-0/0000f00d'), 100, 29)
  put(join(folder, 'v22.1.0-x64-964aae3f-0/0000beef'), 31, 31)
  put(join(folder, 'v22.1.0-x64-964aae3f-0/0000beef.Xy12'), 31, 31)
  t.is(await pruneCompiled(folder, NOW), 3)
  t.deepEqual(readdirSync(folder, { recursive: true }).sort(), [
    'v24.21.0-x64-964aae3f-0',
    'v24.21.0-x64-964aae3f-0/0000cafe',
    'v24.21.0-x64-964aae3f-0/0000f00d',
  ])
  t.is(await pruneCompiled(folder, NOW), 0)
})

test('what is none of Node’s stays, and nothing behind links is looked at', async t => {
  const folder = temporaryFolder(t)
  const elsewhere = join(temporaryFolder(t), 'file')
  put(elsewhere, 100, 100)
  put(join(folder, 'bench/coredns'), 100, 100)
  put(join(folder, 'file'), 100, 100)
  put(join(folder, 'v24.21.0-x64-964aae3f-0/folder/file'), 100, 100)
  symlinkSync(dirname(elsewhere), join(folder, 'v24.0.0-link'))
  symlinkSync(elsewhere, join(folder, 'v24.21.0-x64-964aae3f-0/link'))
  const before = readdirSync(folder, { recursive: true })
  t.is(await pruneCompiled(folder, NOW), 0)
  t.deepEqual(readdirSync(folder, { recursive: true }), before)
  t.true(existsSync(elsewhere))
})

test('a cache that is not there is none to prune', async t => {
  t.is(await pruneCompiled(join(temporaryFolder(t), 'none'), NOW), 0)
})
