/** Takes all descriptors that it may have; prints as JSON what it can tell of itself then. */
import { openSync } from 'node:fs'
import { processMemory } from '#cmd/process-memory.ts'
import { createRegistry } from '#lib/metrics.ts'
import { collectProcessMetrics } from '#lib/process-metrics.ts'

const registry = createRegistry()
collectProcessMetrics(registry)
const memory = processMemory()
const before = (memory.resident() ?? 0) > 0
// What is needed later has been loaded.
await registry.metrics()
let isOut = false
while (!isOut) {
  try {
    openSync('/dev/null', 'r')
  } catch {
    isOut = true
  }
}
const text = await registry.metrics()
const told = /^process_cpu_seconds_total /m.test(text)
process.stdout.write(JSON.stringify({ before, resident: memory.resident() ?? 'unknown', told }), () => process.exit())
