/** The SQLite store on this machine's disk: durable puts of 1 KiB by 1, 16 and 64 clients, and reads beside 64 writers. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore } from '#cluster/store/backends/sqlite/sqlite-store.ts'
import type { Store } from '#cluster/store/kv.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'

/** Milliseconds of each measurement. */
const DURATION = 700
const VALUE = new Uint8Array(1_024).fill(120)
/** Each client changes its own keys in turn, so the table stops growing. */
const KEYS_PER_CLIENT = 100

const put = (store: Store, client: number, turn: number): Promise<unknown> => {
  const key = `/registry/services/specs/bench-${client}/service-${turn % KEYS_PER_CLIENT}`
  return store.transact({ compare: [], operations: [{ type: 'put', key, value: VALUE }] })
}

/** Runs `task` by so many clients, each after its last one was answered. Answers in one second. */
const rate = async (clients: number, task: (client: number, turn: number) => Promise<unknown>): Promise<number> => {
  const begin = performance.now()
  let answered = 0
  const client = async (_: unknown, index: number) => {
    for (let turn = 0; performance.now() - begin < DURATION; turn++) {
      await task(index, turn)
      answered++
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return answered / ((performance.now() - begin) / 1_000)
}

const measure = async (store: Store): Promise<Record<string, number>> => {
  const figures: Record<string, number> = {}
  for (const clients of [1, 16, 64]) {
    figures[`puts/s, ${clients} clients`] = await rate(clients, (client, turn) => put(store, client, turn))
  }
  const key = '/registry/services/specs/bench-0/service-0'
  const reading = () => rate(1, () => store.get(key))
  figures['get, idle store (ms)'] = 1_000 / (await reading())
  const [reads] = await Promise.all([reading(), rate(64, (client, turn) => put(store, client, turn))])
  figures['get, 64 writers (ms)'] = 1_000 / reads
  return figures
}

export default {
  name: 'store',
  async run(): Promise<Record<string, number>> {
    const directory = await mkdtemp(join(tmpdir(), 'seamark-bench-'))
    const store = await openSqliteStore({ directory, logger: silentLogger, registry: createRegistry() })
    try {
      return await measure(store)
    } finally {
      await store.close()
      await rm(directory, { recursive: true })
    }
  },
}
