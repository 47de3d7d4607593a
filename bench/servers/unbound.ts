import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '../../test/support/programs.ts'
import type { Contender, Encryption } from '../contender.ts'

const encryptionLines = (address: string, { tlsPort, httpsPort, certificate, key }: Encryption): readonly string[] => [
  `  interface: ${address}@${tlsPort}`,
  `  interface: ${address}@${httpsPort}`,
  `  tls-port: ${tlsPort}`,
  `  https-port: ${httpsPort}`,
  `  tls-service-pem: "${certificate}"`,
  `  tls-service-key: "${key}"`,
]

export const unbound: Contender = {
  name: 'unbound',
  version: { command: 'unbound', args: ['-V'] },
  prepare({ folder, address, port, services, upstream, encryption }) {
    const command = findProgram('unbound')
    if (!command) return 'there is no unbound (apt-get install unbound)'
    const soa = 'cluster.local. 30 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 30'
    const lines = [
      'server:',
      `  interface: ${address}`,
      `  port: ${port}`,
      '  num-threads: 1',
      '  do-daemonize: no',
      '  use-syslog: no',
      '  logfile: ""',
      '  username: ""',
      '  chroot: ""',
      `  directory: "${folder}"`,
      '  pidfile: ""',
      '  do-not-query-localhost: no',
      '  module-config: "iterator"',
      '  local-zone: "cluster.local." static',
      `  local-data: "${soa}"`,
      ...services.map(service => `  local-data: "${service.name} 30 IN A ${service.address}"`),
      ...(encryption ? encryptionLines(address, encryption) : []),
      'remote-control:',
      '  control-enable: no',
      'forward-zone:',
      '  name: "."',
      `  forward-addr: ${upstream.replace(':', '@')}`,
    ]
    const configuration = join(folder, 'unbound.conf')
    writeFileSync(configuration, `${lines.join('\n')}\n`)
    return { command, args: ['-d', '-c', configuration] }
  },
}
