import test from 'ava'
import { classes, rcodes, recordTypes } from '#resolver/wire/codes.ts'
import { type Ask, ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'

const outcomeOf = async (directives: string, question: Ask = {}, name = 'www.example.org.') => {
  const reply = await ask(configure(`. {\n${directives}\n whoami\n}`), name, {
    edns: { udpSize: 1232, dnssecOk: false, options: [] },
    ...question,
  })
  if (!reply) return 'dropped'
  const [error] = reply.extendedErrors ?? []
  if (reply.rcode === rcodes.REFUSED) return `refused ${error?.code}`
  return error ? `filtered ${error.code}` : 'passed'
}
const acl = (...lines: string[]) => ` acl {\n${lines.join('\n')}\n }`

const cases: Record<string, readonly [lines: string, question: Ask, outcome: string]> = {
  'a line for everything': [acl('block'), {}, 'refused 15'],
  'filter: an empty answer': [acl('filter'), {}, 'filtered 17'],
  'drop: silence': [acl('drop'), {}, 'dropped'],
  'a network': [acl('block net 192.0.2.0/24'), {}, 'refused 15'],
  'another network': [acl('block net 198.51.100.0/24 192.0.2.8'), {}, 'passed'],
  'an address, after others': [acl('block net 198.51.100.0/24 192.0.2.7'), {}, 'refused 15'],
  IPv6: [acl('drop net 2001:db8::/32'), { client: '2001:db8:1::7' }, 'dropped'],
  'IPv6 with a zone': [acl('drop net fe80::/10'), { client: 'fe80::1%eth0' }, 'dropped'],
  'IPv6, outside': [acl('drop net 2001:db8::/32'), { client: '2001:db9::7' }, 'passed'],
  'IPv4 is not in a network of IPv6': [acl('block net ::/0'), {}, 'passed'],
  'a type': [acl('filter type aaaa mx'), { type: recordTypes.MX }, 'filtered 17'],
  'another type': [acl('filter type AAAA MX'), {}, 'passed'],
  'type and network': [acl('block type A net 192.0.2.0/24'), {}, 'refused 15'],
  'type and another network': [acl('block type A net 198.51.100.0/24'), {}, 'passed'],
  stars: [acl('block type * net *'), {}, 'refused 15'],
  'the first line that fits': [acl('allow net 192.0.2.7', 'block net 192.0.2.0/24'), {}, 'passed'],
  'the first line that fits, of others': [acl('allow net 192.0.2.8', 'block'), {}, 'refused 15'],
  'other directives go on': [`${acl('allow type MX')}\n${acl('block')}`, {}, 'refused 15'],
  'allow ends other directives too': [`${acl('allow type A')}\n${acl('block')}`, {}, 'passed'],
  zones: [' acl example.org {\n block\n }', {}, 'refused 15'],
  'other zones': [' acl example.net {\n block\n }', {}, 'passed'],
}

for (const [about, [lines, question, outcome]] of Object.entries(cases))
  test(about, async t => t.is(await outcomeOf(lines, question), outcome))

test('holds for other classes too', async t => {
  const question = { class: classes.HS }
  t.is(await outcomeOf(acl('drop net 192.0.2.0/24'), question), 'dropped')
  t.is(await outcomeOf(acl('drop net 198.51.100.0/24'), question), 'refused 21')
})

test('counts', async t => {
  const world = testWorld()
  const lines = acl('allow net 192.0.2.1', 'block type A', 'filter type MX', 'drop type TXT')
  const configuration = configure(`. {\n${lines}\n whoami\n}`, world)
  const { A, MX, TXT, SRV } = recordTypes
  for (const type of [A, A, MX, TXT, SRV]) await ask(configuration, 'a.', { type })
  await ask(configuration, 'a.', { client: '192.0.2.1' })
  const text = await world.registry.metrics()
  const block = '\\{server="dns://:53",zone=".",view=""\\}'
  t.regex(text, new RegExp(`^coredns_acl_blocked_requests_total${block} 2$`, 'm'))
  t.regex(text, new RegExp(`^coredns_acl_filtered_requests_total${block} 1$`, 'm'))
  t.regex(text, new RegExp(`^coredns_acl_dropped_requests_total${block} 1$`, 'm'))
  t.regex(text, /^coredns_acl_allowed_requests_total\{server="dns:\/\/:53",view=""\} 2$/m)
})

test('tells what is wrong', t => {
  const problem = (line: string) => problemsOf(`. {\n acl {\n  ${line}\n }\n}`)[0] ?? ''
  t.regex(problem('blok net *'), /^Corefile:3: acl: unknown property "blok"; did you mean "block"\?/)
  t.regex(problem('block nett 192.0.2.1'), /"nett" is neither "type" nor "net"; did you mean "net"\?/)
  t.regex(problem('block net 192.0.2.0/33'), /"192.0.2.0\/33" is neither an address nor a network/)
  t.regex(problem('block net 1'), /"1" is neither/)
  t.regex(problem('block net'), /"net" needs a value/)
  t.regex(problem('block type AAA'), /"AAA" is not a record type; did you mean "A/)
  t.regex(problemsOf('. {\n acl\n}')[0] ?? '', /needs a line/)
})
