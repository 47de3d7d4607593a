import test from 'ava'
import { Counter, createRegistry, exponentialBuckets, Gauge, Histogram } from '#lib/metrics.ts'

const linesOf = (text: string): string[] => text.split('\n').filter(line => line !== '' && !line.startsWith('#'))

test('the text is what Prometheus reads: counters, gauges and histograms with their labels', async t => {
  const registry = createRegistry()
  const registers = [registry]
  new Counter({ name: 'plain_total', help: 'No labels.', registers }).inc(2)
  const named = new Counter({ name: 'named_total', help: 'Labels.', labelNames: ['code', 'way'], registers })
  named.inc({ code: 200, way: 'a"b' })
  named.inc({ way: 'a"b', code: 200 }, 4)
  new Gauge({ name: 'level', help: 'A gauge.', registers }).set(1.5)
  const histogram = new Histogram({ name: 'size', help: 'H.', labelNames: ['of'], buckets: [1, 10], registers })
  for (const value of [0, 1, 2, 11]) histogram.observe({ of: 'x' }, value)
  t.is(
    await registry.metrics(),
    `# HELP plain_total No labels.
# TYPE plain_total counter
plain_total 2

# HELP named_total Labels.
# TYPE named_total counter
named_total{code="200",way="a\\"b"} 5

# HELP level A gauge.
# TYPE level gauge
level 1.5

# HELP size H.
# TYPE size histogram
size_bucket{le="1",of="x"} 2
size_bucket{le="10",of="x"} 3
size_bucket{le="+Inf",of="x"} 4
size_sum{of="x"} 14
size_count{of="x"} 4
`,
  )
})

test('what has no labels is shown from the start; what has some, once it was counted', async t => {
  const registry = createRegistry()
  const registers = [registry]
  new Counter({ name: 'plain_total', help: 'h', registers })
  new Counter({ name: 'named_total', help: 'h', labelNames: ['a'], registers })
  new Histogram({ name: 'sizes', help: 'h', buckets: [1], registers })
  t.deepEqual(linesOf(await registry.metrics()), [
    'plain_total 0',
    'sizes_bucket{le="1"} 0',
    'sizes_bucket{le="+Inf"} 0',
    'sizes_sum 0',
    'sizes_count 0',
  ])
})

test('a series that is held is the one of its labels', async t => {
  const registry = createRegistry()
  const counter = new Counter({ name: 'c_total', help: 'h', labelNames: ['a', 'b'], registers: [registry] })
  const held = counter.child({ b: 'y', a: 'x' })
  held.inc()
  counter.inc({ a: 'x', b: 'y' })
  t.is(counter.child({ a: 'x', b: 'y' }), held)
  t.deepEqual(linesOf(await registry.metrics()), ['c_total{b="y",a="x"} 2'])
  counter.remove({ a: 'x', b: 'y' })
  t.deepEqual(linesOf(await registry.metrics()), [])
  t.throws(() => counter.child({ c: 'z' } as Record<string, string>), { message: /has no label c/ })
})

test('a gauge goes up and down, is forgotten, and may be brought to the moment when it is read', async t => {
  const registry = createRegistry()
  let moment = 7
  const gauge: Gauge = new Gauge({
    name: 'g',
    help: 'h',
    registers: [registry],
    collect: () => gauge.set(moment),
  })
  gauge.inc()
  gauge.dec(3)
  t.is((await gauge.get()).values[0]?.value, 7)
  moment = 8
  t.deepEqual(linesOf(await registry.metrics()), ['g 8'])
  const labelled = new Gauge({ name: 'l', help: 'h', labelNames: ['x'], registers: [registry] })
  labelled.set({ x: 'a' }, 1)
  labelled.reset()
  t.deepEqual((await labelled.get()).values, [])
})

test('beyond the budget new label sets are counted as other, gauges not at all, and it is told of which metric', async t => {
  const maxSeries = 60
  const registry = createRegistry({ maxSeries })
  const registers = [registry]
  new Counter({ name: 'plain_total', help: 'h', registers })
  const counter = new Counter({ name: 'c_total', help: 'h', labelNames: ['client'], registers })
  const histogram = new Histogram({ name: 'h', help: 'h', labelNames: ['client'], buckets: [1, 2], registers })
  const gauge = new Gauge({ name: 'g', help: 'h', labelNames: ['client'], registers })
  counter.inc({ client: 'first' })
  for (let client = 0; client < 1000; client++) {
    counter.inc({ client })
    histogram.observe({ client }, 1)
    gauge.set({ client }, 1)
  }
  counter.inc({ client: 'first' })
  const lines = linesOf(await registry.metrics())
  t.true(lines.length <= maxSeries, `${lines.length}`)
  t.true(lines.length > maxSeries - 10, `${lines.length}`)
  t.true(lines.includes('c_total{client="first"} 2'))
  const totalOf = (name: string) =>
    lines.filter(line => line.startsWith(`${name}{`)).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  t.is(totalOf('c_total'), 1002)
  t.is(totalOf('h_count'), 1000)
  t.true(lines.some(line => line.startsWith('c_total{client="other"} ')))
  t.false(lines.some(line => line.startsWith('g{client="other"}')))
  const refused = lines.filter(line => line.startsWith('seamark_metrics_overflow_total'))
  t.deepEqual(refused.map(line => /metric="(\w+)"/.exec(line)?.[1]).toSorted(), ['c_total', 'g', 'h'])
})

test('what is removed makes room', async t => {
  const registry = createRegistry({ maxSeries: 10 })
  const gauge = new Gauge({ name: 'g', help: 'h', labelNames: ['x'], registers: [registry] })
  for (let x = 0; x < 100; x++) {
    gauge.set({ x }, 1)
    gauge.remove({ x })
  }
  gauge.set({ x: 'last' }, 1)
  t.deepEqual(linesOf(await registry.metrics()), ['g{x="last"} 1'])
})

test('buckets grow by a factor', t => {
  t.deepEqual(exponentialBuckets(0.5, 2, 4), [0.5, 1, 2, 4])
})
