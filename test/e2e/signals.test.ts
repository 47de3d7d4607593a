/** What SIGHUP, SIGUSR1 and SIGUSR2 do to a running DNS server. */
import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { ask } from '../support/dns-client.ts'
import { DnsProcess } from '../support/dns-process.ts'
import { freePort } from '../support/free-port.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { aRecord, startUpstream } from '../support/upstream.ts'

const countOf = (text: string, part: string): number => text.split(part).length - 1

/** Resolves when the condition holds; the test's own deadline ends what never does. */
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 2))
}

test('SIGUSR1 logs statistics and loses nothing, SIGHUP clears and reads again, SIGUSR2 changes nothing', async t => {
  t.timeout(180_000)
  const port = await freePort()
  const upstream = await startUpstream(t, {
    respond: ({ question }) => ({ answers: [aRecord(question.name, 3600, '192.0.2.7')] }),
  })
  const folder = temporaryFolder(t)
  const stamp = new Date(1_700_000_000_000)
  const writeHosts = (address: string) => {
    const file = join(folder, 'hosts')
    writeFileSync(file, `${address} own.example.org\n`)
    utimesSync(file, stamp, stamp)
  }
  writeHosts('192.0.2.1')
  const file = join(folder, 'Corefile')
  const hosts = 'hosts hosts {\n  reload 0\n  fallthrough\n }'
  writeFileSync(file, `.:${port} {\n bind 127.0.0.1\n ${hosts}\n cache 3600\n forward . ${upstream.target}\n}\n`)
  const program = new DnsProcess(t, file)
  await program.whenReady()
  const addressOf = async (name: string) => (await ask({ name, port: port! })).answers[0]?.data

  t.is(await addressOf('www.example.org'), '192.0.2.7')
  t.is(upstream.queries.length, 1)

  // The Corefile is as it was: what it made goes on, the cache with what is in it and what it counted.
  for (const round of [1, 2]) {
    program.child.kill('SIGUSR1')
    await until(() => countOf(program.output, 'the Corefile was reloaded') === round)
    t.is(await addressOf('www.example.org'), '192.0.2.7')
  }
  t.is(upstream.queries.length, 1)
  await until(() => countOf(program.output, 'statistics') >= 6)
  t.regex(program.output, /insertions\W+1\b/)
  t.regex(program.output, new RegExp(`127\\.0\\.0\\.1:${upstream.port}\\W+queries\\W+1\\W+errors\\W+0\\b`))
  t.regex(program.output, /hits\W+1\b/)

  writeHosts('192.0.2.2')
  t.is(await addressOf('own.example.org'), '192.0.2.1')
  program.child.kill('SIGHUP')
  await until(() => program.output.includes('caches were cleared and files read again'))
  t.is(await addressOf('own.example.org'), '192.0.2.2')
  t.is(await addressOf('www.example.org'), '192.0.2.7')
  t.is(upstream.queries.length, 2)

  program.child.kill('SIGUSR2')
  await until(() => program.output.includes('there is no file of it to rotate'))
  t.is(await addressOf('www.example.org'), '192.0.2.7')
  t.is(upstream.queries.length, 2)
  t.is(await program.stop(), 0)
})
