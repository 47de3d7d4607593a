import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { findProgram } from '../../test/support/programs.ts'
import type { Contender } from '../contender.ts'
import { clusterCorefile } from '../corefile.ts'

const built = join(homedir(), '.cache/seamark/bench')

/** As `--build-coredns` does: by the Go that the machine has, from Go's module proxy. */
export const buildCoredns = (): void => {
  const go = findProgram('go')
  if (!go) throw new Error('there is no go')
  const env = { ...process.env, GOBIN: built }
  execFileSync(go, ['install', 'github.com/coredns/coredns@v1.15.0'], { cwd: homedir(), env, stdio: 'inherit' })
}

/** `--coredns`, or the PATH's, or the one that was built. */
const findCoredns = (): string | undefined =>
  [process.env.SEAMARK_BENCH_COREDNS, findProgram('coredns'), join(built, 'coredns')].find(
    path => path !== undefined && existsSync(path),
  )

export const coredns: Contender = {
  name: 'coredns',
  get version() {
    return { command: findCoredns() ?? 'coredns', args: ['-version'] }
  },
  prepare(setup) {
    const command = findCoredns()
    if (!command) return 'there is no coredns on the PATH (name one by --coredns, or build one by --build-coredns)'
    const corefile = join(setup.folder, 'Corefile')
    writeFileSync(corefile, clusterCorefile(setup))
    return { command, args: ['-conf', corefile] }
  },
}
