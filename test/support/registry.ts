/** An apiserver's inside without its sockets: store, memory, planners and verbs. */

import type { ExecutionContext } from 'ava'
import { KINDS } from '#cluster/api/kinds/index.ts'
import type { PortRange } from '#cluster/apiserver/allocation/node-ports.ts'
import { createPlanners } from '#cluster/apiserver/planners/index.ts'
import { Registry } from '#cluster/apiserver/registry.ts'
import { Cacher } from '#cluster/apiserver/storage/cacher.ts'
import { openSqliteStore } from '#cluster/store/backends/sqlite/sqlite-store.ts'
import type { Store } from '#cluster/store/kv.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { systemRandom } from '#lib/random.ts'
import { temporaryFolder } from './temporary-folder.ts'

export const openTestStore = async (t: ExecutionContext, directory = temporaryFolder(t)): Promise<Store> => {
  const store = await openSqliteStore({
    directory,
    clock: systemClock,
    logger: silentLogger,
    registry: createRegistry(),
  })
  t.teardown(() => store.close())
  return store
}

export const startRegistry = async (
  t: ExecutionContext,
  store: Store,
  nodePorts: PortRange = { first: 30_000, last: 32_767 },
): Promise<Registry> => {
  const planners = createPlanners({ random: systemRandom, nodePorts })
  const kinds = [...KINDS, ...planners.flatMap(planner => planner.records ?? [])]
  const cacher = new Cacher({ store, kinds, clock: systemClock, logger: silentLogger })
  await cacher.start()
  t.teardown(() => cacher.close())
  return new Registry({ store, cacher, kinds: KINDS, planners, clock: systemClock, random: systemRandom })
}
