import test from 'ava'
import { recordTypes } from '#resolver/wire/codes.ts'
import { aData } from '#resolver/wire/rdata.ts'
import { type Ask, ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'

const answers = (count: number): string =>
  Array.from({ length: count }, (_, index) => `  answer "{{ .Name }} 30 A 192.0.2.${index}"`).join('\n')

const sampling = (directive: string, count: number, world = testWorld()) => {
  const text = ' template IN TXT {\n  answer "{{ .Name }} 30 TXT a"\n }'
  return configure(`. {\n ${directive}\n template IN A {\n${answers(count)}\n }\n${text}\n}`, world)
}

const addressesOf = async (configuration: ReturnType<typeof configure>, question: Ask = {}, name = 'a.example.') => {
  const reply = (await ask(configuration, name, question))!
  return { truncated: reply.truncated, addresses: reply.answers.map(({ data }) => aData.decode(data)) }
}

test('over UDP so many, without TC; over TCP all', async t => {
  const world = testWorld()
  const configuration = sampling('sample 15', 200, world)
  const { truncated, addresses } = await addressesOf(configuration)
  t.false(truncated)
  t.is(new Set(addresses).size, 15)
  t.is((await addressesOf(configuration, { transport: 'tcp' })).addresses.length, 200)
  t.regex(await world.registry.metrics(), /^seamark_sample_answers_total\{server="dns:\/\/:53",view=""\} 1$/m)
})

test('every address is in the same share of the answers', async t => {
  // Every start once: what a uniform choice is over many.
  const starts = Array.from({ length: 40 }, (_, index) => (index + 0.5) / 40)
  let turn = 0
  const random = { unit: () => starts[turn++ % 40]!, integer: () => 0 }
  const configuration = sampling('sample 7', 40, testWorld({ random }))
  const seen = new Map<string, number>()
  for (let index = 0; index < 40; index++)
    for (const address of (await addressesOf(configuration)).addresses) seen.set(address, (seen.get(address) ?? 0) + 1)
  t.is(seen.size, 40)
  t.deepEqual(new Set(seen.values()), new Set([7]))
})

test('as many as there are stay as they are, and other zones and types', async t => {
  t.is((await addressesOf(sampling('sample 15', 15))).addresses.length, 15)
  t.is((await addressesOf(sampling('sample example.net 2', 15))).addresses.length, 15)
  t.is((await addressesOf(sampling('sample example 2', 15))).addresses.length, 2)
  const text = (await ask(sampling('sample 1', 15), 'a.example.', { type: recordTypes.TXT }))!
  t.is(text.answers.length, 1)
})

test('the aliases before the addresses stay', async t => {
  const lines = '  answer "{{ .Name }} 30 CNAME b.example."\n'
  const addresses = answers(9).replaceAll('{{ .Name }}', 'b.example.')
  const configuration = configure(`. {\n sample 3\n template IN A {\n${lines}${addresses}\n }\n}`)
  const reply = (await ask(configuration, 'a.example.'))!
  t.deepEqual(
    reply.answers.map(({ type }) => type),
    [recordTypes.CNAME, recordTypes.A, recordTypes.A, recordTypes.A],
  )
})

test('tells what is wrong', t => {
  t.regex(problemsOf('. {\n sample\n}')[0] ?? '', /needs a number of addresses/)
  t.regex(problemsOf('. {\n sample 0\n}')[0] ?? '', /"0" is not a number of addresses \(1 to 1000\)/)
})
