import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

test('relative paths of its block start from it, those of others do not', async t => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'tables'))
  writeFileSync(join(folder, 'tables/hosts'), '192.0.2.1 a.example.org a.example.net\n')
  const blocks = 'example.org {\n hosts hosts\n root tables\n}\nexample.net {\n hosts hosts\n}'
  const configuration = configure(blocks, testWorld(), folder)
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  t.is((await ask(configuration, 'a.example.org.'))?.answers.length, 1)
  t.is((await ask(configuration, 'a.example.net.'))?.answers.length, 0)
})

test('a folder that is not there is no error', async t => {
  const configuration = configure('. {\n root /nowhere\n}')
  await t.notThrowsAsync(configuration.start(new AbortController().signal))
})

test('wants one folder', t => {
  t.deepEqual(problemsOf('. {\n root\n}'), ['Corefile:2: root: needs a folder'])
  t.regex(problemsOf('. {\n root a b\n}')[0] ?? '', /one word too many/)
})
