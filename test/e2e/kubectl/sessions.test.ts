/**
 * kubectl at a terminal: every page of sessions/ is typed against one apiserver, each in a folder and a namespace of its
 * own, and must print what it says. SEAMARK_SESSIONS=write writes what it printed instead, to be read before it is
 * believed.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import anyTest, { type ExecutionContext, type TestFn } from 'ava'
import { unpackProgram } from '../../support/kubectl.ts'
import { kubectlCluster } from '../../support/kubectl-cluster.ts'
import { matches, readSections, type Section, type Terminal, told, type } from '../../support/session.ts'

const test = anyTest.serial as TestFn
const PAGES = join(import.meta.dirname, 'sessions')
/** Parts of the pages' names, to run a few: `SEAMARK_SESSIONS_OF=create,apply`. */
const chosen = process.env.SEAMARK_SESSIONS_OF?.split(',')
const writes = process.env.SEAMARK_SESSIONS === 'write'

const pages = readdirSync(PAGES)
  .filter(name => !chosen || chosen.some(part => name.includes(part)))
  .map(name => ({
    name: basename(name, '.md'),
    path: join(PAGES, name),
    text: readFileSync(join(PAGES, name), 'utf8'),
  }))

const cluster = kubectlCluster(test)
const base = mkdtempSync(join(tmpdir(), 'seamark-sessions-'))
test.after.always(() => rmSync(base, { recursive: true, force: true }))

const terminalOf = async (t: ExecutionContext, name: string): Promise<Terminal> => {
  const folder = join(base, name)
  mkdirSync(folder)
  const environment = {
    HOME: cluster.home,
    PATH: `${dirname(unpackProgram('kubectl'))}:${process.env.PATH}`,
    KUBECONFIG: join(folder, '.kubeconfig'),
    TZ: 'UTC',
  }
  copyFileSync(cluster.kubeconfig(), environment.KUBECONFIG)
  const terminal = { folder, environment }
  t.deepEqual(await type(`kubectl create namespace ${name}`, terminal), [`namespace/${name} created`])
  await cluster.accountIn(name)
  t.is((await type(`kubectl config set-context --current --namespace ${name}`, terminal)).length, 1)
  return terminal
}

interface Change {
  readonly place: Section['commands'][number]['place']
  readonly lines: readonly string[]
}

const putFiles = ({ files }: Section, folder: string): void => {
  for (const [name, text] of files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text, { mode: text.startsWith('#!') ? 0o755 : 0o644 })
  }
}

/** Types a section. What the page should say instead goes to `changes`, where pages are written. */
const play = async (t: ExecutionContext, section: Section, terminal: Terminal, changes: Change[]): Promise<void> => {
  putFiles(section, terminal.folder)
  for (const command of section.commands) {
    const actual = await type(command.text, terminal)
    if (matches(actual, command)) continue
    const lines = told(actual, command)
    if (writes) changes.push({ place: command.place, lines })
    else t.deepEqual(lines, command.expected, command.text)
  }
  t.pass()
}

for (const { name, path, text } of pages) {
  let terminal: Terminal | undefined
  const changes: Change[] = []
  for (const section of readSections(text)) {
    test(`${name}: ${section.title}`, async t => {
      terminal ??= await terminalOf(t, name)
      await play(t, section, terminal, changes)
    })
  }
  if (!writes) continue
  test.after.always(() => {
    const lines = text.split('\n')
    for (const { place, lines: instead } of changes.reverse()) lines.splice(place[0], place[1] - place[0], ...instead)
    writeFileSync(path, lines.join('\n'))
  })
}

test('the pages hold at least 200 commands of kubectl', t => {
  const typed = pages.flatMap(({ text }) => readSections(text)).flatMap(({ commands }) => commands)
  const count = typed.flatMap(({ text }) => text.match(/\bkubectl\b/g) ?? []).length
  t.log(`${count} commands on ${pages.length} pages`)
  t.true(chosen !== undefined || count >= 200, `only ${count}`)
})
