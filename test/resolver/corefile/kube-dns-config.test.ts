import test from 'ava'
import { kubeDnsCorefile, readKubeDnsConfig } from '#resolver/corefile/kube-dns-config.ts'
import { ask, configure, testWorld } from '../../support/dns-environment.ts'
import { staticSource } from '../../support/static-cluster.ts'
import { aRecord, startUpstream } from '../../support/upstream.ts'

const cluster = { clusterDomain: 'cluster.local' }
const problemsOf = (data: Readonly<Record<string, unknown>>): readonly string[] => {
  const read = readKubeDnsConfig(data, cluster)
  return read.ok ? [] : read.problem
}

test('both keys are read; without any the servers of the node are asked', t => {
  const read = readKubeDnsConfig(
    {
      stubDomains: '{"Corp.example.": ["192.0.2.10", "192.0.2.11:5353"], "10.in-addr.arpa": ["2001:db8::1"]}',
      upstreamNameservers: '["192.0.2.53"]',
    },
    cluster,
  )
  t.deepEqual(read, {
    ok: true,
    value: {
      stubDomains: new Map([
        ['corp.example.', ['192.0.2.10', '192.0.2.11:5353']],
        ['10.in-addr.arpa.', ['2001:db8::1']],
      ]),
      upstreamNameservers: ['192.0.2.53'],
    },
  })
  t.true(read.ok && kubeDnsCorefile(read.value, cluster).includes('forward . 192.0.2.53 {'))
  const nothing = readKubeDnsConfig({}, cluster)
  t.true(nothing.ok && kubeDnsCorefile(nothing.value, cluster).includes('forward . /etc/resolv.conf {'))
})

for (const [what, data, problems] of [
  ['a key of another time', { federations: 'a=b' }, [/^federations: not a key/]],
  ['broken JSON', { stubDomains: '{', upstreamNameservers: '[' }, [/^stubDomains: not JSON/, /^upstream.*: not JSON/]],
  ['no text', { stubDomains: { a: ['192.0.2.1'] } }, [/^stubDomains: not a text/]],
  ['a list of domains', { stubDomains: '[]' }, [/^stubDomains: not an object/]],
  ['one server without a list', { stubDomains: '{"a.b": "192.0.2.1"}' }, [/^stubDomains: "a\.b": not a list/]],
  ['a domain without server', { stubDomains: '{"a.b": []}' }, [/^stubDomains: "a\.b" has no server/]],
  ['one domain in two spellings', { stubDomains: '{"a.b": ["::1"], "A.b.": ["::1"]}' }, [/"A\.b\." is there twice/]],
  ['no domain', { stubDomains: '{"a {": ["::1"], ".": ["::1"]}' }, [/"a \{" is not a domain.*; "\." is not a domain/]],
  ['the cluster’s domain', { stubDomains: '{"cluster.local": ["::1"]}' }, [/^stubDomains: "cluster\.local\." would/]],
  ['a domain above the cluster’s', { stubDomains: '{"local": ["::1"]}' }, [/^stubDomains: "local\." would/]],
  ['names of servers', { upstreamNameservers: '["dns.example"]' }, [/^upstream.*: "dns\.example" is not an IP/]],
  ['a file', { upstreamNameservers: '["/etc/passwd"]' }, [/^upstream.*: "\/etc\/passwd" is not an IP/]],
  ['numbers', { upstreamNameservers: '[8]' }, [/^upstreamNameservers: 8 is not an IP/]],
  [
    'too many',
    { upstreamNameservers: JSON.stringify(Array(16).fill('::1')) },
    [/^upstream.*: 16 servers are more than 15/],
  ],
] as const)
  test(`refused: ${what}`, t => {
    const found = problemsOf(data)
    t.is(found.length, problems.length, found.join('\n'))
    for (const [index, problem] of problems.entries()) t.regex(found[index] ?? '', problem)
  })

test('stub domains are asked at their servers, all else at the upstream name servers', async t => {
  const start = (address: string) =>
    startUpstream(t, { respond: ({ question: { name } }) => ({ answers: [aRecord(name, 30, address)] }) })
  const [stub, upstream] = [await start('192.0.2.1'), await start('192.0.2.2')]
  const read = readKubeDnsConfig(
    { stubDomains: JSON.stringify({ 'corp.example': [stub.target] }), upstreamNameservers: `["${upstream.target}"]` },
    cluster,
  )
  if (!read.ok) return t.fail(read.problem.join('\n'))
  // The loop probe would be another question to both.
  const text = kubeDnsCorefile(read.value, cluster).replace(/^ +loop\n/gm, '')
  const configuration = configure(text, testWorld({ cluster: staticSource([]) }))
  await configuration.start(new AbortController().signal)
  t.teardown(() => configuration.close())
  const names = ['www.corp.example.', 'corp.example.', 'corp.example.org.', 'none.svc.cluster.local.']
  const replies = await Promise.all(names.map(name => ask(configuration, name)))
  t.deepEqual(
    replies.map(reply => reply?.answers.map(({ data }) => [...(data as Buffer)].join('.'))),
    [['192.0.2.1'], ['192.0.2.1'], ['192.0.2.2'], []],
  )
  t.deepEqual([stub.queries.length, upstream.queries.length], [2, 1])
})
