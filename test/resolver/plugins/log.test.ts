import test from 'ava'
import { recordTypes } from '#resolver/wire/codes.ts'
import { type Ask, ask, configure, problemsOf, testWorld } from '../../support/dns-environment.ts'
import { staticSource } from '../../support/static-cluster.ts'

const linesOf = async (lines: string, name = 'www.example.org.', question: Ask = {}) => {
  const world = testWorld()
  const configuration = configure(`. {\n ${lines}\n hosts /nowhere {\n  192.0.2.1 www.example.org\n }\n}`, world)
  await ask(configuration, name, question)
  return world.lines
}

test('the common format is CoreDNS’s', async t => {
  const edns = { udpSize: 4096, dnssecOk: true, options: [] }
  t.deepEqual(await linesOf('log', 'WWW.example.org.', { client: '2001:db8::1', edns }), [
    '[INFO] [2001:db8::1]:40000 - 4711 "A IN WWW.example.org. udp 44 true 4096" NOERROR qr,aa,rd 60 0s',
  ])
  t.deepEqual(
    await linesOf('log', 'no.example.org.', { transport: 'tcp', type: recordTypes.AAAA, checkingDisabled: true }),
    ['[INFO] 192.0.2.7:40000 - 4711 "AAAA IN no.example.org. tcp 32 false 65535" NXDOMAIN qr,aa,rd,cd 32 0s'],
  )
})

test('formats of one’s own, and the combined one', async t => {
  t.deepEqual(await linesOf('log . "{local} {rcode} {/kubernetes/namespace} {>bufsize} x"'), [
    '[INFO] 192.0.2.53 NOERROR - 512 x',
  ])
  t.regex((await linesOf('log . {combined}'))[0]!, / 0s "0"$/)
})

const classes: Record<string, readonly [lines: string, found: boolean, missing: boolean, failed: boolean]> = {
  all: ['log', true, true, true],
  success: ['log . {\n class success\n }', true, false, false],
  denial: ['log . {\n class denial\n }', false, true, false],
  error: ['log . {\n class error\n }', false, false, true],
  'two classes': ['log . {\n class denial error\n }', false, true, true],
  'two lines of classes': ['log . {\n class denial\n class success\n }', true, true, false],
  'another zone': ['log example.net', false, false, false],
  'the first line that holds the name': ['log example.org {\n class error\n }\n log .', false, false, true],
  'none twice': ['log .\n log example.org', true, true, true],
}

for (const [name, [lines, ...expected]] of Object.entries(classes))
  test(`logs ${name}`, async t => {
    const found = await linesOf(lines)
    const missing = await linesOf(lines, 'no.example.org.')
    const failed = await linesOf(lines, 'www.example.org.', { class: 3 })
    t.deepEqual([found.length, missing.length, failed.length], expected.map(Number))
  })

test('JSON: by the property, and by the flag for the whole program', async t => {
  const [line = ''] = await linesOf('log . {\n json\n }', 'WWW.example.org.', { client: '2001:db8::1' })
  t.deepEqual(JSON.parse(line), {
    time: '2031-01-01T00:00:00.000Z',
    level: 'INFO',
    plugin: 'log',
    client_ip: '2001:db8::1',
    client_port: 40_000,
    server: 'dns://:53',
    proto: 'udp',
    id: 4711,
    qname: 'WWW.example.org.',
    qtype: 'A',
    qclass: 'IN',
    request_size: 33,
    do: false,
    bufsize: 512,
    rcode: 'NOERROR',
    flags: 'qr,aa,rd',
    answered_by: 'hosts',
    response_size: 49,
    duration_seconds: 0,
  })
  const world = testWorld({ overrides: { 'log-format': 'json' } })
  const configuration = configure('example.org {\n log\n acl {\n drop\n }\n}\nexample.net {\n log\n errors\n}', world)
  await ask(configuration, 'www.example.org.')
  await ask(configuration, 'www.example.net.')
  const [silent, failed, logged] = world.lines.map(each => JSON.parse(each))
  t.is(silent.rcode, null)
  t.is(silent.flags, '-')
  t.is(failed.plugin, 'errors')
  t.is(failed.level, 'ERROR')
  t.regex(failed.msg, /^2 www\.example\.net\. A: no plugin/)
  t.deepEqual(logged.extended_errors, [{ code: 0, text: 'no plugin of the server block answers this name' }])
})

const pods = [
  { kind: 'Namespace', metadata: { name: 'shop' } },
  {
    kind: 'Pod',
    metadata: { namespace: 'shop', name: 'cart-1' },
    status: { phase: 'Running', podIP: '192.0.2.7', podIPs: [{ ip: '192.0.2.7' }] },
  },
]

const logOfPods = async (line: string): Promise<string[]> => {
  const world = testWorld({ cluster: staticSource(pods) })
  const configuration = configure(`. {\n ${line}\n kubernetes cluster.local\n}`, world)
  await configuration.start(new AbortController().signal)
  await ask(configuration, 'cluster.local.', { client: '192.0.2.7' })
  await ask(configuration, 'cluster.local.', { client: '192.0.2.8' })
  await configuration.close()
  return world.lines
}

test('who asks: the namespace and pod of the client', async t => {
  const lines = (await logOfPods('log . {\n json\n identity\n }')).map(line => JSON.parse(line))
  t.deepEqual(
    lines.map(({ client_ip, namespace, pod }) => [client_ip, namespace, pod]),
    [
      ['192.0.2.7', 'shop', 'cart-1'],
      ['192.0.2.8', undefined, undefined],
    ],
  )
})

test('only clients of some namespaces', async t => {
  t.is((await logOfPods('log . {\n namespaces shop other\n }')).length, 1)
  t.is((await logOfPods('log . {\n namespaces other\n }')).length, 0)
  t.is((await logOfPods('log . {\n namespaces other\n namespaces shop\n }')).length, 1)
})

test('one of N, but every error', async t => {
  let turn = 0
  const random = { ...testWorld().random, unit: () => (turn++ % 4) / 4 }
  const world = testWorld({ random })
  const hosts = 'hosts /nowhere {\n  192.0.2.1 www.example.org\n }'
  const configuration = configure(`. {\n log . {\n sample 4\n }\n ${hosts}\n}`, world)
  for (let count = 0; count < 8; count++) await ask(configuration, 'www.example.org.')
  t.is(world.lines.length, 2)
  for (let count = 0; count < 3; count++) await ask(configuration, 'www.example.org.', { class: 3 })
  t.is(world.lines.length, 5)
})

test('tells of placeholders and classes that are none', t => {
  t.deepEqual(problemsOf('. {\n log . "{nam} {name}"\n}'), ['Corefile:2: log: "{nam}" is not a placeholder'])
  t.deepEqual(problemsOf('. {\n log {\n  class succes\n }\n}'), [
    'Corefile:3: log: "succes" is not one of success, denial, error, all; did you mean "success"?',
  ])
})
