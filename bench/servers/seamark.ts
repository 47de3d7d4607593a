import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Contender } from '../contender.ts'
import { clusterCorefile } from '../corefile.ts'

const program = fileURLToPath(new URL('../../bin/seamark', import.meta.url))

/** One worker, and the main thread. `more`: lines of the server block beyond kubeadm's. `flags`: of `seamark dns`. */
export const seamarkWith = (name: string, more: string, flags: readonly string[] = []): Contender => ({
  name,
  prepare(setup) {
    const corefile = join(setup.folder, 'Corefile')
    writeFileSync(corefile, clusterCorefile(setup, more))
    const args = ['dns', '--workers', '1', '--conf', corefile, '--log-level', 'error', ...flags]
    return { command: program, args }
  },
})

export const seamark = seamarkWith('seamark', '')

export const seamarkDgram = seamarkWith('seamark, dgram', '', ['--udp', 'dgram'])
