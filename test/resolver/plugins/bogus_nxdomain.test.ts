import test from 'ava'
import { rcodes } from '#resolver/wire/codes.ts'
import { ask, configure, problemsOf } from '../../support/dns-environment.ts'
import { aRecord, startUpstream } from '../../support/upstream.ts'

test('an answer with such an address is NXDOMAIN, kept or fresh; others and the server’s own names pass', async t => {
  const addresses: Readonly<Record<string, string>> = {
    'nowhere.example.': '192.0.2.99',
    'net.example.': '198.51.100.7',
    'www.example.': '192.0.2.1',
  }
  const upstream = await startUpstream(t, {
    respond: ({ question: { name, canonicalName } }) => ({ answers: [aRecord(name, 60, addresses[canonicalName]!)] }),
  })
  const hosts = 'hosts /nowhere {\n  192.0.2.99 own.example\n  fallthrough\n }'
  const line = 'bogus_nxdomain 192.0.2.99 198.51.100.0/24 2001:db8::/32'
  const configuration = configure(`example {\n ${line}\n cache\n ${hosts}\n forward . ${upstream.target}\n}`)
  await configuration.start(AbortSignal.timeout(60_000))
  t.teardown(() => configuration.close())
  const edns = { udpSize: 1232, dnssecOk: false, options: [] }
  for (const name of ['nowhere.example.', 'net.example.', 'nowhere.example.']) {
    const reply = await ask(configuration, name, { edns })
    t.deepEqual([reply?.rcode, reply?.answers, reply?.extendedErrors?.[0]?.code], [rcodes.NXDOMAIN, [], 4])
    t.deepEqual(
      reply?.authority.map(({ name: owner, ttl }) => `${owner} ${ttl}`),
      ['example. 60'],
    )
  }
  t.is((await ask(configuration, 'www.example.'))?.answers.length, 1)
  t.is((await ask(configuration, 'own.example.'))?.answers.length, 1)
  t.is(upstream.queries.length, 3)
})

test('tells of what is no address, and of none', t => {
  for (const [line, problem] of [
    ['bogus_nxdomain 192.0.2', /"192\.0\.2" is neither an address nor a network/],
    ['bogus_nxdomain 99', /"99" is neither/],
    ['bogus_nxdomain', /needs an address or a network/],
  ] as const)
    t.regex(problemsOf(`. {\n ${line}\n}`)[0] ?? '', problem)
})
