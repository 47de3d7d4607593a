/**
 * Runs inside a network namespace of its own (`unshare -n`): asks over UDP, by node:dgram and by system calls, what is out
 * of reach. Prints what became of each question as JSON.
 */
import { execFileSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { systemClock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import type { Datagrams } from '#resolver/upstream/datagrams.ts'
import { ExchangeError } from '#resolver/upstream/exchange-error.ts'
import { promised } from '#resolver/upstream/outcome.ts'
import { UdpUpstream } from '#resolver/upstream/udp.ts'
import { connectedDatagrams } from '#server/connected-datagrams.ts'
import { findProgram } from '../../support/programs.ts'

const program = findProgram('ip')!
const ip = (...args: string[]): void => void execFileSync(program, args)
ip('link', 'set', 'lo', 'up')
ip('route', 'add', 'unreachable', '198.51.100.0/24')
ip('route', 'add', 'prohibit', '198.51.101.0/24')

const ports = '/proc/sys/net/ipv4/ip_local_port_range'
const packet = Buffer.from('a question')

const becomes = async (datagrams: Datagrams | undefined, address: string, source?: string): Promise<string> => {
  const [host = '', port = ''] = address.split('#')
  const route = datagrams?.towards(host, Number(port), source)
  const known = { address: host, port: Number(port), source, route, clock: systemClock, random: systemRandom }
  const upstream = new UdpUpstream(known)
  const ask = () =>
    promised<Buffer>(outcome =>
      upstream.exchange({ ...outcome, packet, accepts: () => true, asked: 0, deadline: 0 }, 60_000),
    ).then(
      () => 'answered',
      error => (error instanceof ExchangeError ? error.failure : String(error)),
    )
  try {
    if (!host.endsWith('%late')) return await ask()
    const early = await ask()
    return `${early}, then ${await withLateInterface(ask)}`
  } finally {
    upstream.close()
  }
}

/** What `ask` says while there is an interface that was not there when its upstream was made. */
const withLateInterface = async (ask: () => Promise<string>): Promise<string> => {
  ip('link', 'add', 'late', 'type', 'veth', 'peer', 'name', 'peer')
  ip('address', 'add', 'fe80::5/64', 'dev', 'late', 'nodad')
  ip('link', 'set', 'late', 'up')
  ip('link', 'set', 'peer', 'up')
  while (!networkInterfaces().late?.some(({ address }) => address === 'fe80::5'))
    await new Promise(resolve => setTimeout(resolve, 5))
  const server = createSocket('udp6', (query, from) => server.send(query, from.port, from.address))
  server.bind(5300, 'fe80::5%late')
  await once(server, 'listening')
  const outcome = await ask()
  server.close()
  ip('link', 'delete', 'late')
  return outcome
}

/** While the system has no port left to give. */
const withoutPorts = async (ask: () => Promise<string>): Promise<string> => {
  writeFileSync(ports, '40000 40000')
  const last = createSocket('udp4')
  last.bind(40_000)
  await once(last, 'listening')
  const outcome = await ask()
  last.close()
  writeFileSync(ports, '32768 60999')
  return outcome
}

const outcomes: Record<string, readonly string[]> = {}
const tell = async (what: string, ask: (datagrams: Datagrams | undefined) => Promise<string>): Promise<void> => {
  outcomes[what] = [await ask(undefined), await ask(connectedDatagrams)]
}

await tell('no route', way => becomes(way, '203.0.113.1#53'))
await tell('no route of IPv6', way => becomes(way, '2001:db8::1#53'))
await tell('unreachable', way => becomes(way, '198.51.100.1#53'))
await tell('prohibited', way => becomes(way, '198.51.101.1#53'))
await tell('closed port', way => becomes(way, '127.0.0.1#1'))
await tell('closed port of IPv6', way => becomes(way, '::1#1'))
await tell('closed port, IPv4 as IPv6', way => becomes(way, '::ffff:127.0.0.1#1'))
await tell('link-local without an interface', way => becomes(way, 'fe80::5#53'))
await tell('foreign source', way => becomes(way, '127.0.0.1#1', '192.0.2.1'))
await tell('late interface', way => becomes(way, 'fe80::5%late#5300'))
await tell('no ports', way => withoutPorts(() => becomes(way, '127.0.0.1#1')))
await tell('no ports at the source', way => withoutPorts(() => becomes(way, '127.0.0.1#1', '127.0.0.2')))
writeFileSync('/proc/sys/net/ipv6/conf/all/disable_ipv6', '1')
await tell('IPv6 switched off', way => becomes(way, '2001:db8::1#53'))
process.stdout.write(JSON.stringify(outcomes), () => process.exit())
