/** Holds the docs to the code: derived pages, links, and the README's own commands. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import test from 'ava'
import { derivedPages } from '../scripts/docs/pages.ts'
import { projectRoot } from './support/cluster.ts'

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

test('derived pages are up to date (npm run docs)', t => {
  for (const [page, text] of Object.entries(derivedPages())) t.is(textOf(page), text, page)
})

test('every link inside the project leads somewhere', t => {
  const broken: string[] = []
  let count = 0
  for (const page of pages) {
    for (const [, target = ''] of textOf(page).matchAll(/\]\(([^)\s]+)\)/g)) {
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
