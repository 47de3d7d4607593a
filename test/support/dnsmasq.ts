/** A real dnsmasq. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { classes, recordTypes } from '#resolver/wire/codes.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import { exchangeUdp } from './dns-client.ts'
import { freePort } from './free-port.ts'
import { findProgram, skip } from './programs.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface DnsmasqOptions {
  /** Lines of dnsmasq.conf besides those of ports and files. */
  readonly lines: readonly string[]
  /** Lines of its hosts file. */
  readonly hosts: readonly string[]
}

/** dnsmasq on a port of 127.0.0.1 until the test ends. Undefined: it is not on this machine, and the test is over. */
export const startDnsmasq = async (
  t: ExecutionContext,
  { lines, hosts }: DnsmasqOptions,
): Promise<number | undefined> => {
  const program = findProgram('dnsmasq')
  if (!program) {
    skip(t, 'needs dnsmasq (Debian: dnsmasq-base)')
    return undefined
  }
  const folder = temporaryFolder(t)
  const port = await freePort()
  const file = (name: string, content: readonly string[]): string => {
    writeFileSync(join(folder, name), `${content.join('\n')}\n`)
    return join(folder, name)
  }
  const fixed = [
    `port=${port}`,
    'listen-address=127.0.0.1',
    'bind-interfaces',
    'no-resolv',
    'no-hosts',
    `addn-hosts=${file('hosts', hosts)}`,
    `user=${userInfo().username}`,
    'pid-file',
  ]
  const configuration = file('dnsmasq.conf', [...fixed, ...lines])
  const child = spawn(program, ['--keep-in-foreground', `--conf-file=${configuration}`, '--log-facility=-'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', chunk => (log += chunk))
  // A test that breaks off by a bug runs no teardown.
  const kill = () => void child.kill()
  process.once('exit', kill)
  t.teardown(async () => {
    process.off('exit', kill)
    child.kill()
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  const question = { id: 1, name: 'version.bind.', type: recordTypes.TXT, class: classes.CH }
  const probe = encodeQuery({ ...question, recursionDesired: false, edns: undefined })
  const deadline = performance.now() + 60_000
  for (;;) {
    const reply = await exchangeUdp(probe, port, '127.0.0.1', 200).catch((error: Error) => error)
    if (reply instanceof Buffer) return port
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`dnsmasq: ${log}`, { cause: reply })
  }
}
