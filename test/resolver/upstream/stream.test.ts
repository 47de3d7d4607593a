import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import test from 'ava'
import { sleep, systemClock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import { StreamUpstream } from '#resolver/upstream/stream.ts'
import { queryPacket } from '../../support/query-packet.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

test('a dead connection is replaced, also when questions never stop coming', async t => {
  let connections = 0
  const server = createServer(socket => {
    t.teardown(() => socket.destroy())
    // The first one is a black hole, as a NAT makes one that has forgotten it.
    if (++connections > 1) socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  const clock = new VirtualClock()
  const upstream = new StreamUpstream({
    open: onReady => connect({ port, host: '127.0.0.1' }, onReady),
    description: 'the test’s server',
    idle: 10_000,
    maximumAge: 0,
    maximumConnections: 1,
    clock,
    random: systemRandom,
    onReuse: () => {},
  })
  t.teardown(() => upstream.close())
  // One question each half second, each with two seconds of time: there is always one that waits.
  const outcomes: string[] = []
  for (let index = 0; index < 12; index++) {
    void upstream
      .exchange(queryPacket('a.'), () => true, 2000)
      .then(
        () => outcomes.push('answered'),
        () => outcomes.push('failed'),
      )
    await clock.advance(500)
    await sleep(systemClock, 5)
  }
  const end = performance.now() + 60_000
  while (outcomes.length < 12 && performance.now() < end) await sleep(systemClock, 5)
  t.is(connections, 2)
  // What waited on it when it was given up is asked again on the new one (RFC 7766 §6.2.4).
  t.deepEqual(outcomes, ['failed', ...Array(11).fill('answered')])
})
