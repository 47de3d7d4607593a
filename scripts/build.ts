/**
 * Puts the product together in dist/ for the npm package (docs/decisions/0002-compiled-package.md): few files, since a
 * start pays for each that it finds and reads (docs/decisions/0019-start.md). All of them lie flat in dist/, those too
 * that the sources name by `new URL('./…', import.meta.url)`: workers, tables of facts.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ModuleInfo, type OutputChunk, type Plugin, type PluginContext, rolldown } from 'rolldown'
import { parseSync } from 'rolldown/utils'
import { inAscii } from './in-ascii.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')

/** koffi has a native part; re2js is not needed before the first answer. They stay packages of their own. */
const EXTERNAL = ['koffi', 're2js']

/** A module that has the plugins of kubeadm's Corefile, which most servers have: they are one file to be read. */
const EVERYDAY = '\0everyday-plugins'
const everyday = new Set(
  [...readFileSync(join(root, 'configs/examples/kubeadm.Corefile'), 'utf8').matchAll(/^ {4}(\w+)/gm)].map(
    ([, name]) => name!,
  ),
)
/** Name of a plugin → what its module calls it. */
const exported = new Map<string, string>()

const modules = new Map<string, ModuleInfo>()
const info = (file: string): ModuleInfo => modules.get(join(root, file))!

/** What other subcommands want of the DNS server's modules. */
const SHARED = ['cmd/address-flag.ts', 'cmd/reachable-address.ts', 'cmd/run-program.ts', 'resolver/resolvconf.ts']

/** Which modules, with all that they import, are one file; where several could have one, the first does. */
const files: Readonly<Record<string, (id: string) => boolean>> = {
  // A worker thread reads this and its own file, and nothing else.
  thread: id => info('server/udp/worker.ts').importedIds.includes(id),
  cli: id => info('cmd/main.ts').dynamicallyImportedIds.includes(id),
  flags: id => id === join(root, 'cmd/dns.ts'),
  // The control plane has them too, and should not read a DNS server for their sake.
  lib: id => id.startsWith(join(root, 'lib/')) || SHARED.some(file => id === join(root, file)),
  watcher: id => id.startsWith(join(root, 'watcher/')),
  dns: id => id === join(root, 'cmd/serve-dns.ts') || id === EVERYDAY,
}

const everydayPlugins: Plugin = {
  name: 'everyday-plugins',
  resolveId: id => (id === EVERYDAY ? id : null),
  load: id =>
    id === EVERYDAY
      ? [...exported].map(([name, as]) => `export { ${as} } from '${root}resolver/plugins/${name}.ts'`).join('\n')
      : null,
  transform: {
    filter: { id: join(root, 'resolver/plugins/index.ts') },
    handler: code =>
      inPlace(code, /import\('\.\/(\w+)\.ts'\)\)\.(\w+)/g, (all, name, as) => {
        if (!everyday.has(name)) return all
        exported.set(name, as)
        return `import('${EVERYDAY}')).${as}`
      }),
  },
}

/** Lines stay lines, which is what stacks need: the map of the source holds. */
const inPlace = (code: string, pattern: RegExp, replace: (all: string, ...groups: string[]) => string) => ({
  code: code.replaceAll(pattern, replace),
  map: null,
})

/** Files named by their place beside the source, and packages that are loaded when they are wanted. */
const namedByUrl: Plugin = {
  name: 'named-by-url',
  transform: {
    filter: { id: /\.ts$/, code: 'import.meta.url' },
    handler(code, id) {
      const { code: placed } = inPlace(code, /new URL\('(\.\/[^']+)', import\.meta\.url\)/g, (_, name) => {
        return `new URL(import.meta.ROLLUP_FILE_URL_${emit(this, join(dirname(id), name!))})`
      })
      return inPlace(placed, /createRequire\(import\.meta\.url\)(?=\('([^']+)'\))/g, (all, name) =>
        EXTERNAL.includes(name!) ? all : 'require',
      )
    },
  },
  moduleParsed: module => void modules.set(module.id, module),
}

/** `server/udp/worker.ts` → `server.udp.worker`. */
const emit = (context: PluginContext, path: string): string => {
  const name = path.slice(root.length).replaceAll(sep, '.')
  return path.endsWith('.ts')
    ? context.emitFile({ type: 'chunk', id: path, name: name.replace(/\.ts$/, '') })
    : context.emitFile({ type: 'asset', fileName: name, source: readFileSync(path) })
}

/**
 * V8 compiles a function that stands in parentheses with its file, and what is compiled with its file is what the compile
 * cache keeps: a function without them is compiled anew in each start. Those of classes cannot have any.
 */
const inParentheses = (code: string): string => {
  const functions = parseSync('chunk.js', code).program.body.flatMap(statement => {
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    if (declaration?.type !== 'VariableDeclaration') return []
    return declaration.declarations.flatMap(({ init }) => (init?.type === 'ArrowFunctionExpression' ? init : []))
  })
  let text = ''
  let end = 0
  for (const one of functions) {
    text += `${code.slice(end, one.start)}(${code.slice(one.start, one.end)})`
    end = one.end
  }
  return text + code.slice(end)
}

/** What the licences of the packages ask for that went into the files. */
const licences = (chunks: readonly OutputChunk[]): string => {
  const paths = chunks.flatMap(chunk => chunk.moduleIds)
  const packages = new Set(paths.flatMap(path => /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []))
  return [...packages]
    .toSorted()
    .map(folder => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      const file = ['LICENSE', 'LICENSE.md', 'LICENSE.txt', 'license', 'LICENCE'].find(each =>
        existsSync(join(folder, each)),
      )
      const text = file === undefined ? '' : `\n\n${readFileSync(join(folder, file), 'utf8').trim()}`
      return `${name} ${version} (${license})${text}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}

rmSync(dist, { recursive: true, force: true })
const bundle = await rolldown({
  cwd: root,
  input: { main: 'cmd/main.ts' },
  platform: 'node',
  external: EXTERNAL,
  preserveEntrySignatures: false,
  plugins: [everydayPlugins, namedByUrl],
  onLog(level, log) {
    throw new Error(`${level}: ${log.message}`)
  },
})
const names = Object.keys(files)
const { output } = await bundle.write({
  dir: dist,
  format: 'es',
  comments: false,
  sourcemap: true,
  sourcemapExcludeSources: true,
  chunkFileNames: '[name]-[hash].js',
  codeSplitting: {
    groups: names.map((name, index) => ({ name, test: files[name]!, priority: names.length - index })),
  },
})
const chunks = output.filter(each => each.type === 'chunk')
for (const { name, fileName, code } of chunks) {
  // After all else, since who writes JavaScript writes it back.
  const text = inAscii(code)
  // In files of which a start needs little, most would be compiled for nothing.
  writeFileSync(join(dist, fileName), names.includes(name) ? inParentheses(text) : text)
}
writeFileSync(join(dist, 'LICENCES.txt'), licences(chunks))
