/** Workers that die, with the rest of the program going on. */
import test from 'ava'
import type { Responder } from '#resolver/listener.ts'
import { missingSystemCalls } from '#server/system-calls.ts'
import { ask, askUntil } from '../../support/dns-client.ts'
import { addressResponder, metric, newSharedState, startServer } from '../../support/dns-server.ts'
import { POISON } from '../../support/poison.ts'

const onLinux = missingSystemCalls() === undefined ? test : test.skip

/** Has each worker that is asked for `poison` choke on what it is told to keep. */
const poisonous = (): Responder => {
  const answer = addressResponder()
  return (packet, context) => {
    if (packet.includes('poison')) context.memoise?.(POISON)
    return answer(packet, context)
  }
}

const restarts = 'seamark_server_udp_worker_restarts_total'

onLinux('a worker that died is replaced, and those who asked it are answered by the new one', async t => {
  const { port, registry } = await startServer(t, {
    ...{ responder: poisonous(), shared: newSharedState(), options: { udp: 'batch', workers: 2 } },
  })
  for (let round = 1; round <= 3; round++) {
    t.is((await ask({ name: 'poison', port })).rcode, 'NOERROR')
    const asked = Array.from({ length: 100 }, () => askUntil({ name: 'a', port }, reply => reply.rcode === 'NOERROR'))
    t.is((await Promise.all(asked)).length, 100)
    while ((await metric(registry, restarts)) < round) await ask({ name: 'a', port, deadline: 1000 }).catch(() => {})
  }
  t.is(await metric(registry, restarts), 3)
  await registry.metrics()
  const drops = await registry.getSingleMetric('seamark_server_dropped_total')?.get()
  t.deepEqual(drops?.values, [])
})

onLinux('a worker that dies when it should leave has left', async t => {
  const { server, port } = await startServer(t, {
    ...{ responder: poisonous(), shared: newSharedState(), options: { udp: 'batch', workers: 2 } },
  })
  await ask({ name: 'poison', port })
  await server.close()
  t.pass()
})
