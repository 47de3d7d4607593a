import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '../../test/support/programs.ts'
import type { Contender, Encryption } from '../contender.ts'
import { clusterZoneFile } from '../zone-file.ts'

const certificateOf = ({ certificate, key }: Encryption): string =>
  `tls local { cert-file "${certificate}"; key-file "${key}"; };
    http local { endpoints { "/dns-query"; }; };`

const listenersOf = (address: string, { tlsPort, httpsPort }: Encryption): string =>
  `listen-on port ${tlsPort} tls local { ${address}; };
      listen-on port ${httpsPort} tls local http local { ${address}; };`

export const bind: Contender = {
  name: 'bind',
  version: { command: 'named', args: ['-v'] },
  prepare({ folder, address, port, services, upstream, encryption }) {
    const command = findProgram('named')
    if (!command) return 'there is no named (apt-get install bind9)'
    writeFileSync(join(folder, 'cluster.local.zone'), clusterZoneFile(services))
    const [upstreamAddress, upstreamPort] = upstream.split(':')
    const text = `${encryption ? certificateOf(encryption) : ''}
    options {
      directory "${folder}";
      pid-file none;
      session-keyfile none;
      listen-on port ${port} { ${address}; };
      ${encryption ? listenersOf(address, encryption) : ''}
      listen-on-v6 { none; };
      recursion yes;
      forward only;
      forwarders { ${upstreamAddress} port ${upstreamPort}; };
      dnssec-validation no;
      notify no;
      minimal-responses yes;
      empty-zones-enable no;
    };
    controls { };
    zone "cluster.local" { type primary; file "cluster.local.zone"; };\n`
    const configuration = join(folder, 'named.conf')
    writeFileSync(configuration, text)
    return { command, args: ['-f', '-n', '1', '-c', configuration] }
  },
}
