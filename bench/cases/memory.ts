/** Memory as the system counts it, steady, beside clusters of 100, 1,000 and 10,000 services with ten endpoints each. */
import { setTimeout as wait } from 'node:timers/promises'
import { treeMemory } from '../accounting.ts'
import type { BenchCase, Figures } from '../bench-case.ts'
import { GeneratedCluster } from '../scale/generated-cluster.ts'
import { seamark } from '../servers/seamark.ts'

const SIZES = [100, 1000, 10_000]
/** Milliseconds. */
const SETTLE = 3000
/** treeMemory counts in MiB. */
const MEGABYTES = 1.048_576

const measure = async (services: number): Promise<Figures> => {
  const cluster = await GeneratedCluster.start({ services })
  try {
    const server = await cluster.server(seamark)
    await wait(SETTLE)
    const { resident, anonymous } = treeMemory(server!.pid)
    await server!.close()
    return { 'RSS, MB': resident * MEGABYTES, 'RssAnon, MB': anonymous * MEGABYTES }
  } finally {
    cluster.close()
  }
}

const run: BenchCase['run'] = async () => {
  const rows: Record<string, Figures> = {}
  for (const size of SIZES) rows[`${size} services`] = await measure(size)
  return rows
}

export default { name: 'memory', rounds: 3, run } satisfies BenchCase
