import test from 'ava'
import type { Query } from '#resolver/query.ts'
import { answered, emptyAnswer, unhandled } from '#resolver/verdict.ts'
import { ask, configure, makeQuery, problemsOf } from '../../support/dns-environment.ts'

const bitsOf = async (lines: string) => {
  const configuration = configure(`. {\n header {\n  ${lines}\n }\n whoami\n}`)
  const packet = makeQuery('a.', { recursionDesired: true }).packet
  const context = {
    transport: 'udp',
    client: { address: '192.0.2.7', port: 1 },
    local: { address: '', port: 53 },
  } as const
  const reply = await configuration.responder(packet, { ...context, server: 'dns://:53' })
  const bits = reply!.readUInt16BE(2)
  return [bits & 0x400 ? 'aa' : '', bits & 0x100 ? 'rd' : '', bits & 0x80 ? 'ra' : ''].join(' ').trim()
}

test('sets and clears bits of replies, the last line first', async t => {
  t.is(await bitsOf('response set ra'), 'aa rd ra')
  t.is(await bitsOf('response clear aa rd'), '')
  t.is(await bitsOf('set ra aa\n clear rd'), 'aa  ra')
  t.is(await bitsOf('set ra\n response clear ra'), 'aa rd')
})

test('changes queries for those behind it alone', async t => {
  const plugin = configure('. {\n header {\n  query clear rd\n  query set cd ad\n }\n}').plugins[0]!
  let seen: Query | undefined
  const query = makeQuery('a.')
  const verdict = await plugin.handle!(query, given => {
    seen = given
    return answered('test', emptyAnswer(0))
  })
  t.like(seen, { recursionDesired: false, checkingDisabled: true, authenticData: true })
  t.like(query, { recursionDesired: true, checkingDisabled: false, authenticData: false })
  t.deepEqual(verdict, answered('test', emptyAnswer(0)))
  t.is(await plugin.handle!(query, async () => unhandled), unhandled)
})

test('tells what is no line of it', async t => {
  const problem = (line: string) => problemsOf(`. {\n header {\n  ${line}\n }\n}`)[0] ?? ''
  t.regex(problem('respond set ra'), /^Corefile:3: header: unknown property "respond"; did you mean "response"\?/)
  t.regex(problem('response se ra'), /"se" is not one of set, clear; did you mean "set"/)
  t.regex(problem('set qr'), /"qr" is not one of aa, ra, rd/)
  t.regex(problem('query set aa'), /"aa" is not one of rd, ad, cd/)
  t.regex(problem('set'), /"set" needs a value/)
  t.regex(problemsOf('. {\n header\n}')[0] ?? '', /needs lines/)
  t.is((await ask(configure('. {\n header {\n  set ra\n }\n}'), 'a.'))?.rcode, 2)
})
