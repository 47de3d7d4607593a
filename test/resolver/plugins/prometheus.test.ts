import test from 'ava'
import { configure, testWorld } from '../../support/dns-environment.ts'

const metricsOf = async (line: string): Promise<string> => {
  const world = testWorld()
  const configuration = configure(`. {\n ${line}\n}`, world)
  await configuration.start(AbortSignal.timeout(60_000))
  const text = await world.registry.metrics()
  await configuration.close()
  return text
}

test('runtime_metrics tells of Node itself, which nothing else does', async t => {
  t.notRegex(await metricsOf('prometheus'), /nodejs_heap_space/)
  t.regex(
    await metricsOf('prometheus {\n runtime_metrics\n }'),
    /^nodejs_heap_space_size_used_bytes\{space="new"\} \d+$/m,
  )
})
