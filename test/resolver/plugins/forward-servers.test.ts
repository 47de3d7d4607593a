import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { classes, recordTypes } from '#resolver/wire/codes.ts'
import { txtData } from '#resolver/wire/rdata.ts'
import { ask, configure, testWorld } from '../../support/dns-environment.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { aRecord, startUpstream } from '../../support/upstream.ts'

test('servers.bind: each server of all blocks with its questions and failures, as dnsmasq tells them', async t => {
  const one = await startUpstream(t, {
    respond: ({ question: { name } }) => ({ answers: [aRecord(name, 5, '192.0.2.1')] }),
  })
  const two = await startUpstream(t, { respond: () => ({ rcode: 3 }) })
  const world = testWorld()
  const corefile = `. {\n chaos\n forward . ${one.target}\n}\nexample {\n forward . ${two.target} {\n  max_connect_attempts 1\n }\n}`
  const configuration = configure(corefile, world)
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  const servers = async () => {
    const reply = await ask(configuration, 'servers.bind.', { class: classes.CH, type: recordTypes.TXT })
    return reply?.answers.map(({ data }) => txtData.decode(data).map(String))
  }
  t.deepEqual(await servers(), [[`127.0.0.1#${one.port} 0 0`, `127.0.0.1#${two.port} 0 0`]])
  for (const name of ['a.org.', 'b.org.', 'a.example.']) await ask(configuration, name)
  t.deepEqual(await servers(), [[`127.0.0.1#${one.port} 2 0`, `127.0.0.1#${two.port} 1 0`]])
  await two.close()
  // Somebody else may have the port by now, and stay silent.
  let answered = false
  const asked = ask(configuration, 'b.example.').finally(() => {
    answered = true
  })
  while (!answered) {
    world.clock.advance(500)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  await asked
  t.deepEqual(await servers(), [[`127.0.0.1#${one.port} 2 0`, `127.0.0.1#${two.port} 2 1`]])
})

test('SIGHUP: a file of servers is read at once, even if it looks the same', async t => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'resolv.conf')
  const stamp = new Date(1_700_000_000_000)
  const write = (address: string) => {
    writeFileSync(file, `nameserver ${address}\n`)
    utimesSync(file, stamp, stamp)
  }
  write('127.0.0.9')
  const configuration = configure('. {\n chaos\n forward . ./resolv.conf\n}', testWorld(), folder)
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  const labels = () =>
    configuration.plugins.flatMap(plugin => plugin.forwarding?.servers().map(({ label }) => label) ?? [])
  t.deepEqual(labels(), ['127.0.0.9:53'])
  write('127.0.0.8')
  for (const plugin of configuration.plugins) await plugin.clear?.()
  t.deepEqual(labels(), ['127.0.0.8:53'])
})
