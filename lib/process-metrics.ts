/** What every program tells of its own process, by the names that Prometheus's client libraries share. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from './metrics.ts'

/** Linux alone tells of its files this way. */
const FILES = '/proc/self/fd'
const LIMITS = '/proc/self/limits'

/** Milliseconds between two looks at the event loop. */
const LAG_RESOLUTION = 20

export const collectProcessMetrics = (registry: Registry): void => {
  const registers = [registry]
  const cpu: Counter = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time, of the user and of the system.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      cpu.reset()
      cpu.inc((user + system) / 1e6)
    },
  })
  const gauge = (name: string, help: string, read: () => number): void => {
    const collect = () => {
      try {
        made.set(read())
      } catch {
        // A process out of descriptors cannot read what it would tell, but all the rest: this stays as it was.
      }
    }
    const made: Gauge = new Gauge({ name, help, registers, collect })
  }
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
  const started = performance.timeOrigin / 1000
  gauge('process_start_time_seconds', 'When the process began, since the Unix epoch.', () => started)
  gauge(
    'nodejs_heap_size_used_bytes',
    'JavaScript objects, living or not yet collected.',
    () => process.memoryUsage().heapUsed,
  )
  gauge(
    'nodejs_external_memory_bytes',
    'Buffers and what else JavaScript objects hold.',
    () => process.memoryUsage().external,
  )
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION })
  lag.enable()
  gauge('nodejs_eventloop_lag_p99_seconds', 'The 99th percentile of how late timers ran since the last look.', () => {
    const seconds = Math.max(0, lag.percentile(99) / 1e9 - LAG_RESOLUTION / 1000)
    lag.reset()
    return seconds
  })
  if (!existsSync(FILES)) return
  gauge('process_open_fds', 'Open files and sockets.', () => readdirSync(FILES).length)
  const [, limit] = /^Max open files\s+(\d+)/m.exec(readFileSync(LIMITS, 'utf8')) ?? []
  if (limit !== undefined) gauge('process_max_fds', 'The most that may be open.', () => Number(limit))
}
