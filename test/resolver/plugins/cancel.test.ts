import test from 'ava'
import type { Next } from '#resolver/next.ts'
import { answered, emptyAnswer, type Verdict } from '#resolver/verdict.ts'
import { rcodes } from '#resolver/wire/codes.ts'
import { configure, makeQuery, problemsOf, testWorld } from '../../support/dns-environment.ts'

const setUp = (line: string) => {
  const world = testWorld()
  const plugin = configure(`. {\n ${line}\n}`, world).plugins[0]!
  return { world, handle: (next: Next) => plugin.handle!(makeQuery('a.'), next) }
}
const answer = answered('slow', emptyAnswer(rcodes.NOERROR))

test('an answer in time is given on; one that needs no waiting is not even watched', async t => {
  const { world, handle } = setUp('cancel 2s')
  t.is(
    handle(() => answer),
    answer,
  )
  const late = Promise.withResolvers<Verdict>()
  const verdict = handle(() => late.promise)
  await world.clock.advance(1999)
  late.resolve(answer)
  t.is(await verdict, answer)
})

test('one that is late is SERVFAIL, and says why', async t => {
  for (const [line, timeout, told] of [
    ['cancel 2s', 2000, '2s'],
    ['cancel', 5001, '5.001s'],
  ] as const) {
    const { world, handle } = setUp(line)
    const late = Promise.withResolvers<Verdict>()
    const verdict = handle(() => late.promise)
    await world.clock.advance(timeout)
    const given = await verdict
    if (given.verdict !== 'answered') return t.fail()
    t.is(given.by, 'cancel')
    t.is(given.answer.rcode, rcodes.SERVFAIL)
    t.regex(given.answer.extendedErrors?.[0]?.text ?? '', new RegExp(`^no answer in (${told}|${timeout}ms)$`))
    late.reject(new Error('nobody listens any more'))
  }
})

test('a bug in time is thrown on', async t => {
  const { handle } = setUp('cancel 2s')
  await t.throwsAsync(async () => handle(() => Promise.reject(new Error('bug'))), { message: 'bug' })
})

test('takes one duration', t => {
  t.regex(problemsOf('. {\n cancel 0s\n}')[0] ?? '', /"0s" is not a duration/)
  t.regex(problemsOf('. {\n cancel 1s 2s\n}')[0] ?? '', /one word too many/)
})
