/** `npm pack`, install the tarball elsewhere, run it there: the package is whole. */
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { sourceStack } from '#lib/source-stack.ts'
import { Cluster, projectRoot } from '../support/cluster.ts'
import { ask } from '../support/dns-client.ts'
import { DnsProcess } from '../support/dns-process.ts'
import { recordLoaded } from '../support/loaded-files.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** What an error in the file says: the place in its source. */
const tellsSources = (t: ExecutionContext, dist: string): void => {
  const file = readdirSync(dist).find(name => /^thread-.*\.js$/.test(name))!
  const lines = readFileSync(join(dist, file), 'utf8').split('\n')
  const at = lines.findIndex(line => /OwnZones = class|class OwnZones/.test(line))
  const { href } = pathToFileURL(join(dist, file))
  const told = sourceStack(`    at find (${href}:${at + 1}:${lines[at]!.indexOf('OwnZones') + 1})`)
  const [, source, line] = /\/(server\/own-zones\.ts):(\d+):/.exec(told) ?? []
  t.is(source, 'server/own-zones.ts', told)
  t.regex(readFileSync(join(projectRoot, source!), 'utf8').split('\n')[Number(line) - 1]!, /class OwnZones/)
}

/** kubeadm's Corefile on loopback, without a cluster. */
const startsFromFewFiles = async (t: ExecutionContext, folder: string, command: string): Promise<void> => {
  const corefile = join(folder, 'Corefile')
  const kubeadm = readFileSync(join(projectRoot, 'configs/examples/kubeadm.Corefile'), 'utf8')
  writeFileSync(corefile, kubeadm.replace(/(kubernetes [^{]*\{)/, '$1\n endpoint https://127.0.0.1:1'))
  const record = recordLoaded(folder)
  const addresses = ['dns', 'health', 'ready', 'metrics', 'admin'].flatMap(part => [`--${part}-address`, '127.0.0.1:0'])
  const program = new DnsProcess(t, corefile, [...addresses, '--log-format', 'json'], record.environment, command)
  await program.whenSays('watching failed')
  await program.stop()
  const files = record.read().filter(url => url.startsWith('file:'))
  const own = files.filter(url => url.includes('/node_modules/seamark/dist/'))
  t.true(own.length >= 4 && own.length <= 16, own.join('\n'))
  // Else Node keeps it in twice the memory.
  for (const url of own) t.regex(readFileSync(fileURLToPath(url), 'latin1'), /^[\0-\x7f]*$/, url)
  // What a start needs of other packages stands in the package's own files; koffi has a native part.
  t.deepEqual(
    files.filter(url => !own.includes(url) && !/\/recorder\.mjs$|\/node_modules\/@?ko(ffi|romix)\//.test(url)),
    [],
  )
}

/** A project that wants the tarball and nothing else, with what it needs in the versions that the checkout has: npm has them. */
const lockAsHere = (folder: string, tarball: string): void => {
  const read = (name: string) => JSON.parse(readFileSync(join(projectRoot, name), 'utf8'))
  const { version, dependencies, optionalDependencies, bin } = read('package.json')
  const resolved = pathToFileURL(tarball).href
  const root = { dependencies: { seamark: resolved } }
  const entries = Object.entries<{ readonly dev?: boolean }>(read('package-lock.json').packages)
  const packages = {
    ...Object.fromEntries(entries.filter(([, { dev }]) => !dev)),
    '': root,
    'node_modules/seamark': { version, resolved, dependencies, optionalDependencies, bin },
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(root))
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, requires: true, packages }))
}

test.serial('the packed package installs elsewhere and runs there', async t => {
  t.timeout(300_000)
  const folder = temporaryFolder(t)
  const packed = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: projectRoot })
  t.is(packed.code, 0, packed.stderr)
  const tarball = join(folder, packed.stdout.trim().split('\n').at(-1) as string)
  lockAsHere(folder, tarball)
  const args = ['ci', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts']
  const installed = await run('npm', args, { cwd: folder })
  t.is(installed.code, 0, installed.stderr)

  const command = join(folder, 'node_modules', '.bin', 'seamark')
  t.regex((await run(command, ['--version'], { cwd: '/' })).stdout, /^\d+\.\d+\.\d+\n$/)
  t.is((await run(command, ['no-such-command'])).code, 1)
  // By another link, and with no Node on the PATH at all.
  symlinkSync(command, join(folder, 'linked'))
  t.is((await run(join(folder, 'linked'), ['--version'], { env: { PATH: '/usr/bin:/bin' }, cwd: '/' })).code, 0)

  const dist = join(folder, 'node_modules/seamark/dist')
  tellsSources(t, dist)
  t.regex(readFileSync(join(dist, 'LICENCES.txt'), 'utf8'), /^pino \d.*\n[\s\S]*Permission is hereby granted/m)
  t.false(existsSync(join(folder, 'node_modules/seamark/cmd')))
  await startsFromFewFiles(t, folder, command)

  const anyPort = ['apiserver', 'dns', 'metrics', 'health', 'ready', 'admin'].flatMap(part => [
    `--${part}-address`,
    '127.0.0.1:0',
  ])
  const cluster = new Cluster(join(folder, 'data'), anyPort, { command })
  t.teardown(() => cluster.stop())
  await cluster.whenUp()
  const reply = await ask({ name: 'kubernetes.default.svc.cluster.local', port: cluster.dnsPort })
  t.is(reply.answers[0]?.data, '10.96.0.1')
})
