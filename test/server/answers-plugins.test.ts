/** Plugins whose answers follow from the question and what the board is told of: with each of them the memo is right. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'ava'
import { ednsOptionCodes, recordTypes } from '#resolver/wire/codes.ts'
import { encodeQuery } from '#resolver/wire/encode.ts'
import { namespace, service } from '../support/manifests.ts'
import { Memoised, packetOf, spell, type Variant } from '../support/memoised.ts'
import { StaticCluster } from '../support/static-cluster.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const asks: readonly Variant[] = [
  { id: 1, recursionDesired: true, edns: undefined, upper: 0 },
  { id: 2, recursionDesired: false, edns: { udpSize: 1232, dnssecOk: true, options: [] }, upper: 0 },
  { id: 3, recursionDesired: true, edns: undefined, upper: 2 },
]
const types = [recordTypes.A, recordTypes.AAAA, recordTypes.PTR, recordTypes.TXT, recordTypes.ANY]

const names = [
  'web.shop.svc.cluster.local.',
  'nothing.shop.svc.cluster.local.',
  'localhost.',
  'a.localhost.',
  'localhost.cluster.local.',
  '1.0.0.127.in-addr.arpa.',
  '9.0.0.127.in-addr.arpa.',
  'here.example.org.',
  'gone.example.org.',
  '9.2.0.192.in-addr.arpa.',
  'x1.made.example.',
]

/** Each question by the memo and by the readable path. */
const compare = (memoised: Memoised, asked: readonly string[] = names): void => {
  for (const ask of asks)
    for (const name of asked)
      for (const type of types) {
        const packet = packetOf(name, type, ask)
        const hit = memoised.find(packet)
        const reply = memoised.respond(packet)
        if (hit && !hit.equals(reply))
          throw new Error(`${spell(name, ask.upper)} ${type}\n${hit.toString('hex')}\n${reply.toString('hex')}`)
      }
}

const cluster = () => new StaticCluster([namespace('shop'), service('shop', 'web', '192.0.2.77')])

const start = async (lines: string, folder?: string): Promise<Memoised> => {
  const text = `. {\n ${lines}\n kubernetes cluster.local {\n fallthrough\n }\n}`
  const memoised = new Memoised(text, cluster(), folder)
  await memoised.start()
  return memoised
}

const steadyLines = {
  local: 'local',
  any: 'any',
  chaos: 'chaos',
  minimal: 'minimal',
  header: 'header {\n response set ra\n query clear rd\n }',
  bufsize: 'bufsize 512',
  nsid: 'nsid here',
  hosts: 'hosts /nonexistent {\n 192.0.2.9 here.example.org\n fallthrough\n }',
  template:
    'template IN A made.example {\n answer "{{ .Name }} 60 IN A 192.0.2.1"\n answer "{{ .Question.Name }} 60 IN A 192.0.2.2"\n }',
  'rewrite name': 'rewrite name here.example.org web.shop.svc.cluster.local answer auto',
  'rewrite ttl': 'rewrite ttl regex (.*)\\.svc\\.cluster\\.local 77',
}

for (const [plugin, lines] of Object.entries(steadyLines))
  test(`the same as the readable path, with ${plugin}`, async t => {
    const memoised = await start(lines)
    t.teardown(() => memoised.configuration.close())
    for (let round = 0; round < 3; round++) {
      compare(memoised)
      await memoised.world.clock.advance(1500)
    }
    t.true(memoised.hits > 20, `${memoised.hits} hits`)
    const found = packetOf(names[0]!, recordTypes.A, asks[0]!)
    t.truthy(memoised.find(found), 'names of the cluster come from the memo')
  })

const unsteadyLines = {
  'a template that looks at the client':
    'template IN A made.example {\n answer "{{ .Name }} 60 IN A {{ .Remote }}"\n }',
  'a template that looks at the message':
    'template IN TXT made.example {\n answer "{{ .Name }} 60 IN TXT {{ .Message.Id }}"\n }',
  acl: 'acl {\n block type A net 192.0.2.99\n }',
  'a view by client': "view inside {\n expr incidr(client_ip(), '192.0.2.0/24')\n }",
  'a policy by client': 'policy {\n allow from unknown shop\n }',
  ratelimit: 'ratelimit {\n queries 100000 200000\n }',
  'a filter by client': 'filter {\n single_family\n }',
}

