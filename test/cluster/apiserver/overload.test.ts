/** More requests than are answered at a time: each user's wait for themselves. */
import { once } from 'node:events'
import { type ClientHttp2Stream, connect } from 'node:http2'
import test from 'ava'
import { startApiserver } from '../../support/apiserver.ts'
import { clockWith, NEVER } from '../../support/clock-with.ts'

const REVIEWS = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
const review = { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1' }

/** Milliseconds that a request waits for its turn. */
const PATIENCE = 15_000

test('who holds up the writes is told to come later; others have their turn, and owners do not wait', async t => {
  // None of those who wait gives up, however slow the machine.
  const server = await startApiserver(t, {
    clock: clockWith({ [PATIENCE]: NEVER }),
    options: { maxMutatingRequestsInflight: 1 },
  })
  const session = connect(server.url, server.tls)
  t.teardown(() => session.destroy())
  /** A write without its body: it is under way until the body comes. */
  const begin = (user: string): ClientHttp2Stream =>
    session.request({
      ...{ ':method': 'POST', ':path': REVIEWS, 'content-type': 'application/json' },
      ...{ 'impersonate-user': user, 'impersonate-group': 'system:authenticated' },
    })
  const codeOf = async (stream: ClientHttp2Stream) => (await once(stream, 'response'))[0][':status'] as number
  const finish = async (stream: ClientHttp2Stream): Promise<number> => {
    const code = codeOf(stream)
    stream.end(JSON.stringify(review))
    stream.resume()
    return code
  }
  const greedy = Array.from({ length: 202 }, () => begin('greedy'))
  const [first, ...others] = greedy as [ClientHttp2Stream, ...ClientHttp2Stream[]]
  const refused = await Promise.race(others.map(async stream => ({ stream, code: await codeOf(stream) })))
  t.is(refused.code, 429)
  t.is((await once(refused.stream.setEncoding('utf8'), 'data'))[0].includes('too many requests'), true)
  t.is((await server.fetch(REVIEWS, { method: 'POST', body: review })).code, 201)
  t.is((await server.fetch('/version', { as: 'modest', groups: ['system:authenticated'] })).code, 200)
  const modest = begin('modest')
  const turn = finish(modest)
  const waiting = others.filter(stream => stream !== refused.stream)
  t.is(await finish(first), 201)
  t.is(await finish(waiting[0]!), 201)
  t.is(await turn, 201)
  const metrics = await server.registry.metrics()
  t.regex(metrics, /apiserver_request_terminations_total\{.*code="429".*\} 1\n/)
})
