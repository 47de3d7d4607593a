import test from 'ava'
import { rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { rdataToText } from '#resolver/wire/presentation.ts'
import { ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'

const erratic = (...lines: string[]) => {
  const world = testWorld()
  const configuration = configure(`. {\n erratic {\n${lines.join('\n')}\n }\n}`, world)
  return { world, askIt: (type: number = recordTypes.A) => ask(configuration, 'a.', { type, transport: 'tcp' }) }
}

test('addresses for documentation, SERVFAIL for other types', async t => {
  const { askIt } = erratic('drop 0')
  for (const [type, address] of [
    [recordTypes.A, '192.0.2.53'],
    [recordTypes.AAAA, '2001:db8::53'],
  ] as const) {
    const reply = await askIt(type)
    t.deepEqual(
      reply?.answers.map(record => `${record.ttl} ${rdataToText(type, record.data)}`),
      [`0 ${address}`],
    )
  }
  t.is((await askIt(recordTypes.MX))?.rcode, rcodes.SERVFAIL)
})

const pattern = async (askIt: () => ReturnType<typeof ask>, count: number) => {
  const seen: string[] = []
  for (let index = 0; index < count; index++) {
    const reply = await askIt()
    seen.push(reply ? (reply.truncated ? 't' : 'a') : '-')
  }
  return seen.join('')
}

test('drops one in two if nothing is said, else what is said', async t => {
  t.is(await pattern(erratic().askIt, 6), '-a-a-a')
  t.is(await pattern(erratic('drop 3').askIt, 6), '-aa-aa')
  t.is(await pattern(erratic('drop').askIt, 4), '-a-a')
  t.is(await pattern(erratic('truncate 3').askIt, 6), 'taataa')
  t.is(await pattern(erratic('truncate', 'drop 4').askIt, 4), '-ata')
})

test('delays', async t => {
  const { world, askIt } = erratic('delay 2 3s')
  let replied = false
  const late = askIt().then(reply => {
    replied = true
    return reply
  })
  await world.clock.advance(2999)
  t.false(replied)
  await world.clock.advance(1)
  t.is((await late)?.answers.length, 1)
  t.is((await askIt())?.answers.length, 1)
})

test('large', async t => {
  t.is((await erratic('drop 0', 'large').askIt())?.answers.length, 30)
})

test('tells what is wrong', t => {
  const problem = (line: string) => problemsOf(`. {\n erratic {\n  ${line}\n }\n}`)[0] ?? ''
  t.regex(problem('dorp 2'), /unknown property "dorp"; did you mean "drop"/)
  t.regex(problem('drop x'), /"x" is not a number of queries/)
  t.regex(problem('delay 2 1h'), /"1h" is not a duration/)
})
