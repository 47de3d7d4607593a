import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import { createRegistry } from '#lib/metrics.ts'
import { collectRuntimeMetrics } from '#lib/runtime-metrics.ts'

test('tells of collections, spaces of the heap and the event loop; once, however often it is asked', async t => {
  const registry = createRegistry()
  collectRuntimeMetrics(registry)
  collectRuntimeMetrics(registry)
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const numberIn = (text: string, line: RegExp): number => Number(line.exec(text)?.[1])
  const majors = /^nodejs_gc_duration_seconds_count\{kind="major"\} (\d+)$/m
  let text = ''
  for (let tries = 0; tries < 1000 && !majors.test(text); tries++) {
    collect()
    await turn()
    text = await registry.metrics()
  }
  t.true(numberIn(text, majors) > 0)
  t.true(numberIn(text, /^nodejs_heap_size_total_bytes (\d+)$/m) > 1e6)
  const old = numberIn(text, /^nodejs_heap_space_size_used_bytes\{space="old"\} (\d+)$/m)
  t.true(old > 1e6 && old <= numberIn(text, /^nodejs_heap_space_size_total_bytes\{space="old"\} (\d+)$/m))
  const utilization = numberIn(text, /^nodejs_eventloop_utilization ([\d.e-]+)$/m)
  t.true(utilization >= 0 && utilization <= 1)
  t.regex(text, /^nodejs_active_resources\{type="\w+"\} \d+$/m)
})
