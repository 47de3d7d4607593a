/**
 * A thousand watchers on a TLS connection each: what an idle one costs in memory, and the time from a change's request
 * until the last of them has it.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { treeMemory } from '../accounting.ts'
import { Clients } from '../apiserver/client.ts'
import { RunningApiserverProgram } from '../apiserver/running-apiserver.ts'
import type { BenchCase } from '../bench-case.ts'
import { percentile } from '../report/statistics.ts'

const WATCHERS = 1_000
const CHANGES = 20
/** Milliseconds between changes. */
const PAUSE = 50
/** Milliseconds until an idle server has collected what handshakes left behind. */
const SETTLE = 2_000

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'

const KIBI_IN_MEBI = 1024

const run: BenchCase['run'] = async () => {
  const apiserver = await RunningApiserverProgram.start()
  let clients: Clients | undefined
  try {
    await apiserver.make(CONFIG_MAPS, { metadata: { name: 'watched' }, data: { size: 'x'.repeat(1000) } })
    await wait(SETTLE)
    const before = treeMemory(apiserver.pid)
    clients = new Clients({
      type: 'watch',
      access: apiserver.access,
      watchers: WATCHERS,
      path: `${CONFIG_MAPS}?watch=true&resourceVersion=${await versionOf(apiserver)}`,
      change: { path: `${CONFIG_MAPS}/watched` },
    })
    await clients.next()
    await wait(SETTLE)
    const idle = treeMemory(apiserver.pid)
    const [last, answered]: [number[], number[]] = [[], []]
    for (let change = 0; change < CHANGES; change++) {
      clients.tell()
      const times = await clients.next<{ last: number; answered: number }>()
      last.push(times.last)
      answered.push(times.answered)
      await wait(PAUSE)
    }
    const after = treeMemory(apiserver.pid)
    const kilobytes = (now: { readonly anonymous: number }): number =>
      ((now.anonymous - before.anonymous) * KIBI_IN_MEBI * 1.024) / WATCHERS
    const middle = (times: number[]): number =>
      percentile(
        times.toSorted((a, b) => a - b),
        0.5,
      )
    return {
      'to the last watcher, ms': middle(last),
      'to the answer, ms': middle(answered),
      'memory of an idle watcher, kB': kilobytes(idle),
      'memory of a watcher after changes, kB': kilobytes(after),
    }
  } finally {
    await clients?.close()
    await apiserver.close()
  }
}

const versionOf = async (apiserver: RunningApiserverProgram): Promise<string> =>
  JSON.parse((await apiserver.send('GET', CONFIG_MAPS)).text).metadata.resourceVersion

export default { name: 'apiserver-watches', run } satisfies BenchCase
