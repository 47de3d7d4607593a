/** The law of order (docs/architecture.md) where it is hardest to keep: within one reading of a socket. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import test from 'ava'
import type { ChangeBoard } from '#lib/change-board.ts'
import { systemClock } from '#lib/clock.ts'
import { silentLogger } from '#lib/log.ts'
import { createRegistry } from '#lib/metrics.ts'
import { readOptions } from '#lib/options.ts'
import type { Responder } from '#resolver/listener.ts'
import type { Memo } from '#resolver/memo.ts'
import { Dispatcher } from '#server/dispatcher.ts'
import { MainMemo } from '#server/main-memo.ts'
import { ServerMetrics } from '#server/metrics.ts'
import { serverOptions } from '#server/options.ts'
import { UdpListener } from '#server/udp/dgram.ts'
import { metric, newSharedState } from '../../support/dns-server.ts'
import { freePort } from '../../support/free-port.ts'
import { queryPacket } from '../../support/query-packet.ts'

const ROUNDS = 200
const EVENTS = 'events'

/** What the responder says is kept until the next event: the memo must not give it a moment longer. */
const memoOf = (board: ChangeBoard): Memo => {
  const cell = board.cellOf(EVENTS)
  return {
    facts: [cell, board.version(cell)],
    until: Number.POSITIVE_INFINITY,
    ...{ ttls: [], keptAt: 0, serialAt: 0, serialCell: 0, cookieAt: 0, anyCase: true },
    ...{ turnsAt: 0, turnsSize: 0, turnsCount: 0, hits: { add() {}, sample() {} } },
  }
}

for (const way of ['the readable path', 'the memo'] as const)
  test(`what reached this process before a query counts, also when the query came while others were being read: ${way}`, async t => {
    // A watch stream: the one end gets an event, the other is read by this process.
    const listener = createServer()
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const accepted = once(listener, 'connection')
    const writer = connect((listener.address() as AddressInfo).port, '127.0.0.1').setNoDelay(true)
    const [stream] = await accepted
    const { board, cookies } = newSharedState()
    let events = 0
    stream.on('data', (chunk: Buffer) => {
      events += chunk.length
      board.changed(EVENTS)
    })

    const question = queryPacket('first.')
    const registry = createRegistry()
    const metrics = new ServerMetrics(registry)
    const read = readOptions(serverOptions)
    if (!read.ok) return t.fail(read.problem)
    const memo =
      way === 'the memo'
        ? new MainMemo({ board, cookies, clock: systemClock, metrics, budget: 1024 * 1024 })
        : undefined
    // The question again, and the number of events behind it.
    const plain: Responder = (packet, { memoise }) => {
      memoise?.(memoOf(board))
      return Buffer.concat([packet, Buffer.from(String(events))])
    }
    const responder = memo?.before(plain) ?? plain
    const options = { clock: systemClock, logger: silentLogger, metrics, maxInFlight: 100 }
    const client = createSocket('udp4')
    let written = 0
    let reading = 0
    const server = new UdpListener(
      { address: '127.0.0.1', family: 4 },
      {
        clock: systemClock,
        logger: silentLogger,
        metrics,
        dispatcher: new Dispatcher(responder, options),
        memo,
        options: read.value,
        server() {
          // The first datagram is just being read, so the poll has begun: what comes now, the event and then a question
          // of whoever knows of it, is not among the sockets that it found ready; but the question is read all the same.
          if (++reading % 2 === 1) {
            writer.write('e')
            written++
            client.send(question)
          }
          return ''
        },
      },
    )
    const port = await freePort()
    await server.open(port, false)
    await new Promise<void>(resolve => client.connect(port, '127.0.0.1', resolve))
    t.teardown(async () => {
      await server.close()
      client.close()
      writer.destroy()
      stream.destroy()
      listener.close()
    })
    for (let round = 1; round <= ROUNDS; round++) {
      const first = once(client, 'message')
      client.send(question)
      await first
      const [second] = await once(client, 'message')
      t.is(String(second.subarray(question.length)), String(written), `round ${round}`)
    }
    memo?.settleHits()
    if (memo) t.true((await metric(registry, 'seamark_server_memo_hits_total')) > ROUNDS / 2)
  })
