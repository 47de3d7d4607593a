/** `rewrite edns0`: the options that upstreams get. */
import test, { type ExecutionContext } from 'ava'
import { type Ask, ask, configure } from '../../support/dns-environment.ts'
import { startUpstream } from '../../support/upstream.ts'

/** The options that an upstream gets, as `CODE=HEX`. */
const optionsUpstream = async (t: ExecutionContext, rules: string, question: Ask = {}): Promise<string[]> => {
  const upstream = await startUpstream(t, { respond: () => ({}) })
  const configuration = configure(`. {\n metadata\n${rules}\n forward . ${upstream.target}\n}`)
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  await ask(configuration, 'Example.org.', question)
  const options = upstream.queries[0]?.edns?.options ?? []
  return options.map(({ code, data }) => `${code}=${data.toString('hex')}`)
}

const sent = { udpSize: 1232, dnssecOk: false, options: [{ code: 0xffee, data: Buffer.from('ab') }] }
const hex = (text: string) => Buffer.from(text).toString('hex')

const ednsRules: Record<string, readonly [rules: string, options: readonly string[], question?: Ask]> = {
  'nothing of a client': ['', [], { edns: sent }],
  text: ['rewrite edns0 local set 0xffee abcd', ['65518=61626364']],
  'hexadecimal; the code as a number': ['rewrite edns0 local set 65518 0x6162', ['65518=6162']],
  'set in place of the client’s': ['rewrite edns0 local set 0xffee x', ['65518=78'], { edns: sent }],
  'append where there is one: the client’s': ['rewrite edns0 local append 0xffee x', ['65518=6162'], { edns: sent }],
  'append where there is none': ['rewrite edns0 local append 0xffee x', ['65518=78']],
  'replace where there is one': ['rewrite edns0 local replace 0xffee x revert', ['65518=78'], { edns: sent }],
  'replace where there is none': ['rewrite edns0 local replace 0xffee x', []],
  'several, and one taken back': [
    'rewrite continue edns0 local set 1 a\nrewrite continue edns0 local set 2 b\nrewrite edns0 local unset 1',
    ['2=62'],
  ],
  'a rule that stops': ['rewrite edns0 local set 1 a\nrewrite edns0 local set 2 b', ['1=61']],
  '{qname}': ['rewrite edns0 local set 1 {qname}', [`1=${hex('Example.org.')}`]],
  '{qtype}': ['rewrite edns0 local set 1 {qtype}', ['1=0001']],
  '{client_ip}': ['rewrite edns0 local set 1 {client_ip}', ['1=c0000207']],
  '{client_ip} of IPv6': [
    'rewrite edns0 local set 1 {client_ip}',
    ['1=20010db8000000000000000000000007'],
    { client: '2001:db8::7' },
  ],
  '{client_port}': ['rewrite edns0 local set 1 {client_port}', ['1=9c40']],
  '{server_ip}': ['rewrite edns0 local set 1 {server_ip}', ['1=c0000235']],
  '{server_port}': ['rewrite edns0 local set 1 {server_port}', ['1=0035']],
  '{protocol}': ['rewrite edns0 local set 1 {protocol}', [`1=${hex('udp')}`]],
  'metadata that nobody knows': ['rewrite edns0 local set 1 {some/label}', []],
  nsid: ['rewrite edns0 nsid set', ['3=']],
  'subnet of IPv4': ['rewrite edns0 subnet set 20 56', ['8=00011400cb0070'], { client: '203.0.119.9' }],
  'subnet of IPv6': [
    'rewrite edns0 subnet set 24 56',
    ['8=0002380020010db8123456'],
    { client: '2001:db8:1234:5678::1' },
  ],
  'subnet of no bits': ['rewrite edns0 subnet set 0 0', ['8=00010000']],
}

for (const [about, [rules, options, question]] of Object.entries(ednsRules))
  test(`edns0: ${about}`, async t => {
    t.deepEqual(await optionsUpstream(t, rules, question), options)
  })

test('edns0: questions with other options are other questions', async t => {
  const upstream = await startUpstream(t, { respond: () => ({}) })
  const configuration = configure(`. {\n rewrite edns0 local set 1 {client_ip}\n forward . ${upstream.target}\n}`)
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  await Promise.all(['192.0.2.1', '192.0.2.2', '192.0.2.1'].map(client => ask(configuration, 'a.example.', { client })))
  t.deepEqual(upstream.queries.map(({ edns }) => edns!.options[0]!.data.toString('hex')).sort(), [
    'c0000201',
    'c0000202',
  ])
})
