import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '../../test/support/programs.ts'
import type { Contender } from '../contender.ts'

export const dnsmasq: Contender = {
  name: 'dnsmasq',
  // A process for each connection, which takes its processor time with it when it ends.
  lacks: ['tcp', 'tls', 'https'],
  version: { command: 'dnsmasq', args: ['--version'] },
  prepare({ folder, address, port, services, upstream }) {
    const command = findProgram('dnsmasq')
    if (!command) return 'there is no dnsmasq (apt-get install dnsmasq-base)'
    const hosts = join(folder, 'hosts')
    writeFileSync(hosts, services.map(service => `${service.address} ${service.name.slice(0, -1)}\n`).join(''))
    const configuration = join(folder, 'dnsmasq.conf')
    const lines = [
      `listen-address=${address}`,
      `port=${port}`,
      'bind-interfaces',
      'keep-in-foreground',
      'user=root',
      'pid-file=',
      'no-resolv',
      'no-hosts',
      `addn-hosts=${hosts}`,
      'local=/cluster.local/',
      `server=${upstream.replace(':', '#')}`,
      'cache-size=10000',
      'local-ttl=30',
    ]
    writeFileSync(configuration, `${lines.join('\n')}\n`)
    return { command, args: [`--conf-file=${configuration}`] }
  },
}
