/** Holds the import table of docs/architecture.md: which room may import which. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A room → the rooms that it may import besides itself. The longest prefix of a file's path names its room. */
const TABLE: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  watcher: ['lib'],
  resolver: ['lib', 'watcher'],
  server: ['lib', 'resolver'],
  'cluster/store': ['lib'],
  'cluster/api': ['lib'],
  'cluster/pki': ['lib'],
  'cluster/apiserver': ['lib', 'cluster/api', 'cluster/store', 'cluster/pki'],
  'cluster/controllers': ['lib', 'watcher', 'cluster/api', 'cluster/pki'],
  cmd: [
    'lib',
    'watcher',
    'resolver',
    'server',
    'cluster/store',
    'cluster/api',
    'cluster/pki',
    'cluster/apiserver',
    'cluster/controllers',
  ],
}

/** Folders whose files all implement one contract: a member never imports its sibling. The index imports them all. */
const DRAWERS = [
  'cluster/api/kinds',
  'cluster/apiserver/actions',
  'cluster/apiserver/admission',
  'cluster/apiserver/authn',
  'cluster/apiserver/authz',
  'cluster/apiserver/patches',
  'cluster/apiserver/planners',
  'cluster/controllers/kinds',
  'cluster/store/backends',
  'resolver/plugins',
  'watcher/credentials',
  'watcher/views',
]

/** Packages that only one place may know. */
const ONLY: Readonly<Record<string, RegExp>> = {
  'dns-packet': /^resolver\/wire\//,
  koffi: /^(server\/system-calls\.ts|cmd\/shell\/)/,
  'node:sqlite': /^cluster\/store\/backends\//,
  commander: /^cmd\//,
}

interface Edge {
  readonly from: string
  readonly to: string
  readonly specifier: string
}

