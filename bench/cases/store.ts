/**
 * The SQLite store on this machine's disk: durable puts of 1 KiB by 1, 16 and 64 clients, and reads beside 64 writers. Beside
 * it etcd, where it is installed, with one put at a time by as many clients over gRPC. How many connections they share makes
 * much of its figure: it is that of the best number.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteStore } from '#cluster/store/backends/sqlite/sqlite-store.ts'
import type { Store } from '#cluster/store/kv.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { RunningEtcd } from '../apiserver/running-etcd.ts'
import type { BenchCase } from '../bench-case.ts'

/** Milliseconds of each measurement, and of the puts before it that do not count: as etcd has. */
const DURATION = 2_000
const WARM_UP = 1_000
const VALUE = new Uint8Array(1_024).fill(120)
/** Each client changes its own keys in turn, so the table stops growing. */
const KEYS_PER_CLIENT = 100

const CLIENTS = [1, 16, 64]
/** To etcd. */
const CONNECTIONS = [1, 8]

const put = (store: Store, client: number, turn: number): Promise<unknown> => {
  const key = `/registry/services/specs/bench-${client}/service-${turn % KEYS_PER_CLIENT}`
  return store.transact({ compare: [], operations: [{ type: 'put', key, value: VALUE }] })
}

/** Runs `task` by so many clients, each after its last one was answered. Answers in one second. */
const rate = async (clients: number, task: (client: number, turn: number) => Promise<unknown>): Promise<number> => {
  const begin = performance.now() + WARM_UP
  const end = begin + DURATION
  let answered = 0
  const client = async (_: unknown, index: number) => {
    for (let turn = 0; ; turn++) {
      await task(index, turn)
      const now = performance.now()
      if (now >= end) return
      if (now >= begin) answered++
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return answered / (DURATION / 1_000)
}

const measure = async (store: Store): Promise<Record<string, number>> => {
  const figures: Record<string, number> = {}
  for (const clients of CLIENTS) {
    figures[`puts/s, ${clients} clients`] = await rate(clients, (client, turn) => put(store, client, turn))
  }
  const key = '/registry/services/specs/bench-0/service-0'
  const reading = () => rate(1, () => store.get(key))
  figures['get, idle store (ms)'] = 1_000 / (await reading())
  const [reads] = await Promise.all([reading(), rate(64, (client, turn) => put(store, client, turn))])
  figures['get, 64 writers (ms)'] = 1_000 / reads
  return figures
}

const measureEtcd = async (etcd: RunningEtcd): Promise<Record<string, number>> => {
  const figures: Record<string, number> = {}
  for (const clients of CLIENTS) {
    const rates: number[] = []
    for (const connections of CONNECTIONS.filter(count => count <= clients)) {
      const { perSecond, bad } = await etcd.put(VALUE, { clients, connections, seconds: DURATION / 1_000 })
      if (bad.length > 0) throw new Error(`etcd refused ${bad.length} puts: ${[...new Set(bad)]}`)
      rates.push(perSecond)
    }
    figures[`puts/s, ${clients} clients`] = Math.max(...rates)
  }
  return figures
}

const run: BenchCase['run'] = async stage => {
  const directory = await mkdtemp(join(tmpdir(), 'seamark-bench-'))
  const store = await openSqliteStore({ directory, logger: silentLogger, registry: createRegistry() })
  const figures: Record<string, Record<string, number>> = {}
  try {
    figures.seamark = await measure(store)
  } finally {
    await store.close()
    await rm(directory, { recursive: true })
  }
  const etcd = await RunningEtcd.start()
  if (!etcd) stage.warn('etcd is left out: there is none on the PATH (apt-get install etcd-server)')
  else {
    try {
      figures.etcd = await measureEtcd(etcd)
    } finally {
      await etcd.close()
    }
  }
  return figures
}

export default { name: 'store', run } satisfies BenchCase
