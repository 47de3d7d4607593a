/**
 * A server beside a cluster of 10,000 services and 100,000 endpoints: from its start to the first right answer, and memory
 * as the system counts it, steady and while everything is listed anew.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { treeMemory } from '../accounting.ts'
import type { BenchCase, Figures } from '../bench-case.ts'
import type { Contender } from '../contender.ts'
import { GeneratedCluster } from '../scale/generated-cluster.ts'
import { coredns } from '../servers/coredns.ts'
import { seamark } from '../servers/seamark.ts'

/** Milliseconds: lists end, garbage is collected, and what a start alone needed is given back in that time. */
const SETTLE = 10_000
/** treeMemory counts in MiB, the target in MB. */
const MEGABYTES = 1.048_576

/** MB: the greatest resident memory since `resetPeak` (VmHWM, proc(5)). */
const peakOf = (pid: number): number => {
  const kibibytes = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return (Number(kibibytes) / 1024) * MEGABYTES
}

const resetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5')

const measure = async (cluster: GeneratedCluster, contender: Contender): Promise<Figures | undefined> => {
  const server = await cluster.server(contender)
  if (!server) return undefined
  const { pid, startup } = server
  try {
    await wait(SETTLE)
    const firstPeak = peakOf(pid)
    const { resident, anonymous } = treeMemory(pid)
    resetPeak(pid)
    cluster.relist()
    await wait(SETTLE)
    return {
      'first right answer, ms': startup,
      'peak of the first list, MB': firstPeak,
      'RSS, MB': resident * MEGABYTES,
      'RssAnon, MB': anonymous * MEGABYTES,
      'peak of a relist, MB': peakOf(pid),
      'RSS after it, MB': treeMemory(pid).resident * MEGABYTES,
    }
  } finally {
    await server.close()
  }
}

const run: BenchCase['run'] = async () => {
  const rows: Record<string, Figures> = {}
  for (const contender of [seamark, coredns]) {
    const cluster = await GeneratedCluster.start()
    try {
      const row = await measure(cluster, contender)
      if (row) rows[contender.name] = row
    } finally {
      cluster.close()
    }
  }
  return rows
}

export default { name: 'scale', run } satisfies BenchCase
