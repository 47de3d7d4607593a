import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findProgram } from '../../test/support/programs.ts'
import type { Contender } from '../contender.ts'
import { clusterCorefile } from '../corefile.ts'

export const coredns: Contender = {
  name: 'coredns',
  prepare(setup) {
    const command = findProgram('coredns')
    if (!command) return 'there is no coredns on the PATH'
    const corefile = join(setup.folder, 'Corefile')
    writeFileSync(corefile, clusterCorefile(setup, `    bind ${setup.address}\n`))
    return { command, args: ['-conf', corefile, '-dns.port', String(setup.port)] }
  },
}
