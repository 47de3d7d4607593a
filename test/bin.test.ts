/** bin/: the way in works from anywhere, whatever Node is on the PATH, and leaves one process. */
import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'ava'
import { projectRoot, seamark } from './support/cluster.ts'
import { findProgram } from './support/programs.ts'
import { run } from './support/run.ts'
import { temporaryFolder } from './support/temporary-folder.ts'

const pinnedNode = join(projectRoot, 'bin', 'pinned-node')

/** What the scripts themselves need of a machine. */
const SHELL_PROGRAMS = ['sh', 'readlink', 'uname']

test('it needs no Node on the PATH, and ignores one that is too old', async t => {
  const folder = temporaryFolder(t)
  for (const name of SHELL_PROGRAMS) symlinkSync(findProgram(name) as string, join(folder, name))
  t.regex((await run(seamark, ['--version'], { env: { PATH: folder }, cwd: '/' })).stdout, /^\d+\.\d+\.\d+\n$/)
  writeFileSync(join(folder, 'node'), '#!/bin/sh\necho old; exit 1\n', { mode: 0o755 })
  t.regex((await run(pinnedNode, ['--version'], { env: { PATH: folder } })).stdout, /^v24\./)
})

test('links lead to it: of the file, relative and absolute, and of the folder', async t => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'deep'))
  symlinkSync(seamark, join(folder, 'absolute'))
  symlinkSync('../absolute', join(folder, 'deep', 'relative'))
  symlinkSync(join(projectRoot, 'bin'), join(folder, 'bin'))
  for (const path of ['absolute', 'deep/relative', 'bin/seamark']) {
    t.is((await run(join(folder, path), ['--version'], { cwd: '/' })).code, 0, path)
  }
})

test('a clone without packages says what brings them', async t => {
  const folder = temporaryFolder(t)
  for (const part of ['bin', 'cmd', 'lib', 'configs', 'package.json'])
    cpSync(join(projectRoot, part), join(folder, part), { recursive: true })
  const env = { PATH: `${dirname(process.execPath)}:${process.env.PATH}` }
  const { code, stderr } = await run(join(folder, 'bin/seamark'), ['up'], { env })
  t.is(code, 1)
  t.true(stderr.startsWith(`seamark: the package commander is not in ${folder}\n  Run 'npm ci' `), stderr)
})

test('a checkout runs what was built while no source is newer', async t => {
  const folder = temporaryFolder(t)
  const at = (path: string) => join(folder, path)
  cpSync(join(projectRoot, 'bin'), at('bin'), { recursive: true })
  symlinkSync(join(projectRoot, 'node_modules'), at('node_modules'))
  for (const room of ['lib', 'watcher', 'resolver/zone', 'server', 'cluster', 'cmd', 'dist'])
    mkdirSync(at(room), { recursive: true })
  writeFileSync(at('package.json'), '{ "type": "module" }')
  writeFileSync(at('cmd/main.ts'), 'console.log("sources" as string)')
  writeFileSync(at('resolver/zone/a.ts'), '')
  const runs = async (env = {}) => (await run(at('bin/seamark'), [], { env: { SEAMARK_SOURCES: '', ...env } })).stdout
  writeFileSync(at('dist/main.js'), 'console.log("built")')
  t.is(await runs(), 'sources\n', 'the build has not ended')
  const built = new Date(Date.now() + 60_000)
  writeFileSync(at('dist/LICENCES.txt'), '')
  utimesSync(at('dist/LICENCES.txt'), built, built)
  t.is(await runs(), 'built\n')
  t.is(await runs({ SEAMARK_SOURCES: '1' }), 'sources\n')
  const programs = temporaryFolder(t)
  for (const name of SHELL_PROGRAMS) symlinkSync(findProgram(name) as string, join(programs, name))
  t.is(await runs({ PATH: programs }), 'sources\n', 'there is no find')
  const later = new Date(built.getTime() + 1000)
  utimesSync(at('resolver/zone/a.ts'), later, later)
  t.is(await runs(), 'sources\n', 'a file is newer')
  rmSync(at('resolver/zone/a.ts'))
  t.is(await runs(), 'built\n')
  utimesSync(at('resolver/zone'), later, later)
  t.is(await runs(), 'sources\n', 'a file was removed')
})

test('exit codes and signals pass through', async t => {
  t.is((await run(pinnedNode, ['-e', 'process.exit(7)'])).code, 7)
  const child = spawn(pinnedNode, ['-e', 'console.log(process.pid); setInterval(() => {}, 1000)'])
  const printed = await new Promise<string>(resolve => child.stdout.once('data', chunk => resolve(String(chunk))))
  t.is(printed.trim(), String(child.pid), 'there is more than one process')
  const ended = new Promise(resolve => child.once('exit', (_code, signal) => resolve(signal)))
  child.kill('SIGTERM')
  t.is(await ended, 'SIGTERM')
})

test("the compile cache stands in the user's own home, and nowhere where there is none", async t => {
  const home = temporaryFolder(t)
  const print = ['-p', 'process.env.NODE_COMPILE_CACHE']
  const cacheWith = async (env: Record<string, string>) =>
    (await run('env', ['-i', ...Object.entries(env).map(pair => pair.join('=')), pinnedNode, ...print])).stdout.trim()
  t.is(await cacheWith({ HOME: home }), join(home, '.cache/seamark/compile-cache'))
  t.is(await cacheWith({ HOME: home, XDG_CACHE_HOME: '/xdg' }), '/xdg/seamark/compile-cache')
  t.is(await cacheWith({ HOME: home, NODE_COMPILE_CACHE: '/mine' }), '/mine')
  for (const env of [{}, { HOME: '' }, { HOME: '/nonexistent' }]) t.is(await cacheWith(env), 'undefined')
})

test('the DNS server has a small young generation, the apiserver a large one; all else has V8’s', async t => {
  const preload = join(temporaryFolder(t), 'print.cjs')
  writeFileSync(preload, 'process.stderr.write(process.execArgv.join(" "))')
  const argumentsOf = async (part: string) =>
    (await run(seamark, [part, '--help'], { env: { NODE_OPTIONS: `--require=${preload}` } })).stderr
  t.is(await argumentsOf('dns'), '--min-semi-space-size=4 --max-semi-space-size=4')
  for (const part of ['apiserver', 'control-plane'])
    t.is(await argumentsOf(part), '--min-semi-space-size=64 --max-semi-space-size=64', part)
  t.is(await argumentsOf('check'), '')
})

test('errors say what to do: an unknown command, a missing file, a value out of bounds', async t => {
  const unknown = await run(seamark, ['serv'])
  t.is(unknown.code, 1)
  t.regex(unknown.stderr, /unknown command 'serv'/)
  const missing = await run(seamark, ['check', '-conf', '/nowhere/Corefile'])
  t.is(missing.code, 1)
  t.regex(missing.stderr, /\/nowhere\/Corefile:1: cannot be read: .*ENOENT[\s\S]*\[BAD_COREFILE\]/)
  const bounds = await run(seamark, ['dns', '--tcp-max-connections', '0'])
  t.is(bounds.code, 1)
  t.regex(bounds.stderr, /--tcp-max-connections: 0 is not a number from 1 to 1000000 \(connections\)/)
})
