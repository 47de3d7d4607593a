import test from 'ava'
import type { Next } from '#resolver/next.ts'
import { answered, emptyAnswer, unhandled } from '#resolver/verdict.ts'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { nameData } from '#resolver/wire/rdata.ts'
import { configure, makeQuery, problemsOf } from '../../support/dns-environment.ts'
import { aRecord } from '../../support/upstream.ts'

const name = 'www.example.org.'
const ns = { name: 'example.org.', type: recordTypes.NS, class: 1, ttl: 60, data: nameData.encode('ns.example.org.') }
const glue = aRecord('ns.example.org.', 60, '192.0.2.1')
const answers = [aRecord(name, 60, '192.0.2.2')]

const sectionsOf = async (next: Next) => {
  const verdict = await configure('. {\n minimal\n}').plugins[0]!.handle!(makeQuery(name), next)
  if (verdict.verdict !== 'answered') return verdict.verdict
  const { answer } = verdict
  return [answer.answers.length, answer.authority.length, answer.additional.length]
}

test('answers with data lose the other sections, at once or after waiting', async t => {
  const full = answered('test', emptyAnswer(rcodes.NOERROR, { answers, authority: [ns], additional: [glue] }))
  t.deepEqual(await sectionsOf(() => full), [1, 0, 0])
  t.deepEqual(await sectionsOf(async () => full), [1, 0, 0])
})

test('denials, failures and referrals keep them', async t => {
  const rest = { authority: [ns], additional: [glue] }
  t.deepEqual(await sectionsOf(() => answered('test', emptyAnswer(rcodes.NOERROR, rest))), [0, 1, 1])
  t.deepEqual(await sectionsOf(() => answered('test', emptyAnswer(rcodes.NXDOMAIN, { answers, ...rest }))), [1, 1, 1])
  t.deepEqual(await sectionsOf(() => answered('test', emptyAnswer(rcodes.SERVFAIL, rest))), [0, 1, 1])
  t.is(await sectionsOf(() => unhandled), 'unhandled')
})

test('takes no words', t => {
  t.regex(problemsOf('. {\n minimal all\n}')[0] ?? '', /one word too many/)
})
