import { createServer, type RequestListener } from 'node:http'
import test, { type ExecutionContext } from 'ava'
import { configure, testWorld } from '../../support/dns-environment.ts'
import { freePort, whenLeft } from '../../support/free-port.ts'
import { eventually } from '../../watcher/support/eventually.ts'

const DURATION = 'coredns_health_request_duration_seconds'
const FAILURES = 'coredns_health_request_failures_total'

const serve = async (t: ExecutionContext, listener: RequestListener) => {
  const server = createServer(listener)
  // Claimed: once it is closed nobody else answers there.
  const port = await freePort()
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  t.teardown(close)
  return { port, close }
}

const started = async (t: ExecutionContext, port: number) => {
  const world = testWorld()
  const configuration = configure(`. {\n health 127.0.0.1:${port}\n}`, world)
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  const counts = { asked: 0, failed: 0 }
  /** Reads the registry; true when as many were asked and failed. */
  const look = async () => {
    for (const [key, name] of [
      ['asked', `${DURATION}_count`],
      ['failed', FAILURES],
    ] as const) {
      const line = (await world.registry.metrics()).split('\n').find(text => text.startsWith(`${name} `))
      counts[key] = Number(line?.split(' ')[1] ?? 0)
    }
    return counts
  }
  const until = async (asked: number) => {
    await eventually(() => {
      void look()
      return counts.asked === asked
    }, `${asked} requests are counted`)
    return look()
  }
  return { world, configuration, look, until }
}

test('it asks for its own page once a second, and counts how long that takes and what fails', async t => {
  const paths: (string | undefined)[] = []
  const { port, close } = await serve(t, (request, response) => {
    paths.push(request.url)
    response.end('OK')
  })
  const { world, configuration, look, until } = await started(t, port)
  await world.clock.advance(999)
  t.deepEqual(paths, [])
  await world.clock.advance(1)
  t.deepEqual(await until(1), { asked: 1, failed: 0 })
  await world.clock.advance(1_000)
  t.deepEqual(await until(2), { asked: 2, failed: 0 })
  t.deepEqual(paths, ['/health', '/health'])
  close()
  await whenLeft(port)
  await world.clock.advance(1_000)
  t.deepEqual(await until(3), { asked: 3, failed: 1 })
  await configuration.close()
  await world.clock.advance(5_000)
  t.deepEqual(await look(), { asked: 3, failed: 1 })
})

test('an answer that does not come within three seconds is a failure; closing does not wait for it', async t => {
  let asked = 0
  const { port } = await serve(t, () => void asked++)
  const { world, configuration, look, until } = await started(t, port)
  await world.clock.advance(1_000)
  await eventually(() => asked === 1, 'the page is asked for')
  await world.clock.advance(2_900)
  t.deepEqual(await look(), { asked: 0, failed: 0 })
  await world.clock.advance(100)
  t.deepEqual(await until(1), { asked: 1, failed: 1 })
  await world.clock.advance(1_000)
  await eventually(() => asked === 2, 'the page is asked for again')
  await configuration.close()
  t.deepEqual(await look(), { asked: 1, failed: 1 })
})
