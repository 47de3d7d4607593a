import { platform } from 'node:os'
import test from 'ava'
import { createRegistry } from '#lib/metrics.ts'
import { ServerMetrics } from '#server/metrics.ts'
import { missingSystemCalls } from '#server/system-calls.ts'
import { checkReceiveBuffer } from '#server/udp/receive-buffer.ts'
import { metric, newSharedState, startServer } from '../../support/dns-server.ts'

const GAUGE = 'seamark_server_udp_receive_buffer_bytes'
/** Below any kernel's limit (net.core.rmem_max is 212,992 where nobody has changed it). */
const SMALL = 128 * 1024

const ways = missingSystemCalls() === undefined ? ['batch', 'dgram'] : ['dgram']

for (const udp of ways) {
  test(`sockets have the buffer that was asked for, and a metric says so: ${udp}`, async t => {
    const options = { udp, udpReceiveBuffer: SMALL, workers: 1 }
    const { registry } = await startServer(t, { shared: newSharedState(), options })
    t.is(await metric(registry, GAUGE), SMALL)
  })
}

test('a buffer that was cut is told once, with what was wanted; one that was not is not told', async t => {
  const registry = createRegistry()
  const metrics = new ServerMetrics(registry)
  const told: object[] = []
  const logger = { info: (fields: object) => told.push(fields) }
  type Environment = Parameters<typeof checkReceiveBuffer>[0]
  const environment = { logger, metrics, options: { udpReceiveBuffer: SMALL } } as unknown as Environment
  const asTold = (bytes: number) => (platform() === 'linux' ? 2 * bytes : bytes)
  checkReceiveBuffer(environment, asTold(SMALL))
  t.deepEqual(told, [])
  for (let socket = 0; socket < 3; socket++) checkReceiveBuffer(environment, asTold(SMALL / 2))
  t.deepEqual(told, [{ wanted: SMALL, given: SMALL / 2 }])
  t.is(await metric(registry, GAUGE), SMALL / 2)
})
