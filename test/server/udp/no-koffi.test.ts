/** Where koffi does not run (another machine, an installation without its binary), node:dgram serves, and it is said. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { ask } from '../../support/dns-client.ts'
import { DnsProcess } from '../../support/dns-process.ts'
import { freePort } from '../../support/free-port.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

/** `seamark dns` for which there is no package of that name. */
const withoutKoffi = async (t: ExecutionContext, args: readonly string[] = []) => {
  const folder = temporaryFolder(t)
  const preload = join(folder, 'without-koffi.mjs')
  writeFileSync(
    preload,
    `import { registerHooks } from 'node:module'
     const refuse = name => { throw new Error('there is no ' + name) }
     registerHooks({ resolve: (name, context, next) => (name === 'koffi' ? refuse(name) : next(name, context)) })`,
  )
  const port = await freePort()
  const corefile = join(folder, 'Corefile')
  writeFileSync(corefile, `.:${port} {\n bind 127.0.0.1\n hosts /nowhere {\n  192.0.2.1 www.example.org\n }\n}\n`)
  const environment = { NODE_OPTIONS: `--import=${pathToFileURL(preload)}` }
  return { program: new DnsProcess(t, corefile, ['--admin-address', 'off', ...args], environment), port: port! }
}

test('node:dgram serves, and the log says why', async t => {
  const { program, port } = await withoutKoffi(t)
  await program.whenReady()
  t.regex(program.output, /UDP is served by node:dgram .*there is no koffi/)
  for (const transport of ['udp', 'tcp'] as const)
    t.is((await ask({ name: 'www.example.org', port, transport })).answers.length, 1)
  t.is(await program.stop(), 0)
})

test('batches that were asked for are an error that says what serves', async t => {
  const { program } = await withoutKoffi(t, ['--udp', 'batch'])
  t.is(await program.exited, 1)
  t.regex(program.output, /--udp batch: this machine cannot: there is no koffi\. --udp dgram serves everywhere/)
})