const sources = (folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts'))
    .map(entry => relative(root, join(entry.parentPath, entry.name)))

const files = ['lib', 'watcher', 'resolver', 'server', 'cluster', 'cmd'].flatMap(sources)

/** Every static and dynamic import, re-export and worker URL of a file. */
const specifiersOf = (text: string): string[] =>
  [
    ...text.matchAll(/(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s+['"]([^'"]+)['"]/g),
    ...text.matchAll(/(?:^|\n)\s*import\s+['"]([^'"]+)['"]/g),
    ...text.matchAll(/\bimport\(\s*['"]([^'"]+)['"]\s*\)/g),
    ...text.matchAll(/new URL\(\s*['"](\.[^'"]+\.ts)['"]\s*,\s*import\.meta\.url/g),
  ].map(match => match[1] as string)

const edgesOf = (from: string): Edge[] =>
  specifiersOf(readFileSync(join(root, from), 'utf8')).map(specifier => {
    const to = specifier.startsWith('#')
      ? specifier.slice(1)
      : specifier.startsWith('.')
        ? relative(root, resolve(root, dirname(from), specifier))
        : specifier
    return { from, to, specifier }
  })

const edges: Edge[] = files.flatMap(edgesOf)

const roomOf = (path: string): string | undefined =>
  Object.keys(TABLE)
    .filter(room => path.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0]

const isInternal = (edge: Edge): boolean => edge.specifier.startsWith('#') || edge.specifier.startsWith('.')

test('every file stands in a room of the table', t => {
  t.deepEqual(
    files.filter(file => roomOf(file) === undefined),
    [],
  )
})

test('imports point left: a room imports only what the table allows', t => {
  const crossings = edges
    .filter(isInternal)
    .filter(({ from, to }) => {
      const room = roomOf(from) as string
      const target = roomOf(to)
      return target !== room && !(target !== undefined && TABLE[room]?.includes(target))
    })
    .map(({ from, to }) => `${from} → ${to}`)
  t.deepEqual(crossings, [])
})

test('rooms are entered by subpath, so that a crossed wall shows at the import line', t => {
  const relatives = edges
    .filter(({ from, to, specifier }) => specifier.startsWith('.') && roomOf(from) !== roomOf(to))
    .map(({ from, specifier }) => `${from} → ${specifier}`)
  // Rooms under cluster/ are siblings of one folder; they too go by subpath.
  t.deepEqual(relatives, [])
})

/** One circle for each file that leads back to one above it on the way there, from `a → b → a` on. */
const circlesOf = (graph: ReadonlyMap<string, readonly string[]>): string[] => {
  const circles: string[] = []
  const done = new Set<string>()
  const walk = (file: string, above: readonly string[]): void => {
    const start = above.indexOf(file)
    if (start >= 0) circles.push([...above.slice(start), file].join(' → '))
    if (start >= 0 || done.has(file)) return
    for (const next of graph.get(file) ?? []) walk(next, [...above, file])
    done.add(file)
  }
  for (const file of graph.keys()) walk(file, [])
  return circles
}

test('no import leads back to where it began, of types neither', t => {
  const all = [...files, ...['bench', 'scripts', 'test'].flatMap(sources)]
  t.deepEqual(circlesOf(new Map(all.map(file => [file, edgesOf(file).map(({ to }) => to)]))), [])
  t.deepEqual(
    circlesOf(
      new Map([
        ['a', ['b', 'c']],
        ['b', ['c']],
        ['c', ['d']],
        ['d', ['b']],
      ]),
    ),
    ['b → c → d → b'],
  )
})

/** `resolver/plugins/kubernetes/zone.ts` → `kubernetes`: the member that a file of a drawer belongs to. */
const memberOf = (drawer: string, path: string): string => {
  const first = path.slice(drawer.length + 1).split('/')[0] as string
  return first.replace(/\.ts$/, '')
}

test('a member of a drawer never imports its sibling', t => {
  const crossings = DRAWERS.flatMap(drawer =>
    edges
      .filter(isInternal)
      .filter(({ from, to }) => from.startsWith(`${drawer}/`) && to.startsWith(`${drawer}/`))
      .filter(({ from, to }) => {
        const [member, sibling] = [memberOf(drawer, from), memberOf(drawer, to)]
        return member !== sibling && member !== 'index' && !SHARED.has(`${drawer}/${sibling}`)
      })
      .map(({ from, to }) => `${from} → ${to}`),
  )
  t.deepEqual(crossings, [])
})

/** Files in a drawer that are no members: lists and shapes that members may use. */
const SHARED = new Set(['resolver/plugins/order'])

test('packages that one place wraps are imported nowhere else', t => {
  const leaks = edges
    .filter(({ from, to }) => ONLY[to] !== undefined && !ONLY[to].test(from))
    .map(({ from, to }) => `${from} → ${to}`)
  t.deepEqual(leaks, [])
})

test('only cmd touches the process: argv, the environment, exit', t => {
  const touches = files
    .filter(file => !file.startsWith('cmd/'))
    .filter(file => /\bprocess\.(argv|env|exit|on|once)\b/.test(readFileSync(join(root, file), 'utf8')))
  t.deepEqual(touches, [])
})

test('the table was held against a real tree', t => {
  const internal = edges.filter(isInternal)
  t.true(files.length > 100, `only ${files.length} files were read`)
  t.true(internal.length > 300, `only ${internal.length} imports were seen`)
  const used = new Set(internal.map(({ from }) => roomOf(from)))
  t.deepEqual([...used].sort(), Object.keys(TABLE).sort())
})

/** The rows of the table of docs/architecture.md under `heading`, cell by cell. */
const tableUnder = (heading: string): string[][] => {
  const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
  const [section = ''] = (page.split(`## ${heading}\n`)[1] ?? '').split('\n## ')
  return section
    .split('\n')
    .filter(line => line.startsWith('| ') && !line.startsWith('| room '))
    .map(line =>
      line
        .slice(1, -1)
        .split('|')
        .map(cell => cell.trim()),
    )
}

test('docs/architecture.md states the same table', t => {
  const stated = tableUnder('Who may import whom').flatMap(([rooms = '', allowed = '']) =>
    rooms.split(', ').map(room => [room, allowed === 'node: and npm only' ? [] : allowed.split(', ')] as const),
  )
  t.deepEqual(Object.fromEntries(stated), { ...TABLE, cmd: ['everything'], test: ['everything'] })
})

test('docs/architecture.md draws the tree that stands, and leaves no folder at the top out', t => {
  const paths = tableUnder('The tree').flatMap(([room = '', , start = '']) =>
    [...`${room} ${start}`.matchAll(/`([^`]+)`/g)].map(match => match[1] as string),
  )
  t.true(paths.length > 30, `only ${paths.length} paths were seen`)
  t.deepEqual(
    paths.filter(path => !existsSync(join(root, path))),
    [],
  )
  const top = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' })
    .split('\n')
    .filter(path => path.includes('/') && !path.startsWith('.'))
    .map(path => path.split('/')[0] as string)
  const drawn = new Set(paths.map(path => path.split('/')[0]))
  t.deepEqual(
    [...new Set(top)].filter(folder => !drawn.has(folder)),
    [],
  )
})
