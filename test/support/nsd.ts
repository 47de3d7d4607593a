/** A real authoritative server of another make. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { recordTypes } from '#resolver/wire/codes.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import { exchangeUdp } from './dns-client.ts'
import { freePort } from './free-port.ts'
import { findProgram } from './programs.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface Nsd {
  readonly port: number
  /** Gives the zone other data. */
  readonly update: (zone: string) => void
}

/** NSD with the zone `example.`, on a port of loopback, until the test ends. Undefined: it is not on this machine. */
export const startNsd = async (t: ExecutionContext, zone: string): Promise<Nsd | undefined> => {
  const program = findProgram('nsd')
  if (!program) {
    // A second opinion: what it would say stands in tables of our own too, so it may be absent even in CI.
    t.log('SKIPPED: needs nsd')
    t.pass()
    return undefined
  }
  const folder = temporaryFolder(t)
  const port = await freePort()
  writeFileSync(join(folder, 'db'), zone)
  const lines = [
    'server:',
    `  ip-address: 127.0.0.1@${port}`,
    '  username: ""',
    '  chroot: ""',
    '  database: ""',
    '  server-count: 1',
    '  minimal-responses: no',
    `  zonesdir: "${folder}"`,
    ...['pidfile', 'xfrdfile', 'zonelistfile', 'logfile'].map(name => `  ${name}: "${join(folder, name)}"`),
    `  xfrdir: "${folder}"`,
    'remote-control:',
    '  control-enable: no',
    'zone:',
    '  name: example.',
    '  zonefile: db',
    '  provide-xfr: 127.0.0.1 NOKEY',
    '  store-ixfr: yes',
    '  create-ixfr: yes',
  ]
  writeFileSync(join(folder, 'nsd.conf'), `${lines.join('\n')}\n`)
  const child = spawn(program, ['-d', '-c', join(folder, 'nsd.conf')], { stdio: 'ignore' })
  // A test that breaks off by a bug runs no teardown.
  const kill = () => void child.kill()
  process.once('exit', kill)
  t.teardown(async () => {
    process.off('exit', kill)
    child.kill()
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  const update = (text: string) => {
    writeFileSync(join(folder, 'db'), text)
    // NSD looks at times in whole seconds.
    const later = new Date(Date.now() + 2000)
    utimesSync(join(folder, 'db'), later, later)
    child.kill('SIGHUP')
  }
  const probe = encodeQuery({
    id: 1,
    name: 'example.',
    type: recordTypes.SOA,
    recursionDesired: false,
    edns: undefined,
  })
  const deadline = performance.now() + 60_000
  for (;;) {
    const reply = await exchangeUdp(probe, port, '127.0.0.1', 200).catch((error: Error) => error)
    if (reply instanceof Buffer) return { port, update }
    if (performance.now() > deadline) throw reply
  }
}
