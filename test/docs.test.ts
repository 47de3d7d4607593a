/** Holds the docs to the code: derived pages, links, and the README's own commands. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import test from 'ava'
import { derivedPages } from '../scripts/docs/pages.ts'
import { projectRoot, startCluster } from './support/cluster.ts'
import { unpackProgram } from './support/kubectl.ts'
import { findProgram, skip } from './support/programs.ts'
import { run } from './support/run.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

const pages = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: projectRoot,
  encoding: 'utf8',
})
  .trim()
  .split('\n')

const textOf = (page: string): string => readFileSync(join(projectRoot, page), 'utf8')

/** GitHub's anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .trim()
    .replaceAll(' ', '-')

const anchorsOf = (page: string): readonly string[] =>
  [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(match => anchorOf(match[1] as string))

test('derived pages are up to date (npm run docs)', async t => {
  for (const [page, text] of Object.entries(await derivedPages())) t.is(textOf(page), text, page)
})

test('every link inside the project leads somewhere', t => {
  const broken: string[] = []
  let count = 0
  for (const page of pages) {
    // What a program prints is no link.
    const prose = textOf(page).replace(/^```.*?^```$/gms, '')
    for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?|mailto):/.test(target)) continue
      count++
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      const holds = existsSync(resolve(projectRoot, file)) && (anchor === undefined || anchorsOf(file).includes(anchor))
      if (!holds) broken.push(`${page}: ${target}`)
    }
  }
  t.deepEqual(broken, [])
  t.true(count > 20, `only ${count} links were seen`)
})

interface Step {
  readonly command: string
  readonly output: string
}

/** The commands of a page's console blocks, each with the output that the page shows. */
const sessionOf = (page: string): readonly Step[] =>
  [...textOf(page).matchAll(/```console\n(.*?)```/gs)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map(step => {
        const [command = '', ...output] = step.split('\n')
        return { command, output: output.join('\n') }
      }),
  )

/** Numbers (addresses, ages, ids, serials) differ from run to run; columns move with them. */
const masked = (text: string): string =>
  text
    .replace(/\d+/g, 'N')
    .replace(/[ \t]+/g, ' ')
    .trim()

test.serial("the README's session is what happens", async t => {
  const missing = ['dig', 'getent'].filter(program => findProgram(program) === undefined)
  if (process.geteuid?.() !== 0 || missing.length > 0) return skip(t, `needs root ${missing.join(' ')}`)
  const folder = temporaryFolder(t)
  symlinkSync(join(projectRoot, 'bin'), join(folder, 'bin'))
  const cluster = await startCluster(t, { folder: join(folder, '.seamark') })
  const steps = sessionOf('README.md')
  t.true(steps.length >= 10, `only ${steps.length} commands were seen`)
  const environment = {
    PATH: `${dirname(unpackProgram('kubectl'))}:${process.env.PATH}`,
    KUBECONFIG: cluster.kubeconfig,
    HOME: folder,
  }
  for (const { command, output } of steps) {
    const here = command.replace('-p 1053', `-p ${cluster.dnsPort}`)
    const { stdout, stderr } = await run('bash', ['-c', here], { cwd: folder, env: environment })
    t.is(masked(stdout), masked(output), `${command}\n${stderr}`)
  }
})

test('the README names the commands that package.json has', t => {
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> }
  const named = [...(textOf('README.md') + textOf('CONTRIBUTING.md')).matchAll(/npm run ([a-z]+)/g)].map(
    match => match[1] as string,
  )
  t.true(named.length > 0)
  t.deepEqual(
    named.filter(name => scripts[name] === undefined),
    [],
  )
  t.true(textOf('README.md').includes('npm ci && npm start'))
  t.true(textOf('README.md').includes('npm cit'))
})
