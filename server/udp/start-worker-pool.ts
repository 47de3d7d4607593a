/** Decides how UDP is served, says so, and has what the workers count told with all other metrics. */
import { SeamarkError } from '#lib/errors.ts'
import { beforeReading, Counter, Gauge, type Registry } from '#lib/metrics.ts'
import type { ServerEnvironment, SharedState } from '../environment.ts'
import { memoBudget } from '../memo-budget.ts'
import type { DropReason, ServerMetrics } from '../metrics.ts'
import { missingSystemCalls } from '../system-calls.ts'
import { Count } from './control-block.ts'
import { workerCount } from './early-threads.ts'
import { WorkerPool } from './worker-pool.ts'

/**
 * Undefined: node:dgram serves UDP.
 *
 * @throws SeamarkError BAD_OPTION where batches were asked for and cannot be
 */
export const startWorkerPool = (
  { clock, early, logger, memoryLimit, options, registry, shared }: ServerEnvironment,
  metrics: ServerMetrics,
): WorkerPool | undefined => {
  // The server of the admin pages, which has no UDP.
  if (!shared) return undefined
  const missing = options.udp === 'dgram' ? 'it was asked for' : missingSystemCalls()
  if (options.udp === 'batch' && missing !== undefined)
    throw new SeamarkError('BAD_OPTION', `--udp batch: this machine cannot: ${missing}. --udp dgram serves everywhere.`)
  const mode = modeGauge(registry)
  const pool = missing === undefined ? newPool(shared) : undefined
  mode.set(pool?.size ?? 0)
  logger.info({ workers: pool?.size, ...(missing !== undefined && { why: missing }) }, pool ? BATCH : DGRAM)
  return pool

  function newPool(state: SharedState): WorkerPool {
    const restarts = new Counter({
      name: 'seamark_server_udp_worker_restarts_total',
      help: 'Worker threads that died and were replaced.',
      registers: [registry],
    })
    const workers = workerCount(options)
    const made = new WorkerPool({
      ...state,
      clock,
      logger,
      early,
      workers,
      memoBudget: memoBudget(options.memo, workers, memoryLimit).worker,
      replaced: () => restarts.inc(),
      persistent: options.udp === 'batch',
      givenUp(error, left) {
        mode.set(left)
        logger.error({ error, left }, options.udp === 'batch' ? TRYING : left > 0 ? FEWER : NONE)
      },
    })
    registerCounts(registry, metrics, made)
    return made
  }
}

const BATCH = 'UDP is served in batches by worker threads'
const DGRAM = 'UDP is served by node:dgram'
const FEWER = 'a UDP worker dies again and again: the others serve its clients'
const NONE = 'all UDP workers die again and again: UDP is served by node:dgram from now on'
const TRYING = 'a UDP worker dies again and again, and --udp batch allows nothing else: it is tried less and less often'

const modeGauge = (registry: Registry): Gauge =>
  new Gauge({
    name: 'seamark_server_udp_workers',
    help: 'Worker threads that serve UDP in batches; 0: node:dgram serves it.',
    registers: [registry],
  })

const counts = [
  { count: Count.batches, name: 'seamark_server_udp_batches_total', help: 'System calls that brought datagrams.' },
  { count: Count.received, name: 'seamark_server_udp_received_total', help: 'Datagrams that worker threads received.' },
]

const drops: readonly { readonly count: Count; readonly reason: DropReason }[] = [
  { count: Count.shed, reason: 'in-flight' },
  { count: Count.shedOthers, reason: 'in-flight-others' },
  { count: Count.sendFailures, reason: 'udp-send' },
  { count: Count.badSource, reason: 'udp-port' },
]

/** Brought to the moment when they are read. */
const registerCounts = (registry: Registry, metrics: ServerMetrics, pool: WorkerPool): void => {
  const told = counts.map(({ count, name, help }) => {
    const counter = new Counter({ name, help, registers: [registry] })
    return grower(pool, count, by => counter.inc(by))
  })
  const kept = [
    grower(pool, Count.retries, by => metrics.retries.inc(by)),
    grower(pool, Count.hits, by => metrics.memoHits.inc(by)),
    grower(pool, Count.misses, by => metrics.memoMisses.inc(by)),
  ]
  const dropped = drops.map(({ count, reason }) => grower(pool, count, by => metrics.drop(reason, by)))
  beforeReading(registry, () => {
    pool.settleHits()
    for (const grow of [...told, ...kept, ...dropped]) grow()
  })
}

/** Tells how much more has been counted since it was asked last. */
const grower = (pool: WorkerPool, count: Count, tell: (by: number) => void): (() => void) => {
  let last = 0
  return () => {
    const total = pool.total(count)
    if (total > last) tell(total - last)
    last = total
  }
}
