import test from 'ava'
import { recordTypes } from '#resolver/wire/codes.ts'
import { rdataToText } from '#resolver/wire/presentation.ts'
import { type Ask, ask, configure, problemsOf } from '../../support/dns-environment.ts'

const told = async (question: Ask, name = 'example.org.') => {
  const reply = await ask(configure('. {\n whoami\n}'), name, question)
  assertThat(reply?.answers.length === 0 && reply.authoritative)
  return reply?.additional.map(record => `${record.name} ${record.ttl} ${rdataToText(record.type, record.data)}`)
}
const assertThat = (condition: boolean | undefined): void => {
  if (!condition) throw new Error('an answer section, or no AA')
}

test('the client’s address and port, by its family and transport', async t => {
  t.deepEqual(await told({}), ['example.org. 0 192.0.2.7', '_udp.example.org. 0 0 0 40000 .'])
  t.deepEqual(await told({ client: '2001:db8::7', transport: 'tcp', type: recordTypes.MX }), [
    'example.org. 0 2001:db8::7',
    '_tcp.example.org. 0 0 0 40000 .',
  ])
})

test('a name that leaves no room for the port’s', async t => {
  const long = [63, 63, 63, 60].map(length => `${'a'.repeat(length)}.`).join('')
  t.deepEqual(await told({}, long), [`${long} 0 192.0.2.7`])
})

test('takes no words', t => {
  t.regex(problemsOf('. {\n whoami me\n}')[0] ?? '', /one word too many/)
})
