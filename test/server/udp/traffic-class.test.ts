/** TOS and ECN (RFC 2474, RFC 3168) are the network's and the client's: no reply takes them over, none has any of ours. */
import test from 'ava'
import type { Responder } from '#resolver/listener.ts'
import { missingSystemCalls } from '#server/system-calls.ts'
import { addressResponder, metric, newSharedState, startServer } from '../../support/dns-server.ts'
import { queryPacket } from '../../support/query-packet.ts'
import { TrafficClassSocket } from '../../support/traffic-class-socket.ts'

const onLinux = missingSystemCalls() === undefined ? test : test.skip

/** ECT(1), ECT(0), CE; expedited forwarding, by itself and with ECT(0); all bits. */
const classes = [0, 1, 2, 3, 0xb8, 0xba, 0xff]

const answer = addressResponder()

/** The first reply is made, the others are given again. */
const keeping: Responder = (packet, context) => {
  context.memoise?.({
    ...{ facts: [], until: Number.POSITIVE_INFINITY, ttls: [], keptAt: 0, serialAt: 0, serialCell: 0, cookieAt: 0 },
    ...{ anyCase: true, turnsAt: 0, turnsSize: 0, turnsCount: 0, hits: { add() {}, sample() {} } },
  })
  return answer(packet, context)
}

for (const udp of ['batch', 'dgram'])
  for (const family of [4, 6] as const)
    onLinux(
      `${udp}, IPv${family}: replies leave with the socket's own traffic class, whatever the client's is`,
      async t => {
        const client = new TrafficClassSocket(family)
        const peer = new TrafficClassSocket(family)
        t.teardown(() => {
          client.close()
          peer.close()
        })
        const { port, registry } = await startServer(t, {
          responder: keeping,
          listeners: [{ address: { host: family === 4 ? '127.0.0.1' : '::1', port: 0 }, server: 'dns://:0' }],
          shared: newSharedState(),
          options: { udp, workers: 1 },
        })
        for (const [id, trafficClass] of classes.entries()) {
          const query = queryPacket('a.example.', { id })
          client.send(query, peer.port, trafficClass)
          t.is((await peer.receive()).trafficClass, trafficClass, 'it leaves the client so')
          client.send(query, port, trafficClass)
          const reply = await client.receive()
          t.is(reply.data.readUInt16BE(0), id)
          t.is(reply.trafficClass, 0)
        }
        // Brings the counts of the worker to this moment.
        await registry.metrics()
        if (udp === 'batch') t.true((await metric(registry, 'seamark_server_memo_hits_total')) > 0)
      },
    )
