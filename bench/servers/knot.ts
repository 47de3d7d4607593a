import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '../../test/support/programs.ts'
import type { Contender } from '../contender.ts'
import { clusterZoneFile } from '../zone-file.ts'

export const knot: Contender = {
  name: 'knot',
  lacks: ['forwards', 'tls', 'https'],
  version: { command: 'knotd', args: ['-V'] },
  prepare({ folder, address, port, services }) {
    const command = findProgram('knotd')
    if (!command) return 'there is no knotd (apt-get install knot)'
    writeFileSync(join(folder, 'cluster.local.zone'), clusterZoneFile(services))
    const lines = [
      'server:',
      `    rundir: "${folder}"`,
      `    listen: ${address}@${port}`,
      '    udp-workers: 1',
      '    tcp-workers: 1',
      '    background-workers: 1',
      'database:',
      `    storage: "${folder}"`,
      'zone:',
      '  - domain: cluster.local',
      `    storage: "${folder}"`,
      '    file: cluster.local.zone',
      '    journal-content: none',
    ]
    const configuration = join(folder, 'knot.conf')
    writeFileSync(configuration, `${lines.join('\n')}\n`)
    return { command, args: ['-c', configuration] }
  },
}
