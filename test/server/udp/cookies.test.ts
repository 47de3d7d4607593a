/** DNS cookies (RFC 7873) by workers and by the main thread: one secret, so that a client cannot tell who answered. */
import test, { type ExecutionContext } from 'ava'
import { systemClock } from '#lib/clock.ts'
import { createRegistry } from '#lib/metrics.ts'
import { ednsOptionCodes, recordTypes } from '#resolver/wire/codes.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import { decodeResponse } from '#resolver/wire/message.ts'
import { missingSystemCalls } from '#server/system-calls.ts'
import { exchangeTcp, exchangeUdp } from '../../support/dns-client.ts'
import { configure, testWorld } from '../../support/dns-environment.ts'
import { metric, newSharedState, startServer } from '../../support/dns-server.ts'
import { skip } from '../../support/programs.ts'

const start = async (t: ExecutionContext, udp: string) => {
  const shared = newSharedState()
  const { board, cookies } = shared
  const world = { ...testWorld({ board, cookies, registry: createRegistry() }), clock: systemClock }
  const configuration = configure('. {\n local\n}', world)
  const { port, registry } = await startServer(t, {
    responder: (packet, context) => configuration.responder(packet, { ...context, server: 'dns://:53' }),
    shared,
    options: { udp, workers: 1 },
  })
  t.teardown(() => configuration.close())
  const hits = async () => {
    // Workers' counts are brought to the moment when all are read.
    await registry.metrics()
    return metric(registry, 'seamark_server_memo_hits_total')
  }
  return { port, hits }
}

const query = (cookie: Buffer): Buffer =>
  encodeQuery({
    ...{ id: 7, name: 'localhost.', type: recordTypes.A, recursionDesired: true },
    edns: { udpSize: 1232, dnssecOk: false, options: [{ code: ednsOptionCodes.COOKIE, data: cookie }] },
  })

const cookieOf = (reply: Buffer): string => {
  const read = decodeResponse(reply)
  const option = read.ok ? read.value.edns?.options.find(({ code }) => code === ednsOptionCodes.COOKIE) : undefined
  return option?.data.toString('hex') ?? ''
}

for (const udp of ['batch', 'dgram'])
  test(`one cookie for a client, whoever answers, over UDP and TCP: ${udp}`, async t => {
    const missing = udp === 'batch' ? missingSystemCalls() : undefined
    if (missing !== undefined) return skip(t, missing)
    const { port, hits } = await start(t, udp)
    const first = cookieOf(await exchangeUdp(query(Buffer.from('0011223344556677', 'hex')), port))
    t.is(first.length, 48)
    const own = Buffer.from(first, 'hex')
    for (const exchange of [exchangeUdp, exchangeTcp]) {
      const before = await hits()
      for (let time = 0; (await hits()) < before + 3 && time < 100; time++)
        t.is(cookieOf(await exchange(query(own), port)), first)
      t.true((await hits()) >= before + 3)
    }
    const forged = Buffer.from(own)
    forged[23]! ^= 1
    for (let time = 0; time < 3; time++) {
      const renewed = Buffer.from(cookieOf(await exchangeUdp(query(forged), port)), 'hex')
      t.notDeepEqual(renewed, forged)
      t.is(cookieOf(await exchangeTcp(query(renewed), port)), renewed.toString('hex'))
    }
  })