for (const [plugin, lines] of Object.entries(unsteadyLines))
  test(`nothing is kept beside ${plugin}`, async t => {
    const memoised = await start(lines)
    t.teardown(() => memoised.configuration.close())
    compare(memoised)
    compare(memoised)
    t.is(memoised.hits, 0)
  })

test('a hosts file that changes ends what rested on it, what is not in it as well', async t => {
  const folder = temporaryFolder(t)
  const file = join(folder, 'hosts')
  writeFileSync(file, '192.0.2.9 here.example.org\n')
  const memoised = await start(
    `hosts ${file} example.org shop.svc.cluster.local 2.0.192.in-addr.arpa {\n fallthrough\n }`,
  )
  t.teardown(() => memoised.configuration.close())
  const forget = async () => {
    for (const plugin of memoised.configuration.plugins) await plugin.clear?.()
  }
  for (const line of [
    '192.0.2.10 here.example.org',
    '192.0.2.11 web.shop.svc.cluster.local',
    '192.0.2.9 gone.example.org',
    '',
  ]) {
    compare(memoised)
    compare(memoised)
    writeFileSync(file, `${line}\n`)
    await forget()
  }
  compare(memoised)
  t.true(memoised.hits > 100, `${memoised.hits} hits`)
})

test('what nsid tells is told to those who ask for it', async t => {
  const memoised = await start('nsid here')
  t.teardown(() => memoised.configuration.close())
  const options = [{ code: ednsOptionCodes.NSID, data: Buffer.alloc(0) }]
  const asking = encodeQuery({
    ...{ id: 1, name: names[0]!, type: recordTypes.A, recursionDesired: true },
    edns: { udpSize: 1232, dnssecOk: false, options },
  })
  const reply = memoised.respond(asking)
  t.true(reply.includes('here'))
  t.deepEqual(memoised.find(asking), reply)
})

test('plugins count what the memo answers', async t => {
  const series = async (usesMemo: boolean): Promise<string[]> => {
    const memoised = await start(
      'local\n chaos\n template IN A made.example {\n answer "{{ .Name }} 60 IN A 192.0.2.1"\n }',
    )
    for (let round = 0; round < 4; round++)
      for (const name of ['localhost.cluster.local.', 'x1.made.example.', 'web.shop.svc.cluster.local.']) {
        const packet = packetOf(name, recordTypes.A, asks[0]!)
        if (!(usesMemo && memoised.find(packet))) memoised.respond(packet)
      }
    memoised.settle()
    t.is(memoised.hits, usesMemo ? 9 : 0)
    const text = await memoised.world.registry.metrics()
    const authoritative = memoised.configuration.plugins.flatMap(plugin =>
      'authoritativeAnswers' in plugin ? [`authoritative ${plugin.authoritativeAnswers}`] : [],
    )
    await memoised.configuration.close()
    return [...text.split('\n').filter(line => /^coredns_(local|template_matches)/.test(line)), ...authoritative]
  }
  const asked = await series(false)
  t.is(asked.length, 3)
  t.deepEqual(await series(true), asked)
})

test('replies of the memo are counted by the zone of the block that they are in', async t => {
  const lines = 'prometheus 127.0.0.1:0\n template IN A {\n answer "{{ .Name }} 60 IN A 192.0.2.1"\n }'
  const memoised = new Memoised(`aaaa.example bbbb.example {\n ${lines}\n}`)
  await memoised.start()
  t.teardown(() => memoised.configuration.close())
  for (const [zone, times] of [
    ['aaaa', 2],
    ['bbbb', 5],
  ] as const)
    for (let count = 0; count < times; count++) {
      const packet = packetOf(`x.${zone}.example.`, recordTypes.A, asks[0]!)
      if (!memoised.find(packet)) memoised.respond(packet)
    }
  memoised.settle()
  t.is(memoised.hits, 5)
  const text = await memoised.world.registry.metrics()
  const counts = [...text.matchAll(/^coredns_dns_requests_total\{.*zone="(....)\.example\.".* (\d+)$/gm)]
  t.deepEqual(
    counts.map(([, zone, count]) => `${zone} ${count}`),
    ['aaaa 2', 'bbbb 5'],
  )
})
