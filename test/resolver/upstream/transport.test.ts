import test, { type ExecutionContext } from 'ava'
import { systemClock } from '#lib/clock.ts'
import { systemRandom } from '#lib/random.ts'
import type { UpstreamExchange } from '#resolver/plugin.ts'
import type { Outcome } from '#resolver/upstream/outcome.ts'
import type { UpstreamQuestion } from '#resolver/upstream/question.ts'
import { type Channel, Transport } from '#resolver/upstream/transport.ts'
import type { ResponseMessage } from '#resolver/wire/message.ts'
import { aRecord, startUpstream } from '../../support/upstream.ts'

const question: UpstreamQuestion = {
  name: 'a.example.',
  type: 1,
  recursionDesired: true,
  checkingDisabled: false,
  authenticData: false,
  dnssecOk: false,
}

const reach = (t: ExecutionContext, port: number, report?: (exchange: UpstreamExchange) => void): Transport => {
  const transport = new Transport({
    target: { protocol: 'dns', address: '127.0.0.1', port, serverName: undefined, path: '' },
    clock: systemClock,
    random: systemRandom,
    expire: 10_000,
    maximumAge: 0,
    maximumConnections: 1,
    dohMethod: 'POST',
    sources: [],
    tls: {},
    onReuse: () => {},
    tap: { isWatched: report !== undefined, report: report ?? (() => {}) },
  })
  t.teardown(() => transport.close())
  return transport
}

const startAnswering = (t: ExecutionContext) =>
  startUpstream(t, { respond: ({ question: { name } }) => ({ answers: [aRecord(name, 5, '192.0.2.1')] }) })

/** What is told of one question, after all that may follow. */
const toldOf = async (
  transport: Transport,
  channel: Channel,
  replied: (response: ResponseMessage) => void = () => {},
): Promise<readonly unknown[]> => {
  const told: unknown[] = []
  const first = Promise.withResolvers<void>()
  const outcome: Outcome<ResponseMessage> = {
    replied(response) {
      replied(response)
      told.push(response.answers.length)
      first.resolve()
    },
    failed(error) {
      told.push(error)
      first.resolve()
    },
  }
  transport.ask(question, channel, 60_000, outcome)
  await first.promise
  await new Promise(setImmediate)
  return told
}

for (const channel of ['udp', 'tcp'] as const) {
  test(`${channel}: what becomes of a question is told once, a bug of who watches or hears of it included`, async t => {
    const { port } = await startAnswering(t)
    t.deepEqual(await toldOf(reach(t, port), channel), [1])
    const bug = new Error('a bug')
    const throwing = () => {
      throw bug
    }
    t.deepEqual(await toldOf(reach(t, port, throwing), channel), [bug])
    t.deepEqual(await toldOf(reach(t, port), channel, throwing), [bug])
  })
}

test('a bug of who watches a question that fails is told to who asked', async t => {
  const bug = new Error('a bug')
  const transport = reach(t, 1, () => {
    throw bug
  })
  t.deepEqual(await toldOf(transport, 'udp'), [bug])
})
